"use client";

import type { ProbeRow } from "#api/dashboard/probes";
import { assignColours } from "#client/probe-feed";

const bySession = new Map<string, ReadonlyMap<string, number>>();

/** Colours 1 to 8 by pod, the same on every screen of this tab for as long as the pod is in the probe; 0 is "other". */
export function usePodColours(probe: Pick<ProbeRow, "service" | "pods">): ReadonlyMap<string, number> {
  const known = bySession.get(probe.service) ?? new Map<string, number>();
  const names = [...probe.pods]
    .sort((a, b) => Number(a.gone) - Number(b.gone) || (a.pod < b.pod ? -1 : 1))
    .map((pod) => pod.pod);
  if (names.every((name) => known.has(name)) && known.size === names.length) return known;
  const next = assignColours(known, names);
  bySession.set(probe.service, next);
  return next;
}

/** The CSS colour of a number of `usePodColours`. */
export function cssColour(colour: number): string {
  return colour === 0 ? "var(--unknown-line)" : `var(--cat-${colour})`;
}
