import { describe, expect, it } from "vitest";
import {
  checkedLeaseTimings,
  LEASE_TIMINGS,
  type LeaseIdentity,
  type LeaseRecord,
  type LeaseState,
  leaseHeldUntil,
  nextLeaseStep,
  observeLease,
  takeOverBoundMs,
  UNSEEN,
} from "#core/lease";

const timings = { durationMs: 10_000, renewDeadlineMs: 7000, retryMs: 2000 };
const me: LeaseIdentity = { holder: "controller-a_uid1_p2", predecessor: "controller-a_uid1_" };
const record = (over: Partial<LeaseRecord> = {}): LeaseRecord => ({
  version: "5",
  holder: "controller-b_uid2_p1",
  durationMs: 10_000,
  transitions: 3,
  ...over,
});
const seenAt = (now: number, seen: LeaseRecord | null, from: LeaseState = UNSEEN) => observeLease(from, seen, me, now);

/** What a candidate does `after` ms after it first saw this record. */
type Row = readonly [
  guarantee: string,
  seen: LeaseRecord | null,
  after: number,
  kind: string,
  more?: object | undefined,
];
const rows: readonly Row[] = [
  ["creates the Lease when there is none", null, 0, "create"],
  ["waits for a holder that has just renewed", record(), 0, "wait", { untilMs: 2000 }],
  ["waits to the last moment of the holder's duration", record(), 9999, "wait", { untilMs: 10_000 }],
  ["takes a Lease that it saw unchanged for the whole duration", record(), 10_000, "take", { transitions: 4 }],
  ["grants the holder the duration it promised to renew in", record({ durationMs: 30_000 }), 29_999, "wait"],
  ["waits its own duration when the holder names none", record({ durationMs: null }), 9999, "wait"],
  ["and takes it then", record({ durationMs: null }), 10_000, "take"],
  ["waits its own duration when the holder's makes no sense", record({ durationMs: -1 }), 9999, "wait"],
  ["waits five minutes at most, whatever the Lease says", record({ durationMs: 2 ** 40 }), 300_000, "take"],
  ["takes a released Lease at once", record({ holder: "" }), 0, "take", { transitions: 4 }],
  ["takes what this pod's last process held at once", record({ holder: "controller-a_uid1_p1" }), 0, "take"],
  ["waits for a pod of the same name that is another pod", record({ holder: "controller-a_uid9_p1" }), 0, "wait"],
  ["goes on with what it holds itself", record({ holder: me.holder }), 0, "take", { transitions: 3 }],
];

describe("a process that wants to lead", () => {
  it("looks before it does anything", () => {
    expect(nextLeaseStep(UNSEEN, me, timings, 0)).toEqual({ kind: "read" });
  });

  it.each(rows.map((row) => ({ row, guarantee: row[0] })))(
    "$guarantee",
    ({ row: [, seen, after, kind, more = {}] }) => {
      const step = nextLeaseStep(seenAt(0, seen), me, timings, after);
      expect(step).toMatchObject({ kind, ...more });
    },
  );

  it("counts anew from every renewal it sees, and from no time written in the Lease", () => {
    let state = seenAt(0, record());
    state = seenAt(9000, record(), state);
    state = seenAt(9500, record({ version: "6" }), state);
    expect(nextLeaseStep(state, me, timings, 19_499)).toMatchObject({ kind: "wait" });
    expect(nextLeaseStep(state, me, timings, 19_500)).toMatchObject({ kind: "take" });
  });

  it("waits after all when the process it took for dead renews", () => {
    const sibling = record({ holder: "controller-a_uid1_p1" });
    const state = seenAt(100, { ...sibling, version: "6" }, seenAt(0, sibling));
    expect(nextLeaseStep(state, me, timings, 100)).toMatchObject({ kind: "wait" });
  });

  it("inherits only what it found when it started", () => {
    const later = seenAt(100, record({ holder: "controller-a_uid1_p3", version: "6" }), seenAt(0, record()));
    expect(nextLeaseStep(later, me, timings, 100)).toMatchObject({ kind: "wait" });
  });

  it("inherits nothing without proof that the earlier process ended", () => {
    const stranger = { holder: "controller-a_p2", predecessor: null };
    const state = observeLease(UNSEEN, record({ holder: "controller-a_p1" }), stranger, 0);
    expect(nextLeaseStep(state, stranger, timings, 0)).toMatchObject({ kind: "wait" });
  });
});

describe("the timings", () => {
  it("end a holder's right before others may take it, even with clocks that differ by a fifth", () => {
    const { durationMs } = LEASE_TIMINGS;
    expect(leaseHeldUntil(0, LEASE_TIMINGS) * 1.2).toBeLessThan(durationMs);
  });

  it("let a successor begin within 15 s by default", () => {
    expect(takeOverBoundMs(LEASE_TIMINGS)).toBeLessThanOrEqual(15_000);
  });

  it.each([
    ["a duration that the API cannot carry", { durationMs: 1500 }, "--leader-elect-lease-duration must be whole"],
    ["no duration", { durationMs: 0 }, "--leader-elect-lease-duration"],
    ["a deadline that others do not wait for", { renewDeadlineMs: 10_000 }, "--leader-elect-renew-deadline must be at"],
    ["a retry that leaves one attempt", { retryMs: 6000 }, "--leader-elect-retry-period must be at most half"],
    ["no retry", { retryMs: 0 }, "--leader-elect-retry-period"],
  ])("refuse %s", (_what, over, message) => {
    expect(() => checkedLeaseTimings({ ...timings, ...over })).toThrow(message);
  });
});
