/**
 * Who may write, decided from a Lease (coordination.k8s.io/v1) as client-go
 * does: no clock of another machine is trusted. Whoever wants the Lease waits
 * until it has seen it unchanged for the holder's whole duration; whoever holds
 * it stops earlier, counted from when it asked for the last renewal that was
 * granted. Times are milliseconds of this machine's own monotonic clock.
 */
import { Fault } from "./errors.ts";

export interface LeaseTimings {
  /** How long a Lease that nobody renews stays closed to others. Whole seconds. */
  readonly durationMs: number;
  /** How long its holder may write after the last renewal. Shorter than the duration: the rest is for writes under way. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and between two looks of those who wait. */
  readonly retryMs: number;
}

/** Another machine takes over within 12 s of the last renewal. */
export const LEASE_TIMINGS: LeaseTimings = { durationMs: 10_000, renewDeadlineMs: 7000, retryMs: 2000 };

/** Longer than any holder may ask others to wait, whatever its Lease says. */
const LONGEST_MS = 300_000;

/** What a Lease object says. */
export interface LeaseRecord {
  /** Differs whenever the object was written. */
  readonly version: string;
  /** "" when it was released. */
  readonly holder: string;
  /** As its holder promises to renew it; null when it does not say. */
  readonly durationMs: number | null;
  readonly transitions: number;
}

export interface LeaseIdentity {
  /** Ours alone: differs from that of every other process, past or present. */
  readonly holder: string;
  /**
   * What the holders of this pod's earlier processes begin with, or null when there is no proof that those have ended.
   * A kubelet starts a container again only after its last process ended, under the same pod uid.
   */
  readonly predecessor: string | null;
}

/** What one candidate knows. Begins as `UNSEEN`. */
export interface LeaseState {
  /** Null before the first look. `record` is null when there is no such object. */
  readonly seen: { readonly record: LeaseRecord | null; readonly since: number } | null;
  /** The Lease was found in the hands of this pod's last process, and nobody has written it since. */
  readonly inherited: boolean;
}

export const UNSEEN: LeaseState = { seen: null, inherited: false };

type LeaseStep =
  | { readonly kind: "read" }
  | { readonly kind: "create" }
  /** Write ourselves into that version of the Lease, and into no other. */
  | { readonly kind: "take"; readonly record: LeaseRecord; readonly transitions: number }
  /** Somebody else has it: look again no later than then. */
  | { readonly kind: "wait"; readonly holder: string; readonly untilMs: number };

/** Takes in what a look at the Lease showed. */
export function observeLease(
  state: LeaseState,
  record: LeaseRecord | null,
  { holder, predecessor }: LeaseIdentity,
  now: number,
): LeaseState {
  const { seen } = state;
  if (seen === null) {
    const inherited = predecessor !== null && record !== null && record.holder !== holder;
    return { seen: { record, since: now }, inherited: inherited && record.holder.startsWith(predecessor) };
  }
  if (seen.record?.version === record?.version) return state;
  return { seen: { record, since: now }, inherited: false };
}

/** What a process that does not hold the Lease does next. */
export function nextLeaseStep(
  { seen, inherited }: LeaseState,
  { holder }: LeaseIdentity,
  { durationMs, retryMs }: LeaseTimings,
  now: number,
): LeaseStep {
  if (seen === null) return { kind: "read" };
  const { record, since } = seen;
  if (record === null) return { kind: "create" };
  // Its own, from before it lost sight of it: nobody else has held it since, or it would not be there.
  if (record.holder === holder) return { kind: "take", record, transitions: record.transitions };
  const promised = record.durationMs === null || record.durationMs <= 0 ? durationMs : record.durationMs;
  const expiresAt = since + Math.min(promised, LONGEST_MS);
  if (record.holder === "" || inherited || now >= expiresAt) {
    return { kind: "take", record, transitions: record.transitions + 1 };
  }
  return { kind: "wait", holder: record.holder, untilMs: Math.min(expiresAt, now + retryMs) };
}

/** Until when the holder may write: counted from the moment it asked, for others count from later. */
export function leaseHeldUntil(askedAt: number, { renewDeadlineMs }: LeaseTimings): number {
  return askedAt + renewDeadlineMs;
}

/** From the last renewal of a dead leader to the first request of its successor, while the API server answers at once. */
export function takeOverBoundMs({ durationMs, retryMs }: LeaseTimings): number {
  return durationMs + retryMs;
}

/** The timings, or a Fault `invalid` whose fields are named as the flags are. */
export function checkedLeaseTimings(timings: LeaseTimings): LeaseTimings {
  const { durationMs, renewDeadlineMs, retryMs } = timings;
  const problems: Record<string, string> = {};
  if (durationMs % 1000 !== 0 || durationMs < 1000 || durationMs > LONGEST_MS) {
    problems["lease-duration"] = `must be whole seconds, from 1s to ${LONGEST_MS / 1000}s`;
  }
  // What is left is for writes under way, and for clocks that do not run alike.
  if (renewDeadlineMs > durationMs * 0.8) problems["renew-deadline"] = "must be at most 80 % of the lease duration";
  if (retryMs <= 0 || retryMs > renewDeadlineMs / 2)
    problems["retry-period"] = "must be at most half the renew deadline";
  const [first] = Object.entries(problems);
  if (first === undefined) return timings;
  throw new Fault("invalid", `--leader-elect-${first[0]} ${first[1]}.`, { fields: problems });
}
