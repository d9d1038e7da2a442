import type { Datagrams } from "#net/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Counter, Metrics } from "#runtime/metrics";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat.ts";
import { initialMembers, type MembersEvent, type MembersState, type Peer, stepMembers, TICK_MS } from "./members.ts";

export interface MembershipDeps {
  readonly datagrams: Datagrams;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly node: string;
  /** The port every speaker listens on. */
  readonly port: number;
  /** Key of the heartbeats' HMAC; null: unsigned, and only taken from a node's own address. */
  readonly secret: Uint8Array | null;
  /** Who may be elected changed; `died` fell silent. Called synchronously. */
  readonly onChange: (died: readonly string[]) => void;
}

/** Runs `stepMembers` on real time and real datagrams. */
export class Membership {
  readonly #deps: MembershipDeps;
  readonly #stopReceiving: () => void;
  readonly #dropped: Counter;
  #state: MembersState;
  #cancelTick: () => void = () => undefined;
  #closed = false;

  constructor(deps: MembershipDeps) {
    const { metrics, clock, datagrams, node } = deps;
    this.#deps = deps;
    this.#state = initialMembers(node, clock.now());
    this.#dropped = metrics.counter(
      "berth_speaker_heartbeats_dropped_total",
      "Datagrams not taken for a heartbeat, by reason.",
    );
    const received = metrics.counter("berth_speaker_heartbeats_received_total", "Heartbeats received.");
    const members = metrics.gauge("berth_speaker_members", "Speakers alive, this one included.");
    const lag = metrics.gauge("berth_speaker_loop_lag_seconds", "Recent worst lateness of this process's own timers.");
    metrics.onRender(() => {
      members.set({}, 1 + [...this.#state.peers.values()].filter(({ alive }) => alive).length);
      lag.set({}, this.#state.lagMs / 1000);
    });
    this.#stopReceiving = datagrams.receive((bytes, from) => {
      const beat = decodeHeartbeat(bytes, deps.secret);
      const refusal = typeof beat === "string" ? beat : this.#refusal(beat.node, from.address);
      if (refusal !== null || typeof beat === "string") this.#dropped.inc({ reason: refusal ?? "malformed" });
      else {
        received.inc();
        this.#step({ kind: "heard", beat });
      }
    });
    this.#tick();
  }

  /** Every other speaker that was ever heard and still has a Node. */
  get peers(): readonly Peer[] {
    return [...this.#state.peers.values()];
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
    this.#step({ kind: "tick" });
    this.#cancelTick = this.#deps.clock.schedule(TICK_MS, () => this.#tick());
  }

  /** Without a secret the sender's address is all there is to check. */
  #refusal(node: string, address: string): "forged" | null {
    if (this.#deps.secret !== null) return null;
    const expected = this.#state.addresses.get(node);
    return expected === undefined || expected === address ? null : "forged";
  }

  #step(event: MembersEvent): void {
    const { clock, datagrams, port, secret, log, onChange } = this.#deps;
    const before = this.#state;
    const { state, effects } = stepMembers(before, event, clock.monotonic());
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === "send") {
        const bytes = encodeHeartbeat(effect.beat, secret);
        for (const address of effect.to) datagrams.send(bytes, address, port);
      } else if (effect.kind === "dropped") this.#dropped.inc({ reason: effect.reason });
      else {
        for (const node of effect.died)
          log.warn("member fell silent", { member: node, lagMs: Math.round(state.lagMs) });
        logNews(before, state, log);
        onChange(effect.died);
      }
    }
  }
}

function logNews(before: MembersState, now: MembersState, log: Log): void {
  for (const [member, peer] of now.peers) {
    const old = before.peers.get(member);
    if (peer.leaving && old?.leaving !== true) log.info("member leaves", { member });
    else if (peer.alive && old?.alive !== true) log.info("member heard", { member, ready: peer.ready });
    else if (peer.alive && peer.ready !== old?.ready) log.info("member changed", { member, ready: peer.ready });
  }
}
