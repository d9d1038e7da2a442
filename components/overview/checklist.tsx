"use client";

import { type ReactNode, useState } from "react";
import type { Session } from "#api/dashboard/session";
import { busyStep, currentStep, doneCount, outcomeOf, STEPS, type StepKey } from "#client/checklist";
import { plural } from "#client/format";
import { useRows } from "#client/queries";
import {
  ExposeStep,
  InstallStep,
  PoolStep,
  PreflightStep,
  ProbeStep,
  WorkloadStep,
} from "#components/overview/checklist-steps";
import { Glyph } from "#components/ui/icon";

const STEP: Record<StepKey, () => ReactNode> = {
  preflight: PreflightStep,
  install: InstallStep,
  pool: PoolStep,
  workload: WorkloadStep,
  expose: ExposeStep,
  probe: ProbeStep,
};

/**
 * From an empty cluster to watched traffic in six steps, each with its one
 * action in place. Where only the last is left from the start, as in a sandbox
 * that came up with its demo, it takes one line until somebody wants to see more.
 */
export function Checklist({ session }: { readonly session: Session }) {
  const done = doneCount(session.checklist);
  const [brief, setBrief] = useState(done >= STEPS.length - 1);
  return (
    <section className="card first-run" aria-labelledby="first-run-title">
      <header>
        <h2 id="first-run-title">From an empty cluster to balanced traffic</h2>
        <span className="more row">
          {`${done} of ${STEPS.length} done`}
          {brief || done < STEPS.length - 1 ? null : (
            <button className="linkish" type="button" onClick={() => setBrief(true)}>
              Show what is left
            </button>
          )}
        </span>
      </header>
      {brief ? <Left session={session} onAll={() => setBrief(false)} /> : <AllSteps session={session} />}
    </section>
  );
}

/** One line for each step that is left. */
function Left({ session, onAll }: { readonly session: Session; readonly onAll: () => void }) {
  const done = doneCount(session.checklist);
  return (
    <ul className="steps brief">
      {STEPS.map((step, index) => {
        if (session.checklist[step.key]) return null;
        const Body = STEP[step.key];
        return (
          <li key={step.key}>
            <span className="step-n now">{index + 1}</span>
            <p>
              <span className="strong">{step.title}</span> <span className="t3 xs">{step.why}</span>
            </p>
            <div className="brief-act">
              <Body />
            </div>
          </li>
        );
      })}
      <li className="brief-done">
        <Glyph name="ready" />
        <button className="linkish" type="button" aria-expanded={false} onClick={onAll}>
          {`${plural(done, "step")} done`}
        </button>
      </li>
    </ul>
  );
}

function AllSteps({ session }: { readonly session: Session }) {
  const operations = useRows("operations").data ?? [];
  const now = busyStep(operations) ?? currentStep(session.checklist);
  // "none": the current one was closed by hand.
  const [chosen, setChosen] = useState<StepKey | "none" | null>(null);
  const open = chosen ?? now;
  return (
    <>
      <div className="steps-bar" aria-hidden="true">
        {STEPS.map((step) => (
          <i key={step.key} className={step.key === now ? "now" : session.checklist[step.key] ? "done" : ""} />
        ))}
      </div>
      <ol className="steps">
        {STEPS.map((step, index) => {
          const isDone = session.checklist[step.key] && step.key !== now;
          const isOpen = step.key === open;
          const Body = STEP[step.key];
          return (
            <li
              key={step.key}
              className={isOpen ? "open" : isDone ? "done" : ""}
              aria-current={step.key === now ? "step" : undefined}
            >
              <button
                type="button"
                className="step-head"
                aria-expanded={isOpen}
                onClick={() => setChosen(isOpen ? "none" : step.key === now ? null : step.key)}
              >
                {isDone ? (
                  <Glyph name="ready" />
                ) : (
                  <span className={step.key === now ? "step-n now" : "step-n"}>{index + 1}</span>
                )}
                <span className="strong">{step.title}</span>
                <span className="t3 xs m-hide">
                  {isOpen ? "" : ((isDone ? outcomeOf(step.key, operations) : null) ?? step.why)}
                </span>
                <span className="vh">{isDone ? ", done" : ""}</span>
              </button>
              {isOpen ? (
                <div className="step-body">
                  <p className="t2">{step.why}</p>
                  <Body />
                </div>
              ) : null}
            </li>
          );
        })}
      </ol>
    </>
  );
}
