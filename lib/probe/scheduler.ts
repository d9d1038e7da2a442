import type { Clock } from "#runtime/clock";

interface Pace {
  /** Starts per second. */
  readonly rate: number;
  /** Tasks running at once; a start that would exceed it is skipped. */
  readonly inFlightMax: number;
  readonly clock: Clock;
  /** `seq` counts starts from 1. Must not reject. */
  task(seq: number): Promise<void>;
}

interface Pacer {
  /** Starts that were left out: a stall, or too many in flight. They are never made up for. */
  skipped(): number;
  sent(): number;
  stop(): void;
}

/**
 * Starts tasks on a fixed grid (`start + n / rate`, monotonic), the first at
 * once. Late is late: the grid does not drift, and after a stall the missed
 * starts are skipped instead of sent in a burst.
 */
export function startPacer({ rate, inFlightMax, clock, task }: Pace): Pacer {
  const intervalMs = 1_000 / rate;
  const origin = clock.monotonic();
  let slot = 0;
  let sent = 0;
  let skipped = 0;
  let running = 0;
  let stopped = false;
  let cancel: () => void = () => undefined;

  const fire = () => {
    if (stopped) return;
    if (running >= inFlightMax) skipped += 1;
    else {
      sent += 1;
      running += 1;
      void task(sent).finally(() => {
        running -= 1;
      });
    }
    const now = clock.monotonic();
    const next = Math.max(slot, Math.floor((now - origin) / intervalMs + EARLY)) + 1;
    skipped += next - slot - 1;
    slot = next;
    cancel = clock.schedule(Math.max(0, origin + slot * intervalMs - now), fire);
  };
  fire();

  return {
    skipped: () => skipped,
    sent: () => sent,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** Timers round to milliseconds and may fire a little early: that part of an interval still counts as on time. */
const EARLY = 0.1;
