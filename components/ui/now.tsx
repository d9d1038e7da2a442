"use client";

import { useEffect, useState } from "react";
import { age } from "#client/format";

/** A clock that re-renders its caller every `ms`; the time is that of the render, ms since the epoch. */
export function useNow(ms = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

/** Age of a moment in one unit, for tables: "4 m". */
export function Age({ since }: { readonly since: string | null }) {
  const now = useNow(5000);
  if (since === null) return <span className="t3">not reported</span>;
  const at = Date.parse(since);
  return <time dateTime={since}>{age(now - at)}</time>;
}
