/** The arithmetic of a rolling update: pure, as the real deployment controller does it. */

export interface Rolling {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export interface SetCount {
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
  let spare = newSet.available + old.reduce((sum, set) => sum + Math.min(set.available, set.replicas), 0) - least;
  for (const [index, replicas] of next.entries()) {
    const count = Math.min(Math.max(0, spare), replicas);
    next[index] = replicas - count;
    spare -= count;
  }
  return next;
}
