import { sleep } from "#runtime/clock";
import { askProbe, type ProbeResult, type ProbeTarget } from "./probe-request.ts";
import type { ProbeView } from "./probe-view.ts";

type ProbeKind = "startup" | "readiness" | "liveness";

interface ProbeDeps extends ProbeTarget {
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  /** One failed probe, for an Event. */
  readonly onFailure: (kind: ProbeKind, message: string) => void;
  /** The container is to be restarted. */
  readonly onDead: (kind: "startup" | "liveness") => void;
}

/**
 * Until the first success a probe is asked this often, without counting: a
 * container that is up after 0.3 s need not wait for its second period. Failures count once a period.
 */
const EAGER_MS = 250;
/** A container that is not ready this soon after its start is not worth an Event. */
const PATIENCE_MS = 5_000;

/** Runs a container's probes until the signal aborts. Readiness and liveness begin when the startup probe has succeeded. */
export function runProbes(deps: ProbeDeps, signal: AbortSignal): void {
  const { startup, readiness, liveness } = deps.container;
  const begin = () => {
    deps.onStarted();
    if (readiness === null) deps.onReady(true);
    else watch("readiness", readiness, deps, signal, (ok) => deps.onReady(ok));
    if (liveness !== null) watch("liveness", liveness, deps, signal, (ok) => ok || deps.onDead("liveness"));
  };
  if (startup === null) {
    begin();
    return;
  }
  const once = new AbortController();
  watch("startup", startup, deps, AbortSignal.any([signal, once.signal]), (ok) => {
    once.abort();
    if (ok) begin();
    else deps.onDead("startup");
  });
}

/** Reports each time the threshold of successes or failures is reached anew. */
function watch(
  kind: ProbeKind,
  probe: ProbeView,
  deps: ProbeDeps,
  signal: AbortSignal,
  report: (ok: boolean) => void,
): void {
  probeLoop(kind, probe, deps, signal, report).catch(() => undefined); // rejects only when the signal aborts its sleep
}

async function probeLoop(
  kind: ProbeKind,
  probe: ProbeView,
  deps: ProbeDeps,
  signal: AbortSignal,
  report: (ok: boolean) => void,
): Promise<void> {
  const { clock } = deps;
  let [successes, failures, everGood] = [0, 0, kind === "liveness"];
  let countedAt = Number.NEGATIVE_INFINITY;
  // A liveness probe right at the start would only say that the process is starting.
  await sleep(
    clock,
    kind === "liveness" ? Math.max(probe.initialDelayMs, probe.periodMs) : probe.initialDelayMs,
    signal,
  );
  const patienceMs = kind === "readiness" ? PATIENCE_MS : Math.min(1_000, probe.periodMs);
  const firstAt = clock.monotonic();
  while (!signal.aborted) {
    const result = await askProbe(probe, deps);
    if (signal.aborted) return;
    if (result.kind === "success") {
      failures = 0;
      everGood = true;
      if (++successes === probe.successThreshold) report(true);
    } else if (clock.monotonic() - countedAt >= probe.periodMs - EAGER_MS) {
      // The very first failures of a container that is starting are not news.
      const starting = !everGood && clock.monotonic() - firstAt < patienceMs;
      if (!starting) {
        countedAt = clock.monotonic();
        successes = 0;
        deps.onFailure(kind, sentence(kind, result));
        if (result.kind === "failure" && ++failures === probe.failureThreshold) report(false);
      }
    }
    await sleep(clock, everGood ? probe.periodMs : Math.min(EAGER_MS, probe.periodMs), signal);
  }
}

function sentence(kind: ProbeKind, result: Exclude<ProbeResult, { kind: "success" }>): string {
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  return result.kind === "failure"
    ? `${name} probe failed: ${result.message}`
    : `${name} probe errored: ${result.message}`;
}
