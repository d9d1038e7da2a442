import type { Lease } from "#api/kubernetes/cluster";
import { Fault } from "#core/errors";
import { type LeaseIdentity, type LeaseRecord, type LeaseTimings, leaseHeldUntil } from "#core/lease";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Term } from "./port.ts";

/** Whose term it is, and by which clock. */
interface LeaseTermOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The Lease's, for the log. */
  readonly name: string;
  readonly identity: LeaseIdentity;
  readonly timings: LeaseTimings;
}

/** A moment by both clocks. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

/** How a term reaches its Lease; null: somebody else wrote it first, or it is gone. */
interface LeaseAccess {
  write(
    over: LeaseRecord,
    spec: Lease["spec"],
    fence: { readonly signal: AbortSignal; readonly mayStart: () => boolean },
  ): Promise<LeaseRecord | null>;
  look(signal: AbortSignal): Promise<LeaseRecord | null>;
}

/** The time between getting the Lease and losing it; renews it meanwhile. */
export class LeaseTerm implements Term {
  readonly since: number;
  readonly #options: LeaseTermOptions;
  readonly #access: LeaseAccess;
  readonly #ending = new AbortController();
  readonly #fence = { signal: this.#ending.signal, mayStart: () => this.#isCurrent() };
  #record: LeaseRecord;
  #askedAt: Instant;
  #released = false;

  constructor(options: LeaseTermOptions, askedAt: Instant, record: LeaseRecord, access: LeaseAccess) {
    this.#options = options;
    this.#access = access;
    this.#record = record;
    this.#askedAt = askedAt;
    this.since = options.clock.monotonic();
    this.#guard();
    void this.#renew();
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  holds(): boolean {
    return !this.#released && this.#isCurrent();
  }

  #isCurrent(): boolean {
    if (this.signal.aborted) return false;
    if (this.#leftMs() > 0) return true;
    this.#end("it could not be renewed in time");
    return false;
  }

  async release(): Promise<void> {
    if (!this.holds() || this.#released) return;
    this.#released = true;
    const { log, clock } = this.#options;
    const free = { holderIdentity: null, leaseDurationSeconds: 1, renewTime: microTime(clock) };
    try {
      // A renewal under way may have moved it on: then what it is now is released.
      const done = await this.#access.write(this.#record, free, this.#fence);
      const again = done === null ? await this.#access.look(this.signal) : null;
      if (again !== null && again.holder === this.#options.identity.holder) {
        await this.#access.write(again, free, this.#fence);
      }
    } catch (thrown) {
      log.debug("lease not released", { error: Fault.from(thrown).message });
    }
    this.#end("released");
  }

  async #renew(): Promise<void> {
    const { clock, timings, log, identity } = this.#options;
    for (;;) {
      await new Promise<void>((resolve) => void clock.schedule(timings.retryMs, resolve));
      if (this.#released || !this.holds()) return;
      const askedAt = { monotonic: clock.monotonic(), wall: clock.now() };
      try {
        let record = await this.#access.write(this.#record, {}, this.#fence);
        if (record === null) {
          // Somebody wrote it: perhaps ourselves, by a renewal whose reply was lost.
          const found = await this.#access.look(this.signal);
          if (found === null || found.holder !== identity.holder) {
            this.#end(found === null ? "the Lease was deleted" : `${found.holder || "nobody"} holds it now`);
            return;
          }
          record = await this.#access.write(found, {}, this.#fence);
        }
        if (record === null) continue;
        this.#record = record;
        this.#askedAt = askedAt;
      } catch (thrown) {
        if (this.signal.aborted) return;
        log.warn("lease not renewed", { error: Fault.from(thrown).message, leftMs: Math.round(this.#leftMs()) });
      }
    }
  }

  /** Ends the term on time even if nobody asks. */
  #guard(): void {
    this.#options.clock.schedule(Math.max(this.#leftMs(), 0), () => {
      if (this.#isCurrent()) this.#guard();
    });
  }

  /** A wall clock that jumps ahead ends a term for nothing; one that stood still while the machine slept must not prolong it. */
  #leftMs(): number {
    const { clock, timings } = this.#options;
    const { monotonic, wall } = this.#askedAt;
    return Math.min(
      leaseHeldUntil(monotonic, timings) - clock.monotonic(),
      leaseHeldUntil(wall, timings) - clock.now(),
    );
  }

  #end(why: string): void {
    if (this.signal.aborted) return;
    this.#options.log.info("no longer leading", { lease: this.#options.name, why });
    this.#ending.abort(new Fault("unavailable", `this replica no longer leads: ${why}`));
  }
}

/** metav1.MicroTime */
export function microTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace("Z", "000Z");
}
