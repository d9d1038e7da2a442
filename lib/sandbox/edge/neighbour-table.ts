import { type ArpPacket, arpRequest, decideArp, decodeArp } from "#core/arp";
import { decodeNdp, linkLocal, type NdpPacket, neighbourSolicitation } from "#core/ndp";
import type { Clock } from "#net/host";
import {
  NEIGHBOUR_TIMING,
  type Neighbour,
  type NeighbourEffect,
  type NeighbourEvent,
  type NeighbourState,
  newNeighbour,
  stepNeighbour,
  usableMac,
} from "./neighbour.ts";

/** The edge's card: see `LanPort` in lib/sandbox/lan. */
export interface EthernetPort {
  readonly mac: string;
  send(frame: Uint8Array): void;
  onFrame(listener: (frame: Uint8Array) => void): () => void;
}

export interface NeighbourRow {
  readonly address: string;
  readonly mac: string | null;
  readonly state: NeighbourState;
  /** RFC 3339; when MAC or state last changed. */
  readonly updatedAt: string;
}

type Waiter = (mac: string | null) => void;

/** Connections and datagrams that may wait for one address; more are lost, as with unres_qlen. */
const WAITING_MAX = 512;
const ENTRIES_MAX = 4_096;

interface Slot {
  entry: Neighbour;
  changedAt: number;
  waiters: Waiter[];
  stopTimer: (() => void) | null;
}

/** The neighbours of the edge, by ARP and NDP: entries by address, driven by the pure state machine, on a real (virtual) wire. */
export class NeighbourTable {
  readonly #port: EthernetPort;
  readonly #address: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #slots = new Map<string, Slot>();
  readonly #listeners = new Set<() => void>();
  readonly #stopFrames: () => void;

  constructor(options: {
    readonly port: EthernetPort;
    /** The edge's own address on the LAN. */
    readonly address: string;
    readonly clock: Clock;
    /** Uniform in [0, 1): spreads the reachable time. */
    random(): number;
  }) {
    this.#port = options.port;
    this.#address = options.address;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#stopFrames = options.port.onFrame((frame) => this.#receive(frame));
  }

  /** The MAC for a packet sent now, or null when it must `wait` (the question is on the wire then). */
  use(address: string): string | null {
    const slot = this.#slots.get(address);
    if (slot !== undefined) this.#step(address, slot, { kind: "use" });
    else this.#create(address);
    const entry = this.#slots.get(address)?.entry;
    return entry === undefined ? null : usableMac(entry);
  }

  /**
   * Calls back once, with the MAC or with null when nobody answered (at most
   * 3 s later). False when too many wait already: the packet is lost.
   */
  wait(address: string, waiter: Waiter): boolean {
    const slot = this.#slots.get(address);
    if (slot === undefined || slot.waiters.length >= WAITING_MAX) return false;
    slot.waiters.push(waiter);
    return true;
  }

  /** The address's neighbour answered on a higher layer. */
  confirm(address: string): void {
    const slot = this.#slots.get(address);
    if (slot !== undefined) this.#step(address, slot, { kind: "confirm" });
  }

  /** Drops the entry; who waits is told that it failed. */
  forget(address: string): void {
    const slot = this.#slots.get(address);
    if (slot === undefined) return;
    slot.stopTimer?.();
    this.#slots.delete(address);
    this.#changed();
    for (const waiter of slot.waiters.splice(0)) waiter(null);
  }

  /** Sorted by address text. */
  rows(): readonly NeighbourRow[] {
    return [...this.#slots]
      .map(([address, { entry, changedAt }]) => ({
        address,
        mac: entry.mac,
        state: entry.state,
        updatedAt: new Date(changedAt).toISOString(),
      }))
      .sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stopFrames();
    this.#listeners.clear();
    for (const address of [...this.#slots.keys()]) this.forget(address);
  }

  #create(address: string): void {
    if (this.#slots.size >= ENTRIES_MAX) return;
    const reachableMs = NEIGHBOUR_TIMING.baseReachableMs * (0.5 + this.#random());
    const { entry, effects } = newNeighbour(this.#clock.monotonic(), reachableMs);
    const slot: Slot = { entry, changedAt: this.#clock.now(), waiters: [], stopTimer: null };
    this.#slots.set(address, slot);
    this.#arm(address, slot);
    this.#apply(address, slot, effects);
    this.#changed();
  }

  #step(address: string, slot: Slot, event: NeighbourEvent): void {
    const before = slot.entry;
    const { entry, effects } = stepNeighbour(before, event, this.#clock.monotonic());
    slot.entry = entry;
    if (entry.timerAt !== before.timerAt || event.kind === "timer") this.#arm(address, slot);
    const changed = entry.state !== before.state || entry.mac !== before.mac;
    if (changed) slot.changedAt = this.#clock.now();
    this.#apply(address, slot, effects);
    if (changed) this.#changed();
  }

  #apply(address: string, slot: Slot, effects: readonly NeighbourEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "ask") this.#ask(address, effect.mac);
      else {
        const mac = effect.kind === "resolved" ? effect.mac : null;
        for (const waiter of slot.waiters.splice(0)) waiter(mac);
      }
    }
  }

  #ask(address: string, mac: string | null): void {
    if (address.includes(":")) {
      const question = { senderMac: this.#port.mac, source: linkLocal(this.#port.mac), target: address };
      this.#port.send(neighbourSolicitation(mac === null ? question : { ...question, targetMac: mac }));
      return;
    }
    const question = { senderMac: this.#port.mac, senderIp: this.#address, targetIp: address };
    this.#port.send(arpRequest(mac === null ? question : { ...question, targetMac: mac }));
  }

  #arm(address: string, slot: Slot): void {
    slot.stopTimer?.();
    slot.stopTimer = null;
    if (slot.entry.timerAt === null) return;
    const delayMs = Math.max(0, slot.entry.timerAt - this.#clock.monotonic());
    // Timers may fire a fraction early; one millisecond more keeps `now < timerAt` from being true then.
    slot.stopTimer = this.#clock.schedule(delayMs + 1, () => {
      slot.stopTimer = null;
      if (this.#slots.get(address) === slot) this.#step(address, slot, { kind: "timer" });
    });
  }

  #receive(frame: Uint8Array): void {
    const packet = decodeArp(frame);
    if (packet === "not_arp") this.#advertised(decodeNdp(frame));
    if (packet === "not_arp" || packet === "malformed") return;
    const slot = this.#slots.get(packet.senderIp);
    if (slot !== undefined)
      this.#step(packet.senderIp, slot, { kind: heardAs(packet, this.#port.mac), mac: packet.senderMac });
    if (packet.operation !== 1) return;
    const decision = decideArp(packet, {
      mac: this.#port.mac,
      holds: (ip) => (ip === this.#address ? "yes" : "no"),
    });
    if (decision.kind === "answer") this.#port.send(decision.frame);
  }

  #advertised(packet: NdpPacket | "not_ndp" | "malformed"): void {
    if (typeof packet === "string" || packet.kind !== "advertisement") return;
    const slot = this.#slots.get(packet.target);
    const mac = packet.linkLayer ?? packet.ethernetSource;
    if (slot !== undefined) this.#step(packet.target, slot, { kind: advertisedAs(packet), mac });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** As `arp_process` tells them apart; a gratuitous *reply* counts only when its target MAC is its sender's. */
function heardAs(packet: ArpPacket, ownMac: string): "reply" | "heard" | "gratuitous" {
  const toItself = packet.senderIp === packet.targetIp;
  if (toItself && (packet.operation === 1 || packet.targetMac === packet.senderMac)) return "gratuitous";
  return packet.operation === 2 && packet.ethernetDestination === ownMac ? "reply" : "heard";
}

/** RFC 4861 §7.2.5: an answer to our question; a new owner that announces itself; or a word that overrides nothing. */
function advertisedAs({ solicited, override }: NdpPacket): "reply" | "heard" | "gratuitous" {
  if (solicited) return "reply";
  return override ? "gratuitous" : "heard";
}
