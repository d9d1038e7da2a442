"use client";

import { useEffect, useState, useSyncExternalStore } from "react";
import { type LiveState, live } from "#client/live";
import { useSession } from "#client/queries";
import { Glyph } from "#components/ui/icon";

/** Two pings (5 s each) missed. */
const LATE_MS = 11_000;
const GREY_MS = 30_000;

export function useLive(): LiveState {
  return useSyncExternalStore(live.subscribe, live.snapshot, live.serverSnapshot);
}

function usePerformanceNow(ms: number): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    const tick = () => setNow(performance.now());
    tick();
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

/** True when what is on screen is older than 30 s: the page is shown grey. */
export function useIsGrey(): boolean {
  const { lastAt } = useLive();
  const now = usePerformanceNow(1000);
  return lastAt !== null && now - lastAt > GREY_MS;
}

/** Live with its age; reconnecting with the time left; or how old the data is. */
export function LiveIndicator() {
  const state = useLive();
  const session = useSession();
  const now = usePerformanceNow(200);
  const ageMs = state.lastAt === null ? 0 : Math.max(0, now - state.lastAt);
  const old = state.lastAt !== null && ageMs > LATE_MS;
  if (old)
    return (
      <button className="live off" type="button" onClick={live.retry} title="Try to connect now">
        <Glyph name="unknown" />
        <span>
          <span className="vh" role="status">
            Data is old
          </span>
          <span aria-hidden="true">{`Data is ${Math.floor(ageMs / 1000)} s old`}</span>
        </span>
      </button>
    );
  if (state.phase === "waiting")
    return (
      <button className="live" type="button" onClick={live.retry} title="Try to connect now">
        <Glyph name="pending" />
        <span role="status">Reconnecting</span>
        <span aria-hidden="true">{`in ${Math.max(0, Math.ceil(((state.retryAt ?? now) - now) / 1000))} s`}</span>
      </button>
    );
  // The stream is well, but what feeds it is not; the notice above the page says what.
  if (session?.connected === false)
    return (
      <span className="live off">
        <Glyph name="failed" />
        <span role="status">Not connected</span>
      </span>
    );
  if (state.lastAt === null)
    return (
      <span className="live">
        <Glyph name="pending" />
        <span role="status">Connecting</span>
      </span>
    );
  return (
    <span className="live">
      <i aria-hidden="true" />
      <b role="status">Live</b>
      <span className="age" aria-hidden="true">{`${(ageMs / 1000).toFixed(1)} s`}</span>
    </span>
  );
}
