import type { Remark } from "./finding.ts";

/** An object compiled by itself; `view` is null when it is invalid. */
export interface Candidate<T> {
  readonly name: string;
  readonly view: T | null;
  readonly report: (remark: Remark) => void;
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
  clash: (view: T, accepted: readonly T[]) => Remark | null,
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
    const round = accept(settled, changed, refused, clash);
    if (round.refusal === null) {
      for (const { name, report } of candidates) {
        const remark = refused.get(name) ?? round.displaced.get(name);
        if (remark !== undefined) report(remark);
      }
      return round.accepted.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    }
    const { name, remark } = round.refusal;
    refused.set(name, remark);
    const before = previous.get(name);
    if (before !== undefined) settled.push(before);
  }
}

function accept<T extends { readonly name: string }>(
  settled: readonly T[],
  changed: readonly T[],
  refused: ReadonlyMap<string, Remark>,
  clash: (view: T, accepted: readonly T[]) => Remark | null,
) {
  const accepted: T[] = [];
  // Versions that were in force side by side, and cannot be any more because what is around them changed.
  const displaced = new Map<string, Remark>();
  for (const view of settled) {
    const remark = clash(view, accepted);
    if (remark === null) accepted.push(view);
    else displaced.set(view.name, remark);
  }
  for (const view of changed) {
    if (refused.has(view.name)) continue;
    const remark = clash(view, accepted);
    if (remark !== null) return { accepted, displaced, refusal: { name: view.name, remark } };
    accepted.push(view);
  }
  return { accepted, displaced, refusal: null };
}
