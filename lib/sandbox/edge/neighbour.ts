/**
 * Linux's neighbour unreachability detection for ARP (net/core/neighbour.c,
 * net/ipv4/arp.c), as a pure function: given an entry, what happened and when,
 * the entry after it and what is to be sent. Times are monotonic milliseconds.
 */
export type NeighbourState = "INCOMPLETE" | "REACHABLE" | "STALE" | "DELAY" | "PROBE" | "FAILED";

export interface Neighbour {
  readonly state: NeighbourState;
  /** Null while no answer was ever seen, or after FAILED. */
  readonly mac: string | null;
  /** When state or MAC last changed; the locktime counts from here. */
  readonly updatedAt: number;
  /** When the neighbour was last known to be there. */
  readonly confirmedAt: number;
  readonly usedAt: number;
  /** Requests sent without an answer in this round. */
  readonly probes: number;
  /** When a `timer` event is due; null when the state has none. */
  readonly timerAt: number | null;
  /** How long this entry stays REACHABLE unconfirmed: between half and one and a half of 30 s. */
  readonly reachableMs: number;
}

export type NeighbourEvent =
  /** A packet wants to go there. */
  | { readonly kind: "use" }
  | { readonly kind: "timer" }
  /** An ARP reply sent to us. */
  | { readonly kind: "reply"; readonly mac: string }
  /** Any other ARP packet whose sender claims the address: a request, or a reply to everybody. */
  | { readonly kind: "heard"; readonly mac: string }
  /** A gratuitous request (sender and target address are the same): it overrides the locktime. */
  | { readonly kind: "gratuitous"; readonly mac: string }
  /** The layer above made progress with this neighbour (TCP acknowledged). */
  | { readonly kind: "confirm" };

export type NeighbourEffect =
  /** Send a request; `mac` null means broadcast. */
  | { readonly kind: "ask"; readonly mac: string | null }
  /** What waited may go to this MAC. */
  | { readonly kind: "resolved"; readonly mac: string }
  /** What waited is unreachable. */
  | { readonly kind: "failed" };

interface NeighbourStep {
  readonly entry: Neighbour;
  readonly effects: readonly NeighbourEffect[];
}

/** net.ipv4.neigh.default.*: base_reachable_time, delay_first_probe_time, retrans_time, locktime, ucast_/mcast_solicit. */
export const NEIGHBOUR_TIMING = {
  baseReachableMs: 30_000,
  delayMs: 5_000,
  retransmitMs: 1_000,
  lockMs: 1_000,
  unicastProbes: 3,
  broadcastProbes: 3,
} as const;

const T = NEIGHBOUR_TIMING;

/** A new entry that has just been asked for: the first broadcast request goes out with it. */
export function newNeighbour(now: number, reachableMs: number): NeighbourStep {
  const blank: Neighbour = {
    state: "FAILED",
    mac: null,
    updatedAt: now,
    confirmedAt: now - 2 * T.baseReachableMs,
    usedAt: now,
    probes: 0,
    timerAt: null,
    reachableMs,
  };
  return stepNeighbour(blank, { kind: "use" }, now);
}

/** The MAC that a packet sent now would carry; null while it would have to wait. */
export function usableMac(entry: Neighbour): string | null {
  return entry.state === "INCOMPLETE" || entry.state === "FAILED" ? null : entry.mac;
}

export function stepNeighbour(entry: Neighbour, event: NeighbourEvent, now: number): NeighbourStep {
  switch (event.kind) {
    case "use":
      return use({ ...entry, usedAt: now }, now);
    case "timer":
      return entry.timerAt === null || now < entry.timerAt ? keep(entry) : timer(entry, now);
    case "confirm":
      return keep({ ...entry, confirmedAt: now });
    case "reply":
    case "heard":
    case "gratuitous":
      return update(entry, event, now);
  }
}

function keep(entry: Neighbour): NeighbourStep {
  return { entry, effects: [] };
}

function use(entry: Neighbour, now: number): NeighbourStep {
  if (entry.state === "FAILED") {
    const asked = {
      ...entry,
      state: "INCOMPLETE",
      mac: null,
      updatedAt: now,
      probes: 1,
      timerAt: now + T.retransmitMs,
    };
    return { entry: asked as Neighbour, effects: [{ kind: "ask", mac: null }] };
  }
  if (entry.state === "STALE") {
    return keep({ ...entry, state: "DELAY", updatedAt: now, timerAt: now + T.delayMs });
  }
  return keep(entry);
}

function timer(entry: Neighbour, now: number): NeighbourStep {
  switch (entry.state) {
    case "REACHABLE": {
      if (now <= entry.confirmedAt + entry.reachableMs) {
        return keep({ ...entry, timerAt: entry.confirmedAt + entry.reachableMs });
      }
      if (now <= entry.usedAt + T.delayMs) {
        return keep({ ...entry, state: "DELAY", updatedAt: now, timerAt: now + T.delayMs });
      }
      return keep({ ...entry, state: "STALE", updatedAt: now, timerAt: null });
    }
    case "DELAY":
      if (now <= entry.confirmedAt + T.delayMs) {
        return keep({ ...entry, state: "REACHABLE", updatedAt: now, timerAt: entry.confirmedAt + entry.reachableMs });
      }
      return ask({ ...entry, state: "PROBE", updatedAt: now, probes: 0 }, now);
    case "PROBE":
      return entry.probes >= T.unicastProbes ? fail(entry, now) : ask(entry, now);
    case "INCOMPLETE":
      return entry.probes >= T.broadcastProbes ? fail(entry, now) : ask(entry, now);
    case "STALE":
    case "FAILED":
      return keep({ ...entry, timerAt: null });
  }
}

function ask(entry: Neighbour, now: number): NeighbourStep {
  return {
    entry: { ...entry, probes: entry.probes + 1, timerAt: now + T.retransmitMs },
    effects: [{ kind: "ask", mac: entry.mac }],
  };
}

function fail(entry: Neighbour, now: number): NeighbourStep {
  return {
    entry: { ...entry, state: "FAILED", mac: null, updatedAt: now, probes: 0, timerAt: null },
    effects: [{ kind: "failed" }],
  };
}

/** `arp_process` and `__neigh_update`: never creates, overrides after the locktime or when gratuitous. */
function update(
  entry: Neighbour,
  event: { readonly kind: "reply" | "heard" | "gratuitous"; readonly mac: string },
  now: number,
): NeighbourStep {
  const { mac } = event;
  const wasValid = usableMac(entry) !== null;
  // Only a reply to us proves that the neighbour hears us.
  let state: NeighbourState = event.kind === "reply" ? "REACHABLE" : "STALE";
  const heard = state === "REACHABLE" ? { ...entry, confirmedAt: now } : entry;

  if (wasValid) {
    const override = event.kind === "gratuitous" || now > entry.updatedAt + T.lockMs;
    if (mac !== entry.mac && !override) return keep(heard);
    if (mac === entry.mac && state === "STALE") state = entry.state;
  }
  if (state === entry.state && mac === entry.mac) return keep(heard);

  const moved: Neighbour = {
    ...heard,
    state,
    mac,
    updatedAt: now,
    probes: 0,
    timerAt: state === entry.state ? entry.timerAt : state === "REACHABLE" ? now + entry.reachableMs : null,
    // A new MAC that has not answered us yet counts as never confirmed.
    confirmedAt: state === "REACHABLE" ? now : mac === entry.mac ? entry.confirmedAt : now - 2 * T.baseReachableMs,
  };
  return { entry: moved, effects: wasValid ? [] : [{ kind: "resolved", mac }] };
}
