import type { Datagrams } from "#net/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Metrics } from "#runtime/metrics";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat.ts";
import { initialKeys, type Keyring, readingKey, renewKeys, writingKey } from "./keys.ts";
import { initialMembers, stepMembers } from "./members.ts";
import { type MembersEffect, type MembersEvent, type MembersState, type Peer, TICK_MS } from "./members-state.ts";
import { type MembershipMetrics, membershipMetrics } from "./membership-metrics.ts";

/** How often the Secret is looked at. */
const KEYS_EVERY_MS = 2000;

interface MembershipDeps {
  readonly datagrams: Datagrams;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly node: string;
  /** The port every speaker listens on. */
  readonly port: number;
  /** Keys of the heartbeats' HMAC, newest first; none: unsigned, and only taken from a node's own address. */
  readonly secrets: () => readonly Uint8Array[];
  /** Who may be elected changed; `died` are believed dead. Called synchronously. */
  readonly onChange: (died: readonly string[]) => void;
  /** Another speaker says that it announced these, which were ours. */
  readonly onTook: (addresses: readonly string[]) => void;
  /** For a while others did not hear us, or we not them: what we announce is to be said again. */
  readonly onHealed?: () => void;
}

/** Runs `stepMembers` on real time and real datagrams. */
export class Membership {
  readonly #deps: MembershipDeps;
  readonly #stopReceiving: () => void;
  readonly #counts: MembershipMetrics;
  #keys: Keyring;
  #keysReadAt: number;
  #state: MembersState;
  #cancelTick: () => void = () => undefined;
  #turn = 0;
  #closed = false;

  constructor(deps: MembershipDeps) {
    const { metrics, clock, datagrams, node } = deps;
    this.#deps = deps;
    this.#keysReadAt = clock.monotonic();
    this.#keys = initialKeys(deps.secrets(), this.#keysReadAt);
    this.#state = initialMembers(node, clock.now(), this.#keys.keys[0].id);
    this.#counts = membershipMetrics(metrics, () => ({ state: this.#state, keys: this.#keys.keys.length }));
    this.#stopReceiving = datagrams.receive((bytes, from) => this.#receive(bytes, from.address));
    this.#tick();
  }

  /** Every other speaker that was ever heard and still has a Node. */
  get peers(): readonly Peer[] {
    return this.#state.peers.values();
  }

  /** Whether the timers of this process have been running lately. */
  get running(): boolean {
    const { lastTickAt } = this.#state;
    return lastTickAt !== null && this.#deps.clock.monotonic() - lastTickAt < 5000;
  }

  setAddresses(addresses: ReadonlyMap<string, string>): void {
    this.#step({ kind: "addresses", addresses });
  }

  setSelf(ready: boolean, interfaces: readonly string[]): void {
    this.#step({ kind: "self", ready, interfaces });
  }

  /** Tells who had them, or everyone where that is not known, that we announced these addresses. */
  took(addresses: readonly string[], from: string | null): void {
    this.#step({ kind: "took", addresses, from });
  }

  /** Tells everyone to elect somebody else; goes on saying so until `close`. */
  leave(): void {
    this.#step({ kind: "leave" });
  }

  close(): void {
    this.#closed = true;
    this.#cancelTick();
    this.#stopReceiving();
  }

  #tick(): void {
    if (this.#closed) return;
    this.#renewKeys();
    this.#step({ kind: "tick" });
    this.#cancelTick = this.#deps.clock.schedule(TICK_MS, () => this.#tick());
  }

  #renewKeys(): void {
    const { clock, secrets, log } = this.#deps;
    const now = clock.monotonic();
    if (now - this.#keysReadAt < KEYS_EVERY_MS) return;
    this.#keysReadAt = now;
    const before = this.#keys;
    this.#keys = renewKeys(before, secrets(), now);
    const [{ id }] = this.#keys.keys;
    if (id === before.keys[0].id) return;
    log.info("the heartbeats' key has changed; the old one is still taken", { keys: this.#keys.keys.length });
    this.#step({ kind: "key", holds: id });
  }

  #receive(bytes: Uint8Array, from: string): void {
    const now = this.#deps.clock.monotonic();
    const beat = decodeHeartbeat(bytes, (id) => readingKey(this.#keys, id, now));
    if (typeof beat === "string") this.#counts.dropped.inc({ reason: beat });
    else if (this.#isForeign(beat.node, from)) this.#counts.dropped.inc({ reason: "forged" });
    else {
      this.#counts.received.inc();
      this.#step({ kind: "heard", beat, from });
    }
  }

  /** Where unsigned beats are read, the sender's address is all there is to check. */
  #isForeign(node: string, address: string): boolean {
    if (this.#keys.keys.every(({ key }) => key !== null)) return false;
    const expected = this.#state.addresses.get(node);
    return expected !== undefined && expected !== address;
  }

  #step(event: MembersEvent): void {
    const before = this.#state;
    const { state, effects } = stepMembers(before, event, this.#deps.clock.monotonic());
    this.#state = state;
    // Who never said which keys it holds gets the next one each time.
    if (effects.some((effect) => effect.kind === "send" && effect.holds === undefined)) this.#turn += 1;
    for (const effect of effects) this.#do(effect, before);
  }

  #do(effect: MembersEffect, before: MembersState): void {
    const { datagrams, port, log, onChange, onTook, onHealed } = this.#deps;
    switch (effect.kind) {
      case "send": {
        const { id, key } = writingKey(this.#keys, effect.holds, this.#turn);
        const bytes = encodeHeartbeat(effect.beat, key, id);
        this.#counts.sent.inc();
        this.#counts.sentBytes.inc({}, bytes.length);
        datagrams.send(bytes, effect.to, port);
        return;
      }
      case "dropped":
        this.#counts.dropped.inc({ reason: effect.reason });
        return;
      case "took":
        onTook(effect.addresses);
        return;
      case "healed":
        log.info("members that did not hear each other do again");
        onHealed?.();
        return;
      case "changed":
        for (const member of effect.died) {
          this.#counts.deaths.inc();
          log.warn("member is dead", { member, lagMs: Math.round(this.#state.lagMs) });
        }
        logNews(before, this.#state, log);
        onChange(effect.died);
    }
  }
}

function logNews(before: MembersState, now: MembersState, log: Log): void {
  for (const peer of now.peers.values()) {
    const member = peer.node;
    const old = before.peers.get(member);
    if (peer.leaving && old?.leaving !== true) log.info("member leaves", { member });
    else if (peer.alive && old?.alive !== true) log.info("member heard", { member, ready: peer.ready });
    else if (peer.alive && peer.ready !== old?.ready) log.info("member changed", { member, ready: peer.ready });
  }
}
