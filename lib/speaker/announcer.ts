import { tryParseAddress } from "#core/address";
import { decideArp, decodeArp, gratuitousArp } from "#core/arp";
import type { DropReason } from "#core/reasons";
import type { Link } from "#net/port";
import type { Clock } from "#runtime/clock";
import type { Counter, Metrics } from "#runtime/metrics";
import { usableInterfaces } from "./interfaces.ts";

/** Linux ignores an update of a neighbour entry within a second of the last one (metallb.md 6.4). */
const REPEAT_MS = 1100;
const REPEAT_FOR_MS = 5000;
/** How long a node that lost an address goes on answering for it, at most, until its successor is heard. */
const HAND_OVER_MS = 1000;
/** Somebody else announced what is ours: say so again, but never in a duel. */
const DEFEND_AFTER_MS = 200;
const DEFEND_EVERY_MS = 10_000;

interface Held {
  /** Names of the interfaces allowed; null means all. */
  readonly interfaces: readonly string[] | null;
  readonly repeatUntil: number;
  /** Monotonic ms of the last announcement of this address by another machine. */
  readonly foreignAt: number | null;
  readonly defendedAt: number | null;
  /** Set while the address is being handed over: answered, no longer announced. */
  readonly leaving: (() => void) | null;
}

/**
 * Makes addresses ours on the wire: announces them unasked when they are won,
 * answers for them while they are held, and is silent about losing them.
 * IPv6 addresses are held but not yet spoken for (NDP comes with issue D).
 */
export class Announcer {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #gratuitous: Counter;
  readonly #dropped: Counter;
  readonly #stops: ReadonlyArray<() => void>;
  #macs: ReadonlyMap<string, string> = new Map();
  #cancelRepeat: (() => void) | null = null;
  #closed = false;

  constructor(deps: { readonly link: Link; readonly clock: Clock; readonly metrics: Metrics }) {
    const { link, clock, metrics } = deps;
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
      "Number of ARP frames that were not answered, by reason.",
    );
    this.#stops = [link.frames((frame, name) => this.#receive(frame, name)), link.onInfo(() => this.#relink())];
    this.#macs = this.#usable();
  }

  /** Starts to hold an address (canonical text), or changes the interfaces it is held on. Idempotent. */
  hold(ip: string, interfaces: readonly string[] | null): void {
    const before = this.#held.get(ip);
    if (before !== undefined && before.leaving === null && sameNames(before.interfaces, interfaces)) return;
    before?.leaving?.();
    this.#held.set(ip, {
      interfaces,
      repeatUntil: this.#clock.monotonic() + REPEAT_FOR_MS,
      foreignAt: before?.foreignAt ?? null,
      defendedAt: before?.defendedAt ?? null,
      leaving: null,
    });
    this.#announce(ip);
    this.#repeatLater();
  }

  /** Stops at once. */
  drop(ip: string): void {
    this.#held.get(ip)?.leaving?.();
    this.#held.delete(ip);
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
      this.#held.delete(ip);
      return;
    }
    const cancel = this.#clock.schedule(HAND_OVER_MS, () => this.#held.delete(ip));
    this.#held.set(ip, { ...held, repeatUntil: now, leaving: cancel });
  }

  /** Addresses answered for, those being handed over included. */
  get answering(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Addresses held and not being handed over. */
  get holding(): readonly string[] {
    return [...this.#held].filter(([, { leaving }]) => leaving === null).map(([ip]) => ip);
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
    for (const { leaving } of this.#held.values()) leaving?.();
    this.#held.clear();
    this.#cancelRepeat?.();
  }

  #receive(frame: Uint8Array, name: string): void {
    if (this.#closed || this.#held.size === 0) return;
    const mac = this.#macs.get(name);
    if (mac === undefined) return;
    const packet = decodeArp(frame);
    if (packet === "not_arp") return;
    if (packet === "malformed") {
      this.#dropped.inc({ reason: "malformed" });
      return;
    }
    if (packet.ethernetSource === mac || packet.senderMac === mac) return;
    if (this.#held.has(packet.senderIp)) this.#foreign(packet.senderIp, name);
    const decision = decideArp(packet, { mac, holds: (ip) => this.holds(ip, name) });
    if (decision.kind === "drop") {
      this.#count(decision.reason);
      return;
    }
    this.#requests.inc({ ip: packet.targetIp });
    this.#link.send(name, decision.frame);
    this.#responses.inc({ ip: packet.targetIp });
  }

  /** Most of the wire's requests are for others: counting those would only cost. */
  #count(reason: DropReason): void {
    if (reason !== "not_announced" && reason !== "arp_reply") this.#dropped.inc({ reason });
  }

  /** Another machine says it has an address that we hold. */
  #foreign(ip: string, name: string): void {
    const held = this.#held.get(ip);
    if (held === undefined || this.holds(ip, name) !== "yes") return;
    if (held.leaving !== null) {
      this.drop(ip);
      return;
    }
    const now = this.#clock.monotonic();
    const defend = held.defendedAt === null || now - held.defendedAt >= DEFEND_EVERY_MS;
    this.#held.set(ip, { ...held, foreignAt: now, defendedAt: defend ? now : held.defendedAt });
    if (!defend) return;
    // By then a planned move has taken the address from us, and there is nothing to defend.
    this.#clock.schedule(DEFEND_AFTER_MS, () => {
      const current = this.#held.get(ip);
      if (this.#closed || current === undefined || current.leaving !== null) return;
      this.#held.set(ip, { ...current, repeatUntil: this.#clock.monotonic() + REPEAT_FOR_MS });
      this.#announce(ip);
      this.#repeatLater();
    });
  }

  #announce(ip: string, only?: ReadonlySet<string>): void {
    if (tryParseAddress(ip)?.family !== 4) return;
    for (const [name, mac] of this.#macs) {
      if (this.holds(ip, name) !== "yes" || (only !== undefined && !only.has(name))) continue;
      for (const frame of gratuitousArp(mac, ip)) this.#link.send(name, frame);
      this.#gratuitous.inc({ ip }, 2);
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
