import type { Lease } from "#api/kubernetes/cluster";
import { apiVersionOf, LEASES } from "#api/resources";
import { Fault } from "#core/errors";
import {
  type LeaseIdentity,
  type LeaseRecord,
  type LeaseState,
  type LeaseTimings,
  nextLeaseStep,
  observeLease,
  takeOverBoundMs,
  UNSEEN,
} from "#core/lease";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { type Instant, LeaseTerm, microTime } from "./lease-term.ts";
import type { Cluster, Election, ObjectCache, Term } from "./port.ts";

/** One candidate for one Lease. */
interface LeaseElectionOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  /** The Lease, created when absent. */
  readonly name: string;
  readonly namespace: string;
  readonly identity: LeaseIdentity;
  readonly timings: LeaseTimings;
  /** What the Lease's holder says of itself with each renewal. */
  readonly annotations?: (() => Readonly<Record<string, string>>) | undefined;
}

/** Leadership by a Lease object: the decisions of `#core/lease`, one request at a time, each with a bound. */
export class LeaseElection implements Election {
  readonly name: string;
  readonly #options: LeaseElectionOptions;
  readonly #at: { readonly name: string; readonly namespace: string };
  #state: LeaseState = UNSEEN;
  #watch: ObjectCache<Lease> | null = null;
  /** It was seen to be released since the last look was begun. */
  #freed = false;
  /** Ends the pause under way. */
  #wake: () => void = () => undefined;
  #said = "";

  constructor(options: LeaseElectionOptions) {
    this.#options = options;
    this.name = options.name;
    this.#at = { name: options.name, namespace: options.namespace };
  }

  get leader(): string | null {
    return this.#state.seen === null ? null : (this.#state.seen.record?.holder ?? "");
  }

  async campaign(signal: AbortSignal): Promise<Term> {
    this.#follow();
    // Whoever led before and lost it looks before it writes.
    let looked = false;
    for (;;) {
      signal.throwIfAborted();
      try {
        if (!looked) await this.#look(signal);
        looked = true;
        const term = await this.#attempt(signal);
        if (term !== null) return term;
      } catch (thrown) {
        signal.throwIfAborted();
        const fault = Fault.from(thrown);
        this.#say("lease not reached", { code: fault.code, error: fault.message });
        await this.#pause(this.#options.timings.retryMs, signal);
      }
    }
  }

  /** One step of a process that does not hold the Lease. */
  async #attempt(signal: AbortSignal): Promise<LeaseTerm | null> {
    const { identity, timings, clock } = this.#options;
    const step = nextLeaseStep(this.#state, identity, timings, clock.monotonic());
    switch (step.kind) {
      case "read":
        await this.#look(signal);
        return null;
      case "wait":
        this.#say("another replica leads", { leader: step.holder, takeOverWithinMs: takeOverBoundMs(timings) });
        await this.#pause(step.untilMs - clock.monotonic(), signal);
        await this.#look(signal);
        return null;
      case "create":
      case "take": {
        const record = step.kind === "take" ? step.record : null;
        const transitions = step.kind === "take" ? step.transitions : 0;
        const acquireTime = record?.holder === identity.holder ? undefined : microTime(clock);
        const askedAt = this.#now();
        const won = await this.#write(record, { leaseTransitions: transitions, acquireTime }, signal);
        if (won === null) {
          await this.#look(signal);
          return null;
        }
        this.#said = "";
        this.#options.log.info("leading", { lease: this.name, holder: identity.holder, transitions });
        return new LeaseTerm(this.#options, askedAt, won, {
          write: (over, spec, term) => this.#write(over, spec, term.signal, term.mayStart),
          look: (stop) => this.#look(stop),
        });
      }
    }
  }

  /** Reads the Lease, and takes it in. */
  async #look(signal: AbortSignal): Promise<LeaseRecord | null> {
    const { cluster, identity, clock } = this.#options;
    this.#freed = false;
    const record = await this.#bounded(signal, (stop) => cluster.get(LEASES, this.#at, stop))
      .then(recordOf)
      .catch((thrown: unknown) => {
        if (Fault.from(thrown).code === "not_found") return null;
        throw thrown;
      });
    this.#state = observeLease(this.#state, record, identity, clock.monotonic());
    return record;
  }

  /** Writes into that version of the Lease (null: creates it). Null when somebody else wrote it first. */
  async #write(
    over: LeaseRecord | null,
    more: Lease["spec"],
    signal: AbortSignal,
    mayStart = () => true,
  ): Promise<LeaseRecord | null> {
    const { cluster, identity, timings, clock, annotations } = this.#options;
    const said = annotations === undefined ? {} : { annotations: annotations() };
    const spec = {
      holderIdentity: identity.holder,
      leaseDurationSeconds: timings.durationMs / 1000,
      renewTime: microTime(clock),
      ...more,
    };
    try {
      const written = await this.#bounded(signal, (stop) =>
        over === null
          ? cluster.create(LEASES, blank({ ...this.#at, ...said }, spec), { signal: stop })
          : cluster.patch(LEASES, this.#at, {
              kind: "merge",
              body: { metadata: { resourceVersion: over.version, ...said }, spec },
              mayStart,
              signal: stop,
            }),
      );
      const record = recordOf(written);
      this.#state = observeLease(this.#state, record, identity, clock.monotonic());
      return record;
    } catch (thrown) {
      const { code } = Fault.from(thrown);
      if (code === "conflict" || code === "already_exists" || code === "not_found") return null;
      throw thrown;
    }
  }

  /** A request that hangs must leave time for another before the deadline. */
  async #bounded<T>(signal: AbortSignal, request: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timings } = this.#options;
    const late = new AbortController();
    const cancel = clock.schedule(timings.renewDeadlineMs / 2, () =>
      late.abort(new Fault("unavailable", "the API server did not answer in time")),
    );
    const stop = () => late.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await request(late.signal);
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#freed) {
      this.#freed = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.schedule(Math.max(ms, 0), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      signal.addEventListener("abort", this.#wake, { once: true });
    });
    signal.removeEventListener("abort", this.#wake);
    this.#wake = () => undefined;
  }

  /** A change seen by watch only shortens the wait for the next look: nothing is decided on it. */
  #follow(): void {
    if (this.#watch !== null) return;
    const { namespace, name } = this.#at;
    this.#watch = this.#options.cluster.cache(LEASES, { namespace, fieldSelector: `metadata.name=${name}` });
    this.#watch.onChange((_key, now) => {
      if (now?.spec?.holderIdentity) return;
      this.#freed = true;
      this.#wake();
    });
  }

  /** The wall clock too: a machine that slept finds its monotonic clock where it was. */
  #now(): Instant {
    const { clock } = this.#options;
    return { monotonic: clock.monotonic(), wall: clock.now() };
  }

  #say(message: string, fields: Readonly<Record<string, unknown>>): void {
    const said = JSON.stringify([message, fields]);
    if (said === this.#said) return;
    this.#said = said;
    this.#options.log.info(message, { lease: this.name, ...fields });
  }
}

function recordOf({ metadata, spec }: Lease): LeaseRecord {
  const seconds = spec?.leaseDurationSeconds;
  return {
    version: metadata.resourceVersion ?? "",
    holder: spec?.holderIdentity ?? "",
    durationMs: typeof seconds === "number" ? seconds * 1000 : null,
    transitions: spec?.leaseTransitions ?? 0,
  };
}

function blank(metadata: Lease["metadata"], spec: Lease["spec"]): Lease {
  return { apiVersion: apiVersionOf(LEASES), kind: LEASES.kind, metadata, spec };
}
