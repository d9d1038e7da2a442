import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { admit } from "../admission.ts";
import type { Engine } from "../context.ts";
import type { Resource } from "../resource.ts";
import { type Attributes, type Review, UNREVIEWED } from "../review.ts";
import { failure } from "../status.ts";
import { callWebhook, type Dial } from "./call.ts";
import { conditionsOf } from "./conditions.ts";
import { type Hook, HookTable } from "./hooks.ts";
import { wants } from "./match.ts";
import { admissionReview, type Requester } from "./request.ts";
import { destinationOf } from "./resolve.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** How often a write is decided anew because what it was decided on had changed while webhooks were asked. */
const ROUNDS_MAX = 8;

interface Wanted {
  readonly hook: Hook;
  readonly shown: Resource;
}

/** A write that waits for webhooks. */
class Pending extends Error {
  readonly attributes: Attributes;
  readonly commit: () => unknown;
  readonly wanted: readonly Wanted[];
  /** Of the bucket when the write was decided. */
  readonly version: number;

  constructor(attributes: Attributes, commit: () => unknown, wanted: readonly Wanted[], version: number) {
    super("waits for admission webhooks");
    this.attributes = attributes;
    this.commit = commit;
    this.wanted = wanted;
    this.version = version;
  }
}

/** Asks the validating webhooks that are configured. */
export class Webhooks {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #table: HookTable;
  readonly #clock: Clock;
  readonly #dial: Dial | undefined;
  readonly #closing = new AbortController();

  constructor(engine: Engine, log: Log, dial?: Dial) {
    this.#dial = dial;
    this.#engine = engine;
    this.#log = log;
    this.#clock = engine.clock;
    this.#table = new HookTable(engine.store);
  }

  /**
   * Runs `write`, and has the webhooks that want to know agree before it is committed. While they are asked nothing is
   * locked: a write whose object has changed meanwhile is decided and asked about again (at most 8 times, then 409).
   * Without such webhooks `write` runs once, at once. Throws what `write` throws, or the first denial.
   */
  async reviewed<T>(write: (review: Review) => T, requester: Requester, warn: (text: string) => void): Promise<T> {
    if (this.#table.all().length === 0) return write(UNREVIEWED);
    let agreed: Pending | undefined;
    for (let round = 1; ; round++) {
      try {
        return write(this.#reviewAfter(agreed));
      } catch (thrown) {
        if (thrown instanceof Pending) agreed = thrown;
        else if (agreed === undefined || !isOvertaken(thrown)) throw thrown;
        else agreed = undefined;
        if (round > ROUNDS_MAX) throw overtaken(thrown);
      }
      if (agreed !== undefined) await this.#ask(agreed, requester, warn);
    }
  }

  /** Ends every call that is under way. */
  close(): void {
    this.#closing.abort();
  }

  #reviewAfter(agreed: Pending | undefined): Review {
    return <T>(attributes: Attributes, commit: () => T): T => {
      if (agreed !== undefined && sameBase(agreed.attributes, attributes)) {
        this.#recheck(agreed);
        // The write that was agreed to, not the one just made: that one may have drawn other names and addresses.
        return agreed.commit() as T;
      }
      const wanted = this.#wanted(attributes);
      if (wanted.length === 0) return commit();
      const version = this.#engine.store.version(attributes.address.resource.bucket);
      throw new Pending(attributes, commit, wanted, version);
    };
  }

  #wanted(attributes: Attributes): readonly Wanted[] {
    return this.#table.all().flatMap((hook) => {
      const shown = wants(this.#engine, hook, attributes);
      return shown === undefined ? [] : [{ hook, shown }];
    });
  }

  /** Addresses and ports that were free when the webhooks were asked may be taken now. */
  #recheck({ attributes, version }: Pending): void {
    const { address, object, old, operation, subresource } = attributes;
    const { resource } = address;
    if (operation === "DELETE" || object === undefined || subresource !== "") return;
    if (resource.definition.admit === undefined) return;
    if (this.#engine.store.version(resource.bucket) === version) return;
    admit(
      this.#engine,
      resource,
      { ...object, apiVersion: resource.apiVersion },
      {
        allocate: true,
        ...(old === undefined ? {} : { old }),
      },
    );
  }

  async #ask({ attributes, wanted }: Pending, requester: Requester, warn: (text: string) => void): Promise<void> {
    const asked = wanted.map(async ({ hook, shown }) => ({
      hook,
      verdict: await this.#askOne(hook, attributes, shown, requester),
    }));
    const faults: Fault[] = [];
    for (const { hook, verdict } of await Promise.all(asked)) {
      if (verdict.kind !== "broken") for (const text of verdict.warnings) warn(text);
      if (verdict.kind === "denied") faults.push(verdict.fault);
      if (verdict.kind !== "broken") continue;
      const why = `failed calling webhook ${JSON.stringify(hook.name)}: ${verdict.why}`;
      if (hook.ignoreFailure) this.#log.warn("webhook failed, its policy is to go on", { webhook: hook.name, why });
      else
        faults.push(
          failure({
            code: 500,
            reason: "InternalError",
            message: `Internal error occurred: ${why}`,
            details: { causes: [{ message: why }] },
          }),
        );
    }
    const [first] = faults;
    if (first !== undefined) throw first;
  }

  async #askOne(hook: Hook, attributes: Attributes, shown: Resource, requester: Requester): Promise<Verdict> {
    const { uid, body } = admissionReview(attributes, shown, requester);
    const conditions = conditionsOf(hook, body);
    if (conditions.kind === "not-held") return { kind: "allowed", warnings: [] };
    if (conditions.kind === "failed")
      return { kind: "broken", why: `failed to evaluate match conditions: ${conditions.why}` };
    const destination = destinationOf(this.#engine.store, hook.target, hook.timeoutMs);
    const { ca, timeoutMs } = hook;
    const { signal } = this.#closing;
    return verdictOf(
      hook.name,
      uid,
      await callWebhook(destination, body, { ca, timeoutMs, clock: this.#clock, signal, dial: this.#dial }),
    );
  }
}

function sameBase(agreed: Attributes, now: Attributes): boolean {
  return agreed.revision === now.revision;
}

function isOvertaken(thrown: unknown): boolean {
  return thrown instanceof Fault && ["conflict", "already_exists", "invalid", "not_found"].includes(thrown.code);
}

function overtaken(thrown: unknown): unknown {
  if (!(thrown instanceof Pending)) return thrown;
  return new Fault("conflict", "the object kept changing while admission webhooks were asked; please try again");
}
