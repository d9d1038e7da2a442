"use client";

import { useState } from "react";
import type { Session } from "#api/dashboard";
import { currentStep, doneCount, STEPS, type StepKey } from "#client/checklist";
import {
  ExposeStep,
  InstallStep,
  PoolStep,
  PreflightStep,
  ProbeStep,
  WorkloadStep,
} from "#components/overview/checklist-steps";
import { Glyph } from "#components/ui/icon";

const STEP: Record<StepKey, () => React.ReactNode> = {
  preflight: PreflightStep,
  install: InstallStep,
  pool: PoolStep,
  workload: WorkloadStep,
  expose: ExposeStep,
  probe: ProbeStep,
};

/** From an empty cluster to watched traffic in six steps, each with its one action in place. */
export function Checklist({ session }: { readonly session: Session }) {
  const now = currentStep(session.checklist);
  const [chosen, setChosen] = useState<StepKey | null>(null);
  const open = chosen ?? now;
  const done = doneCount(session.checklist);
  return (
    <section className="card first-run" aria-labelledby="first-run-title">
      <header>
        <h2 id="first-run-title">From an empty cluster to balanced traffic</h2>
        <span className="more">{`${done} of ${STEPS.length} done`}</span>
      </header>
      <div className="steps-bar" aria-hidden="true">
        {STEPS.map((step) => (
          <i key={step.key} className={session.checklist[step.key] ? "done" : step.key === now ? "now" : ""} />
        ))}
      </div>
      <ol className="steps">
        {STEPS.map((step, index) => {
          const isDone = session.checklist[step.key];
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
                onClick={() => setChosen(isOpen ? null : step.key === now ? null : step.key)}
              >
                {isDone ? (
                  <Glyph name="ready" />
                ) : (
                  <span className={step.key === now ? "step-n now" : "step-n"}>{index + 1}</span>
                )}
                <span className="strong">{step.title}</span>
                <span className="vh">{isDone ? ", done" : ""}</span>
                <span className="t3 xs m-hide">{isOpen ? "" : step.why}</span>
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
    </section>
  );
}
