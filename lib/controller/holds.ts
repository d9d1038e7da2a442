import { type AddressHold, type AddressHoldStatus, toHoldInput } from "#api/holds";
import { ADDRESS_HOLDS, apiVersionOf, byAge, keyOf } from "#api/resources";
import { Fault } from "#core/errors";
import { compileHolds, type HoldView, holdsAt } from "#core/holds";
import type { Cluster, ObjectCache } from "#kube/port";
import { type Clock, sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Reconcile } from "#runtime/loop";
import type { EventRecorder } from "./events.ts";
import { Latest } from "./latest.ts";

interface HoldDeps {
  readonly cluster: Cluster;
  readonly holds: ObjectCache<AddressHold>;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
  /** The holds that hold now are others than before: an object changed, or one expired. */
  readonly onChange: () => void;
}

/** Expiry is wall time, which may be set while we wait: so much is slept at once. */
const SLEEP_MAX_MS = 60_000;
const ASK_AGAIN_MS = 1000;

/**
 * The AddressHolds in force: compiled when an object changes, and again when the next of them expires. An invalid
 * edit leaves the version before in force until its object is deleted, and is complained of once.
 */
export class HoldSource {
  readonly #deps: HoldDeps;
  readonly #latest: Latest<AddressHold>;
  #inForce: ReadonlyMap<string, HoldView> = new Map();
  /** What is wrong, by name of the object. */
  #problems: ReadonlyMap<string, string> = new Map();
  #cancel: () => void = () => undefined;

  constructor(deps: HoldDeps) {
    this.#deps = deps;
    this.#latest = new Latest(deps.holds);
  }

  /** Reads every object anew and says what holds now. */
  compile(): readonly HoldView[] {
    const objects = this.#deps.holds.list().toSorted(byAge);
    const { holds, findings } = compileHolds(objects.map(toHoldInput), this.#inForce);
    this.#inForce = new Map(holds.map((hold) => [hold.name, hold]));
    const problems = new Map<string, string>();
    for (const { object, field, message, fix } of findings) {
      if (!problems.has(object)) problems.set(object, `${field}: ${message}; ${fix}`);
    }
    const before = this.#problems;
    this.#problems = problems;
    for (const object of objects) this.#complain(object, before);
    return this.active();
  }

  /** What holds now, and a wake-up for the moment when that changes by itself. */
  active(): readonly HoldView[] {
    const { clock, signal, onChange } = this.#deps;
    const now = clock.now();
    const { active, nextExpiry } = holdsAt([...this.#inForce.values()], now);
    this.#cancel();
    if (nextExpiry === null || signal.aborted) return active;
    this.#cancel = clock.schedule(Math.min(nextExpiry - now, SLEEP_MAX_MS), () => {
      if (signal.aborted) return;
      if (clock.now() < nextExpiry) this.active();
      else onChange();
    });
    return active;
  }

  /** Keeps the status of one hold. */
  readonly reconcile: Reconcile = async (key, signal) => {
    const hold = this.#latest.get(key);
    if (hold === undefined) return {};
    const status = this.#statusOf(hold);
    const has = hold.status ?? {};
    if (has.state === status.state && (has.message ?? null) === status.message) return {};
    const body = { metadata: { resourceVersion: hold.metadata.resourceVersion }, status };
    const request = { kind: "merge" as const, subresource: "status" as const, body, signal };
    this.#latest.put(key, await this.#deps.cluster.patch(ADDRESS_HOLDS, { name: hold.metadata.name ?? "" }, request));
    return {};
  };

  #statusOf({ metadata: { name = "" } }: AddressHold): {
    readonly state: NonNullable<AddressHoldStatus["state"]>;
    readonly message: string | null;
  } {
    const problem = this.#problems.get(name);
    const view = this.#inForce.get(name);
    if (problem !== undefined) {
      const before = view === undefined ? "nothing is held" : "the version before stays in force";
      return { state: "Invalid", message: `${problem}; until then ${before}` };
    }
    const isOver = view?.expiresAt != null && view.expiresAt <= this.#deps.clock.now();
    return { state: isOver ? "Expired" : "Active", message: null };
  }

  #complain(object: AddressHold, before: ReadonlyMap<string, string>): void {
    const name = keyOf(object);
    const problem = this.#problems.get(name);
    if (problem === undefined || before.get(name) === problem) return;
    const { events, log } = this.#deps;
    const subject = { ...object, kind: ADDRESS_HOLDS.kind, apiVersion: apiVersionOf(ADDRESS_HOLDS) };
    events.emit(subject, "Warning", "ConfigurationError", `AddressHold ${name}: ${problem}`);
    log.warn("hold is invalid", { hold: name, problem });
  }
}

/**
 * Waits until the holds are listed, at `since` (monotonic ms) or later: before that, nothing may be given out. Where the kind is not installed or may not
 * be read there is nothing to wait for.
 */
export async function holdsListed(deps: Omit<HoldDeps, "events" | "onChange"> & { readonly since: number }) {
  const { cluster, holds, clock, log, signal } = deps;
  for (;;) {
    try {
      await cluster.list(ADDRESS_HOLDS, { signal });
      await holds.listedSince(deps.since, signal);
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      const { code, message } = Fault.from(thrown);
      if (code === "not_found" || code === "forbidden") {
        log.warn("holds are not honoured: they cannot be listed", { code, error: message });
        return;
      }
      await sleep(clock, ASK_AGAIN_MS, signal);
    }
  }
}
