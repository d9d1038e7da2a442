import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf } from "#api/resources";
import { Fault } from "#core/errors";
import { type Clock, sleep, untilAborted } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { CacheHealth } from "./port.ts";
import { watchEvents } from "./watch-lines.ts";

/** Where a cache gets its objects from. Failures are `Fault`s. */
interface WatchSource<T> {
  /** The whole list, read consistently. */
  list(signal: AbortSignal): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /** The watch's body from that version on; resolves once the server accepted it. */
  watch(resourceVersion: string, timeoutSeconds: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** Milliseconds. */
export interface CacheTimings {
  /** Silence after which a watch is taken for dead. Servers send a bookmark about once a minute. Default 75 s. */
  readonly idleMs?: number;
  /** First and longest pause between attempts. Defaults 200 ms and 10 s. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
}

/** As `ObjectCache.onChange` calls it; what it throws is logged and goes no further. */
export type ChangeListener<T> = (key: string, now: T | undefined, before: T | undefined) => void;

/** A server that answers "no" or "not there" is alive: ask it more often than one that is down. */
const REFUSED_MAX_DELAY_MS = 2000;
/** A watch that lived this long was a good one, so the next failure starts the back-off anew. */
const GOOD_WATCH_MS = 5000;
/** A server that refuses to resume from our version so often may not know that version: list again. */
const RELIST_AFTER_FAILURES = 3;

/**
 * One kind, listed and then watched for as long as it lives; what
 * `ObjectCache` promises, for any number of listeners.
 */
export class ListWatchCache<T extends KubeObject> {
  readonly #source: WatchSource<T>;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timings: Required<CacheTimings>;
  readonly #lean: boolean;
  readonly #ending = new AbortController();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #synced: Promise<void>;
  #resolveSynced: () => void = () => undefined;
  #objects = new Map<string, T>();
  #array: readonly T[] | null = null;
  #version = "";
  #failures = 0;
  #watchFailures = 0;
  /** Listed anew at once after a 410; a server that says so again has to wait for the next attempt. */
  #startedOver = false;
  #refused = false;
  #health: CacheHealth;
  /** When the last list taken in was begun; who waits for a later one; what makes the watch give way to it. */
  #listedAt = Number.NEGATIVE_INFINITY;
  #waiting: readonly { readonly since: number; readonly resolve: () => void }[] = [];
  #interrupt: () => void = () => undefined;
  synced = false;

  constructor(options: {
    readonly name: string;
    readonly source: WatchSource<T>;
    readonly clock: Clock;
    readonly log: Log;
    readonly timings?: CacheTimings;
    /** Without metadata.managedFields. */
    readonly lean?: boolean;
  }) {
    this.#name = options.name;
    this.#source = options.source;
    this.#lean = options.lean ?? false;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timings = { idleMs: 75_000, baseDelayMs: 200, maxDelayMs: 10_000, ...options.timings };
    this.#health = { connected: false, lastSeen: options.clock.monotonic(), forbidden: false };
    this.#synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
    void this.#run();
  }

  get health(): CacheHealth {
    return this.#health;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    this.#array ??= [...this.#objects.values()];
    return this.#array;
  }

  onChange(listener: ChangeListener<T>): () => void {
    // A wrapper, so that one function registered twice is two registrations.
    const own: ChangeListener<T> = (key, now, before) => listener(key, now, before);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.synced ? this.#synced : untilAborted(this.#synced, signal);
  }

  listedSince(since: number, signal?: AbortSignal): Promise<void> {
    if (this.#listedAt >= since) return Promise.resolve();
    const listed = new Promise<void>((resolve) => {
      this.#waiting = [...this.#waiting, { since, resolve }];
    });
    this.#interrupt();
    return untilAborted(listed, signal);
  }

  close(): void {
    this.#ending.abort(new Fault("unavailable", "the cache was closed"));
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        if (this.#version === "" || this.#waiting.length > 0) await this.#relist();
        if (this.#waiting.length === 0) await this.#watch();
      } catch (thrown) {
        if (signal.aborted) return;
        if (thrown === LIST_ANEW) continue;
        this.#failed(Fault.from(thrown));
      }
      if (this.#failures === 0) continue;
      await sleep(this.#clock, this.#pause(), signal).catch(() => undefined);
    }
  }

  async #relist(): Promise<void> {
    const begunAt = this.#clock.monotonic();
    const { items, resourceVersion } = await this.#source.list(this.#ending.signal);
    this.#ending.signal.throwIfAborted();
    const before = this.#objects;
    const now = new Map<string, T>();
    for (const item of items) {
      if (this.#lean) delete item.metadata.managedFields;
      const key = keyOf(item);
      const known = before.get(key);
      now.set(key, known !== undefined && sameVersion(known, item) ? known : item);
    }
    // Listeners may read the cache: it must already be whole, and synced, when the first of them runs.
    this.#objects = now;
    this.#array = null;
    this.#version = resourceVersion;
    this.#seen();
    this.synced = true;
    this.#resolveSynced();
    this.#listedAt = begunAt;
    for (const { since, resolve } of this.#waiting) if (since <= begunAt) resolve();
    this.#waiting = this.#waiting.filter(({ since }) => since > begunAt);
    for (const [key, item] of now) if (before.get(key) !== item) this.#emit(key, item, before.get(key));
    for (const [key, item] of before) if (!now.has(key)) this.#emit(key, undefined, item);
  }

  async #watch(): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const idle = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, idle.signal]);
    let cancelIdle: () => void = () => undefined;
    let idleCheckedAt = startedAt;
    const armIdle = (delayMs: number) => {
      cancelIdle = this.#clock.schedule(delayMs, () => {
        // Re-arming for every chunk of a busy watch would cost more than looking once in a while.
        const left = idleCheckedAt + this.#timings.idleMs - this.#clock.monotonic();
        if (left > 0) armIdle(left);
        else idle.abort(new Fault("unavailable", `no sign of life for ${Math.round(this.#timings.idleMs / 1000)} s`));
      });
    };
    armIdle(this.#timings.idleMs);
    this.#interrupt = () => idle.abort(LIST_ANEW);
    try {
      const seconds = 300 + Math.floor(Math.random() * 300);
      const body = await this.#source.watch(this.#version, seconds, signal);
      this.#seen();
      const onBytes = () => {
        idleCheckedAt = this.#clock.monotonic();
        this.#health = { ...this.#health, lastSeen: idleCheckedAt };
      };
      for await (const events of watchEvents<T>(body, onBytes)) {
        for (const { type, object } of events) {
          signal.throwIfAborted();
          this.#apply(type, object);
          this.#isGood();
        }
      }
    } catch (thrown) {
      throw idle.signal.aborted ? idle.signal.reason : thrown;
    } finally {
      cancelIdle();
      this.#interrupt = () => undefined;
    }
    // A polite end is how servers bound a watch; one that ends at once again and again is a failure all the same.
    if (this.#clock.monotonic() - startedAt < GOOD_WATCH_MS) {
      this.#failures += 1;
      return;
    }
    this.#isGood();
  }

  #isGood(): void {
    this.#failures = 0;
    this.#watchFailures = 0;
    this.#startedOver = false;
  }

  #apply(type: string, object: T & { readonly code?: number; readonly message?: string }): void {
    // Fresh from the wire: nobody else has seen it yet.
    if (this.#lean && type !== "ERROR") delete object.metadata.managedFields;
    if (type === "ERROR") {
      throw new Fault(object.code === 410 ? "gone" : "unavailable", object.message ?? "the watch reported an error", {
        context: { status: object.code ?? 0 },
      });
    }
    const key = keyOf(object);
    if (type === "DELETED") {
      const before = this.#objects.get(key);
      this.#version = object.metadata.resourceVersion ?? this.#version;
      if (before === undefined) return;
      this.#objects.delete(key);
      this.#array = null;
      this.#emit(key, undefined, before);
    } else if (type === "ADDED" || type === "MODIFIED") {
      const before = this.#objects.get(key);
      this.#version = object.metadata.resourceVersion ?? this.#version;
      if (before !== undefined && sameVersion(before, object)) return;
      this.#objects.set(key, object);
      this.#array = null;
      this.#emit(key, object, before);
    } else if (type === "BOOKMARK") {
      this.#version = object.metadata.resourceVersion ?? this.#version;
    }
  }

  #emit(key: string, now: T | undefined, before: T | undefined): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(key, now, before);
      } catch (thrown) {
        this.#log.error("listener failed", { cache: this.#name, key, error: Fault.from(thrown).message });
      }
    }
  }

  #failed(fault: Fault): void {
    this.#failures += 1;
    this.#watchFailures += 1;
    // Version too old (410) or not understood (400): a list is the way back.
    const startOver = fault.code === "gone" || fault.code === "invalid";
    if (startOver || (this.#watchFailures >= RELIST_AFTER_FAILURES && "status" in fault.context)) this.#version = "";
    if (fault.code === "gone" && !this.#startedOver) {
      // The ordinary fate of a watch that was away for long, or whose server was restarted; that server is well.
      this.#startedOver = true;
      this.#failures = 0;
      return;
    }
    if (this.#health.error !== fault.message) {
      this.#log.warn("watch interrupted", { cache: this.#name, code: fault.code, error: fault.message });
    }
    const forbidden = fault.code === "forbidden";
    this.#refused = forbidden || fault.code === "not_found" || fault.code === "unauthorized";
    this.#health = { connected: false, lastSeen: this.#health.lastSeen, error: fault.message, forbidden };
  }

  #seen(): void {
    this.#refused = false;
    this.#health = { connected: true, lastSeen: this.#clock.monotonic(), forbidden: false };
  }

  #pause(): number {
    const { baseDelayMs, maxDelayMs } = this.#timings;
    const longest = this.#refused ? Math.min(maxDelayMs, REFUSED_MAX_DELAY_MS) : maxDelayMs;
    const full = Math.min(longest, baseDelayMs * 2 ** Math.min(this.#failures - 1, 20));
    return full * (0.5 + Math.random() / 2);
  }
}

/** Why a watch is given up that is well. */
const LIST_ANEW = new Fault("unavailable", "a list was asked for");

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  const version = a.metadata.resourceVersion;
  return version !== undefined && version === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid;
}
