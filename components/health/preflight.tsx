"use client";

import { useState } from "react";
import type { OperationRow } from "#api/dashboard/operations";
import type { CheckRow } from "#api/dashboard/preflight";
import { problemIn, useFixCheck } from "#client/actions";
import { Wire } from "#components/health/wire";
import { Diff } from "#components/ui/diff";
import { FormProblem } from "#components/ui/field";
import { Hops } from "#components/ui/hops";
import { Glyph, type GlyphName } from "#components/ui/icon";

const GLYPH: Record<CheckRow["state"], GlyphName> = {
  passed: "ready",
  warning: "warning",
  failed: "failed",
  unknown: "unknown",
  not_applicable: "skip",
};
const SAID: Record<CheckRow["state"], string> = {
  passed: "passed",
  warning: "warning",
  failed: "failed",
  unknown: "unknown",
  not_applicable: "not applicable",
};
const ORDER: Record<CheckRow["state"], number> = { failed: 0, warning: 1, passed: 2, unknown: 3, not_applicable: 4 };

/** A failed check in full: what is wrong, belief against wire, and the fix with the change it makes. */
export function PreflightFinding({
  check,
  operation,
}: {
  readonly check: CheckRow;
  readonly operation: OperationRow | undefined;
}) {
  const [open, setOpen] = useState(false);
  const fix = useFixCheck();
  const [started, setStarted] = useState<string | null>(null);
  const mine =
    operation !== undefined && (operation.id === started || operation.state === "running") ? operation : undefined;
  const title = `finding-${check.id}`;
  const act = async () => {
    try {
      setStarted((await fix.mutateAsync(check.id)).operation);
    } catch {
      // Shown below the buttons.
    }
  };
  const heading = check.id.toLowerCase().includes("arp")
    ? "strictARP is false: every node answers for every address"
    : `${check.title}: ${check.evidence}`;
  return (
    <section className="finding" aria-labelledby={title}>
      <div className="finding-top">
        <div className="say">
          <h2 id={title}>
            <Glyph name="failed" />
            {heading}
          </h2>
          <p className="t2">{check.explanation}</p>
        </div>
        {check.fix === null ? null : (
          <div className="row">
            <button className="btn" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? "Hide change" : "Show change"}
            </button>
            <button
              className="btn pri"
              type="button"
              disabled={fix.isPending || mine?.state === "running"}
              onClick={() => void act()}
            >
              {check.fix.label}
            </button>
          </div>
        )}
      </div>
      <FormProblem message={problemIn(fix)?.message ?? null} />
      {open && check.fix !== null ? <Diff text={check.fix.change} label={`Change that fixes ${check.title}`} /> : null}
      {mine === undefined ? null : <Hops operation={mine} />}
      {check.wire.slice(0, 1).map((entry) => (
        <Wire key={entry.address} entry={entry} />
      ))}
    </section>
  );
}

/** All checks, what failed first. */
export function PreflightList({ checks }: { readonly checks: readonly CheckRow[] }) {
  const [open, setOpen] = useState<string | null>(null);
  const sorted = [...checks].sort((a, b) =>
    ORDER[a.state] < 2 || ORDER[b.state] < 2 ? ORDER[a.state] - ORDER[b.state] : 0,
  );
  return (
    <ul className="pre">
      {sorted.map((check) => {
        const bold = check.state === "failed" || check.state === "warning";
        return (
          <li key={check.id}>
            <Glyph name={GLYPH[check.state]} />
            {check.explanation === "" ? (
              <span className={bold ? "strong" : undefined}>
                {check.title}
                <span className="vh">{`, ${SAID[check.state]}`}</span>
              </span>
            ) : (
              <button
                className={bold ? "rowlink strong" : "rowlink"}
                type="button"
                aria-expanded={open === check.id}
                onClick={() => setOpen(open === check.id ? null : check.id)}
              >
                {check.title}
                <span className="vh">{`, ${SAID[check.state]}`}</span>
              </button>
            )}
            <span className="ev">{check.evidence}</span>
            {open === check.id ? <p className="why t2 xs">{check.explanation}</p> : null}
          </li>
        );
      })}
    </ul>
  );
}
