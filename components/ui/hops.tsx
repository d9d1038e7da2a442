"use client";

import { useEffect, useState } from "react";
import type { OperationRow } from "#api/dashboard/operations";
import { elapsed } from "#client/format";
import { Glyph, type GlyphName } from "#components/ui/icon";
import { Rich } from "#components/ui/rich";

type Step = OperationRow["steps"][number];

const GLYPH: Record<Step["state"], GlyphName> = {
  waiting: "skip",
  running: "pending",
  done: "ready",
  failed: "failed",
  skipped: "skip",
};
const SAID: Record<Step["state"], string> = {
  waiting: "waiting",
  running: "under way",
  done: "done",
  failed: "failed",
  skipped: "left out",
};

/** An operation under way: one line per hop, elapsed time right, from the server's clock once a hop is done. */
export function Hops({ operation, label = "Progress" }: { readonly operation: OperationRow; readonly label?: string }) {
  const since = useElapsed(operation.state === "running");
  return (
    <ol className="hops" aria-label={label}>
      {operation.steps.map((step) => (
        <li
          key={step.name}
          className={
            step.state === "waiting" || step.state === "running" ? "wait" : step.state === "failed" ? "cut" : undefined
          }
        >
          <Glyph name={GLYPH[step.state]} className={step.state === "running" ? "spin" : ""} />
          <span className={step.state === "waiting" ? "t3" : undefined}>
            <Rich text={step.label} />
            <span className="vh">{`, ${SAID[step.state]}`}</span>
          </span>
          <time>
            {step.elapsedMs !== null ? elapsed(step.elapsedMs) : step.state === "running" ? elapsed(since) : ""}
          </time>
          {step.detail === null || step.detail === "" ? null : (
            <p className={step.state === "failed" ? "detail failed" : "detail"}>{step.detail}</p>
          )}
        </li>
      ))}
    </ol>
  );
}

/** Milliseconds since this component began to show a running operation; the server's figures replace them. */
function useElapsed(running: boolean): number {
  const [ms, setMs] = useState(0);
  useEffect(() => {
    if (!running) return;
    const start = performance.now();
    const timer = setInterval(() => setMs(performance.now() - start), 100);
    return () => clearInterval(timer);
  }, [running]);
  return ms;
}
