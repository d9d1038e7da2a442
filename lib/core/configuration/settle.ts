import type { Remark } from "./finding.ts";

/** An object compiled by itself; `view` is null when it is invalid. */
export interface Candidate<T> {
  readonly name: string;
  readonly view: T | null;
  readonly report: (remark: Remark) => void;
}

/** The versions accepted so far, and what keeps another one from joining them. */
export interface Neighbours<T> {
  clash(view: T): Remark | null;
  add(view: T): void;
}

/** For kinds of which no two exclude each other. */
export function noNeighbours<T>(): Neighbours<T> {
  return { clash: () => null, add: () => undefined };
}

/**
 * Which versions are in force: an invalid object keeps its version of
 * `previous`. Of two that exclude each other the one that did not change wins,
 * then the older one (`candidates` are oldest first); the other falls back to
 * its previous version if that fits. Ends after at most one round per candidate.
 */
export function settle<T extends { readonly name: string; readonly source: string }>(
  candidates: readonly Candidate<T>[],
  previous: ReadonlyMap<string, T>,
  neighbours: () => Neighbours<T>,
): readonly T[] {
  const settled: T[] = [];
  const changed: T[] = [];
  for (const { name, view } of candidates) {
    const before = previous.get(name);
    if (view === null) {
      if (before !== undefined) settled.push(before);
    } else if (before?.source === view.source) settled.push(view);
    else changed.push(view);
  }
  const refused = new Map<string, Remark>();
  for (;;) {
    const round = accept({ settled, changed, refused, previous }, neighbours());
    if (round === null) continue;
    for (const { name, report } of candidates) {
      const remark = refused.get(name) ?? round.displaced.get(name);
      if (remark !== undefined) report(remark);
    }
    return round.accepted.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}

/** Null when one fell back to its previous version, which joins the settled ones: everything is to be looked at anew. */
function accept<T extends { readonly name: string }>(
  on: {
    readonly settled: T[];
    readonly changed: readonly T[];
    readonly refused: Map<string, Remark>;
    readonly previous: ReadonlyMap<string, T>;
  },
  neighbours: Neighbours<T>,
): { readonly accepted: readonly T[]; readonly displaced: ReadonlyMap<string, Remark> } | null {
  const accepted: T[] = [];
  const take = (view: T) => {
    accepted.push(view);
    neighbours.add(view);
  };
  // Versions that were in force side by side, and cannot be any more because what is around them changed.
  const displaced = new Map<string, Remark>();
  for (const view of on.settled) {
    const remark = neighbours.clash(view);
    if (remark === null) take(view);
    else displaced.set(view.name, remark);
  }
  for (const view of on.changed) {
    if (on.refused.has(view.name)) continue;
    const remark = neighbours.clash(view);
    if (remark === null) {
      take(view);
      continue;
    }
    on.refused.set(view.name, remark);
    const before = on.previous.get(view.name);
    if (before === undefined) continue;
    on.settled.push(before);
    return null;
  }
  return { accepted, displaced };
}
