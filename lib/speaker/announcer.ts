import { tryParseAddress } from "#core/address";
import { gratuitousArp } from "#core/arp";
import { isGroupFrame } from "#core/mac";
import { unsolicitedAdvertisement } from "#core/ndp";
import { claimIn } from "#core/who-has";
import type { Link } from "#net/port";
import type { Clock } from "#runtime/clock";
import type { Counter, Metrics } from "#runtime/metrics";
import { usableInterfaces } from "./interfaces.ts";

/** Linux ignores an update of a neighbour entry within a second of the last one (metallb.md 6.4). */
const REPEAT_MS = 1100;
const REPEAT_FOR_MS = 5000;
/** How long a node that lost an address goes on answering for it, at most, until its successor is heard. */
export const HAND_OVER_MS = 1000;
/** Somebody else announced what is ours: say so again, but never in a duel. */
const DEFEND_AFTER_MS = 200;
const DEFEND_EVERY_MS = 10_000;

interface Held {
  /** Names of the interfaces allowed; null means all. */
  readonly interfaces: readonly string[] | null;
  /** Monotonic ms; taken back while it was being handed over, it counts anew. */
  readonly since: number;
  readonly repeatUntil: number;
  /** Monotonic ms of the last announcement of this address by another machine. */
  readonly foreignAt: number | null;
  /** Monotonic ms of the last answer to that, or of the next one, which is still to come. */
  readonly defendedAt: number | null;
  /** Set while the address is being handed over: answered, no longer announced. */
  readonly leaving: (() => void) | null;
}

/**
 * Makes addresses ours on the wire: announces them unasked when they are won,
 * has the link answer for them while they are held, and is silent about losing them.
 */
export class Announcer {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #onForeign: (ip: string, mac: string) => void;
  readonly #held = new Map<string, Held>();
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #gratuitous: Counter;
  readonly #dropped: Counter;
  readonly #stops: ReadonlyArray<() => void>;
  #macs: ReadonlyMap<string, string> = new Map();
  #cancelRepeat: (() => void) | null = null;
  #closed = false;

  /** `onForeign`: another machine says that it has an address which is ours to announce. */
  constructor(deps: {
    readonly link: Link;
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly onForeign?: (ip: string, mac: string) => void;
  }) {
    const { link, clock, metrics } = deps;
    this.#onForeign = deps.onForeign ?? (() => undefined);
    this.#link = link;
    this.#clock = clock;
    this.#requests = metrics.counter(
      "metallb_layer2_requests_received",
      "Number of layer2 requests received for owned IPs.",
    );
    this.#responses = metrics.counter(
      "metallb_layer2_responses_sent",
      "Number of layer2 responses sent for owned IPs in response to requests.",
    );
    this.#gratuitous = metrics.counter(
      "metallb_layer2_gratuitous_sent",
      "Number of gratuitous layer2 packets sent for owned IPs as a result of failovers.",
    );
    this.#dropped = metrics.counter(
      "berth_layer2_dropped_total",
      "Number of ARP and NDP frames that were not answered, by reason.",
    );
    this.#stops = [link.frames((frame, name) => this.#receive(frame, name)), link.onInfo(() => this.#relink())];
    this.#macs = this.#usable();
    metrics.onRender(() => this.#count());
  }

  /** Starts to hold an address (canonical text), or changes the interfaces it is held on. Idempotent. */
  hold(ip: string, interfaces: readonly string[] | null): void {
    const before = this.#held.get(ip);
    if (before !== undefined && before.leaving === null && sameNames(before.interfaces, interfaces)) return;
    before?.leaving?.();
    const now = this.#clock.monotonic();
    this.#held.set(ip, {
      interfaces,
      since: before?.leaving === null ? before.since : now,
      repeatUntil: now + REPEAT_FOR_MS,
      foreignAt: before?.foreignAt ?? null,
      defendedAt: before?.defendedAt ?? null,
      leaving: null,
    });
    this.#link.answer(ip, interfaces);
    this.#announce(ip);
    this.#repeatLater();
  }

  /** Stops at once. */
  drop(ip: string): void {
    this.#held.get(ip)?.leaving?.();
    this.#held.delete(ip);
    this.#link.silence(ip);
  }

  /**
   * Stops announcing, and answering as soon as the successor was heard on the
   * wire or a second has passed: nobody who asks meanwhile goes without an answer.
   */
  handOver(ip: string): void {
    const held = this.#held.get(ip);
    if (held === undefined || held.leaving !== null) return;
    const now = this.#clock.monotonic();
    if (held.foreignAt !== null && now - held.foreignAt < HAND_OVER_MS) {
      this.drop(ip);
      return;
    }
    const cancel = this.#clock.schedule(HAND_OVER_MS, () => this.drop(ip));
    this.#held.set(ip, { ...held, repeatUntil: now, leaving: cancel });
  }

  /** Its successor says that it has announced an address: nobody needs our answers any more, once it is not ours. */
  succeeded(ip: string): void {
    const held = this.#held.get(ip);
    if (held === undefined) return;
    if (held.leaving !== null) this.drop(ip);
    else this.#held.set(ip, { ...held, foreignAt: this.#clock.monotonic() });
  }

  /**
   * Announces everything held as if it had just been won: somebody else may have
   * announced it, and neighbours still believe them. Calls that come together cost one announcement.
   */
  sayAgain(): void {
    const now = this.#clock.monotonic();
    for (const [ip, held] of this.#held) {
      if (held.leaving !== null) continue;
      const isRepeating = held.repeatUntil >= now;
      this.#held.set(ip, { ...held, repeatUntil: now + REPEAT_FOR_MS });
      if (!isRepeating) this.#announce(ip);
    }
    this.#repeatLater();
  }

  /** Addresses answered for, those being handed over included. */
  get answering(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Addresses held and not being handed over. */
  get holding(): readonly string[] {
    return [...this.#held].filter(([, { leaving }]) => leaving === null).map(([ip]) => ip);
  }

  /** Monotonic ms since when an address is held; null when it is not, or is being handed over. */
  heldSince(ip: string): number | null {
    const held = this.#held.get(ip);
    return held === undefined || held.leaving !== null ? null : held.since;
  }

  /** Whether a request for `ip` that comes in on that interface is ours to answer. */
  holds(ip: string, interfaceName: string): "yes" | "no" | "other_interface" {
    const held = this.#held.get(ip);
    if (held === undefined) return "no";
    return held.interfaces === null || held.interfaces.includes(interfaceName) ? "yes" : "other_interface";
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const ip of [...this.#held.keys()]) this.drop(ip);
    this.#cancelRepeat?.();
  }

  #receive(frame: Uint8Array, name: string): void {
    if (this.#closed || this.#held.size === 0) return;
    const claim = claimIn(frame);
    if (claim === null || claim.mac === this.#macs.get(name)) return;
    if (this.#held.get(claim.ip)?.leaving === null && this.holds(claim.ip, name) === "yes") {
      this.#onForeign(claim.ip, claim.mac);
    }
    // What answers a question of ours is heard by nobody else: there is nothing to correct, and no successor announced.
    if (isGroupFrame(frame)) this.#foreign(claim.ip, name);
  }

  /** What the link did since the last time; each request for an address of ours was answered. */
  #count(): void {
    const { answered, dropped } = this.#link.takeCounts();
    for (const [ip, count] of answered) {
      this.#requests.inc({ ip }, count);
      this.#responses.inc({ ip }, count);
    }
    for (const [reason, count] of dropped) this.#dropped.inc({ reason }, count);
  }

  /** Another machine tells everybody that it has an address which we hold. */
  #foreign(ip: string, name: string): void {
    const held = this.#held.get(ip);
    if (held === undefined || this.holds(ip, name) !== "yes") return;
    if (held.leaving !== null) {
      this.drop(ip);
      return;
    }
    const now = this.#clock.monotonic();
    if (held.defendedAt !== null && held.defendedAt > now) {
      this.#held.set(ip, { ...held, foreignAt: now });
      return;
    }
    // Late rather than never: the other may have fallen silent, and neighbours still believe it.
    const at = Math.max(now + DEFEND_AFTER_MS, (held.defendedAt ?? Number.NEGATIVE_INFINITY) + DEFEND_EVERY_MS);
    this.#held.set(ip, { ...held, foreignAt: now, defendedAt: at });
    // By then a planned move has taken the address from us, and there is nothing to defend.
    this.#clock.schedule(at - now, () => {
      const current = this.#held.get(ip);
      if (this.#closed || current === undefined || current.leaving !== null) return;
      this.#held.set(ip, { ...current, repeatUntil: this.#clock.monotonic() + REPEAT_FOR_MS });
      this.#announce(ip);
      this.#repeatLater();
    });
  }

  #announce(ip: string, only?: ReadonlySet<string>): void {
    const isV4 = tryParseAddress(ip)?.family === 4;
    for (const [name, mac] of this.#macs) {
      if (this.holds(ip, name) !== "yes" || (only !== undefined && !only.has(name))) continue;
      const frames = isV4 ? gratuitousArp(mac, ip) : [unsolicitedAdvertisement(mac, ip)];
      for (const frame of frames) this.#link.send(name, frame);
      this.#gratuitous.inc({ ip }, frames.length);
    }
  }

  #repeatLater(): void {
    if (this.#cancelRepeat !== null || this.#closed) return;
    this.#cancelRepeat = this.#clock.schedule(REPEAT_MS, () => {
      this.#cancelRepeat = null;
      const now = this.#clock.monotonic();
      let more = false;
      for (const [ip, { repeatUntil, leaving }] of this.#held) {
        if (leaving !== null || repeatUntil < now) continue;
        this.#announce(ip);
        more = true;
      }
      if (more) this.#repeatLater();
    });
  }

  /** An interface that came up, or changed its MAC, needs the neighbours told again. */
  #relink(): void {
    if (this.#closed) return;
    const before = this.#macs;
    this.#macs = this.#usable();
    const fresh = new Set([...this.#macs].filter(([name, mac]) => before.get(name) !== mac).map(([name]) => name));
    if (fresh.size === 0) return;
    const repeatUntil = this.#clock.monotonic() + REPEAT_FOR_MS;
    for (const [ip, held] of this.#held) {
      if (held.leaving !== null) continue;
      this.#held.set(ip, { ...held, repeatUntil });
      this.#announce(ip, fresh);
    }
    this.#repeatLater();
  }

  #usable(): ReadonlyMap<string, string> {
    return new Map(usableInterfaces(this.#link.info()).map(({ name, mac }) => [name, mac]));
  }
}

function sameNames(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
