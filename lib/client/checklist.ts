import type { OperationRow } from "#api/dashboard/operations";
import type { Session } from "#api/dashboard/session";
import { elapsed } from "#client/format";

export type StepKey = keyof Session["checklist"];

/** The six steps of the story, in their order. */
export const STEPS: readonly { readonly key: StepKey; readonly title: string; readonly why: string }[] = [
  {
    key: "preflight",
    title: "Let only one node answer",
    why: "kube-proxy must not answer ARP for load balancer addresses on every node: strictARP has to be true.",
  },
  {
    key: "install",
    title: "Install controller and speakers",
    why: "The controller assigns addresses; a speaker on every node announces them.",
  },
  {
    key: "pool",
    title: "Make a pool and announce it",
    why: "A pool is a range of addresses; an advertisement says who answers for them.",
  },
  {
    key: "workload",
    title: "Run the demo workload",
    why: "Three nginx pods, each of which says its own name and node.",
  },
  { key: "expose", title: "Expose the Service", why: "It becomes a load balancer and gets the first free address." },
  {
    key: "probe",
    title: "Watch the traffic",
    why: "A probe sends requests and shows which pod on which node answers.",
  },
];

/** What each step's button starts; a pool is made in one request. */
const WORK: Partial<Record<StepKey, OperationRow["kind"]>> = {
  preflight: "fix",
  install: "install",
  workload: "demo",
  expose: "expose",
};

/** The step whose work is under way. Its goal may be reached before its work has ended, so it stays the current one. */
export function busyStep(operations: readonly OperationRow[]): StepKey | null {
  const running = operations.filter((row) => row.state === "running").map((row) => row.kind);
  return STEPS.find(({ key }) => running.some((kind) => kind === WORK[key]))?.key ?? null;
}

/** How a step that is done ended: "Assigned 127.77.10.1, 0.4 s". Null when it was not done from here. */
export function outcomeOf(step: StepKey, operations: readonly OperationRow[]): string | null {
  const last = operations.findLast((row) => row.kind === WORK[step] && row.state === "done");
  const end = last?.steps.findLast(({ state }) => state === "done");
  return end === undefined ? null : `${end.label}, after ${elapsed(end.elapsedMs ?? 0)}`;
}

export function isComplete(done: Session["checklist"]): boolean {
  return STEPS.every((step) => done[step.key]);
}

/** The step to do now: the first that is not done. Null when all are. */
export function currentStep(done: Session["checklist"]): StepKey | null {
  return STEPS.find((step) => !done[step.key])?.key ?? null;
}

export function doneCount(done: Session["checklist"]): number {
  return STEPS.filter((step) => done[step.key]).length;
}
