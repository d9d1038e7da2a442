"use client";

import { useEffect, useState } from "react";
import { age } from "#client/format";

/** Whoever looks at the time so often, by the beat in ms: one timer for all of them. A table has an age in every row. */
const beats = new Map<
  number,
  { readonly listeners: Set<() => void>; readonly timer: ReturnType<typeof setInterval> }
>();

function onBeat(ms: number, listener: () => void): () => void {
  let beat = beats.get(ms);
  if (beat === undefined) {
    const listeners = new Set<() => void>();
    const all = () => {
      for (const each of listeners) each();
    };
    beat = { listeners, timer: setInterval(all, ms) };
    beats.set(ms, beat);
  }
  const { listeners, timer } = beat;
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    beats.delete(ms);
  };
}

/** A clock that re-renders its caller every `ms`; the time is that of the render, ms since the epoch. */
export function useNow(ms = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => onBeat(ms, () => setNow(Date.now())), [ms]);
  return now;
}

/** Age of a moment in one unit, for tables: "4 m". */
export function Age({ since }: { readonly since: string | null }) {
  const now = useNow(5000);
  if (since === null) return <span className="t3">not reported</span>;
  const at = Date.parse(since);
  return <time dateTime={since}>{age(now - at)}</time>;
}
