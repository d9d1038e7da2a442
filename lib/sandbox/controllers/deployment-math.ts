/** The arithmetic of a rolling update: pure, as the real deployment controller does it. */

interface Rolling {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

interface SetCount {
  readonly replicas: number;
  readonly available: number;
}

/** "25%" of `total` rounded up or down, or the number itself. */
export function resolveAmount(value: unknown, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const percent = typeof value === "string" && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : 0;
  const exact = (percent * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}

/** Limits of a rolling update; both zero would mean standing still, so then one may be unavailable. */
export function rollingOf(replicas: number, maxSurge: unknown, maxUnavailable: unknown): Rolling {
  const surge = resolveAmount(maxSurge, replicas, "up");
  const unavailable = resolveAmount(maxUnavailable, replicas, "down");
  const allowed = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { replicas, maxSurge: surge, maxUnavailable: Math.min(allowed, Math.max(replicas, 0)) };
}

/** How many replicas the new ReplicaSet should have now. */
export function newSetReplicas({ replicas, maxSurge }: Rolling, now: number, total: number): number {
  if (now >= replicas) return replicas;
  const room = replicas + maxSurge - total;
  return room <= 0 ? now : now + Math.min(room, replicas - now);
}

/**
 * How many replicas each old ReplicaSet (oldest first) should have now: first what is not available anyway is given
 * up, then as much of the rest as leaves `replicas - maxUnavailable` available.
 */
export function oldSetReplicas(rolling: Rolling, newSet: SetCount, old: readonly SetCount[]): readonly number[] {
  const least = rolling.replicas - rolling.maxUnavailable;
  const total = newSet.replicas + old.reduce((sum, set) => sum + set.replicas, 0);
  const cleanable = total - least - (newSet.replicas - newSet.available);
  const next = old.map((set) => set.replicas);
  if (cleanable <= 0) return next;

  let cleaned = 0;
  for (const [index, set] of old.entries()) {
    const count = Math.min(cleanable - cleaned, Math.max(0, set.replicas - set.available));
    next[index] = set.replicas - count;
    cleaned += count;
  }
  // A set that was just made smaller still reports pods that are on their way out.
  let spare =
    Math.min(newSet.available, newSet.replicas) +
    old.reduce((sum, set) => sum + Math.min(set.available, set.replicas), 0) -
    least;
  for (const [index, replicas] of next.entries()) {
    const count = Math.min(Math.max(0, spare), replicas);
    next[index] = replicas - count;
    spare -= count;
  }
  return next;
}

/** A ReplicaSet with pods, as proportional scaling sees it. */
interface SizedSet {
  readonly name: string;
  readonly replicas: number;
  /** The Deployment's size with surge when this set was scaled last (its max-replicas annotation). */
  readonly maxReplicas: number;
}

/**
 * How many replicas each ReplicaSet gets when a Deployment is scaled in the middle of a rollout: each its share of what
 * is added or removed, the largest the rest (`sets` newest first). So a rollout that is stuck does not take all of it.
 */
export function proportionalReplicas(
  { replicas, maxSurge }: Rolling,
  sets: readonly SizedSet[],
): ReadonlyMap<string, number> {
  const allowed = replicas > 0 ? replicas + maxSurge : 0;
  const toAdd = allowed - sets.reduce((sum, set) => sum + set.replicas, 0);
  // Of equal size: the newer one grows first, the older one shrinks first.
  const order = toAdd > 0 ? [...sets] : [...sets].reverse();
  order.sort((a, b) => b.replicas - a.replicas);
  const next = new Map<string, number>();
  let added = 0;
  for (const set of order) {
    const wanted = replicas === 0 ? 0 : Math.round((set.replicas * (replicas + maxSurge)) / (set.maxReplicas || 1));
    const share = wanted - set.replicas;
    const left = toAdd - added;
    const part = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    const granted = left === 0 || set.replicas === 0 ? 0 : part;
    next.set(set.name, set.replicas + granted);
    added += granted;
  }
  const [largest] = order;
  if (largest !== undefined && toAdd !== 0) {
    next.set(largest.name, Math.max(0, (next.get(largest.name) ?? 0) + toAdd - added));
  }
  return next;
}
