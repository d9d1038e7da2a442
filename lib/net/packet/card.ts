import { macOctets } from "#core/mac";
import type { ResponderCard } from "#core/responder";
import { sys } from "./ffi.ts";
import { Groups } from "./groups.ts";
import { ETHERTYPE } from "./layouts.ts";
import type { KnownLink } from "./link-table.ts";
import type { Loop } from "./loop.ts";
import { attachFilter, openPacketSocket, type Reader, readWhole, takeOverruns } from "./socket.ts";

/** Ethernet frames of neighbours are short; what is longer is cut, and then malformed or none of ours. */
const FRAME_OCTETS = 2048;

export interface CardFilters {
  readonly arp: Uint8Array;
  readonly ndp: Uint8Array;
}

/** The sockets of one interface. */
export class PacketCard implements ResponderCard {
  readonly index: number;
  readonly name: string;
  readonly #arp: number;
  readonly #ndp: number;
  readonly #readers: readonly Reader[];
  readonly #groups: Groups;
  #mac: Uint8Array;

  /** Throws SystemFailure, with nothing left open. */
  constructor(
    link: KnownLink,
    options: {
      readonly loop: Loop;
      readonly filters: CardFilters;
      readonly onFrame: (card: PacketCard, frame: Uint8Array, length: number) => void;
      readonly onError: (card: PacketCard, errno: number) => void;
    },
  ) {
    this.index = link.index;
    this.name = link.name;
    this.#mac = macOctets(link.mac);
    this.#arp = openPacketSocket(ETHERTYPE.arp, link.index, options.filters.arp);
    try {
      this.#ndp = openPacketSocket(ETHERTYPE.ipv6, link.index, options.filters.ndp);
    } catch (failure) {
      sys.close(this.#arp);
      throw failure;
    }
    const reading = {
      size: FRAME_OCTETS,
      onData: (frame: Uint8Array, length: number) => options.onFrame(this, frame, length),
      onError: (code: number) => options.onError(this, code),
    };
    this.#readers = [readWhole(options.loop, this.#arp, reading), readWhole(options.loop, this.#ndp, reading)];
    this.#groups = new Groups(link.index);
  }

  get mac(): Uint8Array {
    return this.#mac;
  }

  setMac(mac: string): void {
    this.#mac = macOctets(mac);
  }

  /** What cannot be sent is lost, as on a wire. */
  send(frame: Uint8Array): void {
    // By the socket of its ethertype: the kernel takes the frame's protocol from there.
    sys.send(frame[12] === 0x86 ? this.#ndp : this.#arp, frame, frame.byteLength, 0);
  }

  /** Throws SystemFailure. */
  setFilters(filters: CardFilters): void {
    attachFilter(this.#arp, filters.arp);
    attachFilter(this.#ndp, filters.ndp);
  }

  /** Returns the error of a group that could not be joined, or 0. */
  setGroups(groups: ReadonlyMap<string, Uint8Array>): number {
    return this.#groups.set(groups);
  }

  /** Frames that were lost since the last call because we were too slow. */
  takeOverruns(): number {
    return takeOverruns(this.#arp) + takeOverruns(this.#ndp);
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#groups.close();
  }
}
