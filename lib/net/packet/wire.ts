import { addressOctets, parseAddress } from "#core/address";
import { solicitedNodeGroup } from "#core/ndp";
import { long } from "#core/octets";
import { Responder } from "#core/responder";
import type { LinkInfo } from "../port.ts";
import { type CardFilters, PacketCard } from "./card.ts";
import { arpFilter, ndpFilter } from "./filter.ts";
import { Interfaces } from "./interfaces.ts";
import { ERRNO } from "./layouts.ts";
import type { KnownLink } from "./link-table.ts";
import type { Loop } from "./loop.ts";
import type { WireCommand, WireReport, WireSettings } from "./messages.ts";
import { SystemFailure } from "./socket.ts";

const COUNTS_EVERY_MS = 250;
/** Frames of others that are passed on in such a time: enough for any segment, and no flood for the main thread. */
const FOREIGN_MAX = 500;
const OPEN_AGAIN_MS = 1000;

/** What the thread of the packet link does: owns every socket, answers by itself, and reports. */
export class Wire {
  readonly #loop: Loop;
  readonly #report: (report: WireReport) => void;
  readonly #responder = new Responder();
  readonly #interfaces: Interfaces;
  readonly #cards = new Map<number, PacketCard>();
  /** Solicited-node groups of the addresses held. */
  #groups: ReadonlyMap<string, Uint8Array> = new Map();
  #filters: CardFilters = { arp: arpFilter(NOTHING), ndp: ndpFilter(NOTHING) };
  #links: readonly KnownLink[] = [];
  #said = "";
  #stale = false;
  #counting = false;
  #foreign: { name: string; frame: Uint8Array }[] = [];
  #passed = 0;
  #retrying = false;
  #closed = false;
  readonly #warned = new Set<string>();

  /** Throws SystemFailure when packet or netlink sockets cannot be had. */
  constructor(loop: Loop, settings: WireSettings, report: (report: WireReport) => void) {
    this.#loop = loop;
    this.#report = report;
    this.#interfaces = new Interfaces(loop, compiled(settings.exclude), (links) => this.#relink(links));
  }

  command(command: WireCommand): void {
    switch (command.kind) {
      case "answer":
        this.#responder.hold(command.address, command.interfaces);
        this.#later();
        break;
      case "silence":
        this.#responder.release(command.address);
        this.#later();
        break;
      case "attend":
        for (const address of command.addresses) this.#responder.watch(address);
        this.#later();
        break;
      case "ignore":
        for (const address of command.addresses) this.#responder.unwatch(address);
        this.#later();
        break;
      case "exclude":
        this.#interfaces.exclude(compiled(command.patterns));
        break;
      case "send":
        // What is announced must be answered for before anybody hears of it.
        this.#refresh();
        for (const card of this.#cards.values()) if (card.name === command.name) card.send(command.frame);
        break;
      case "close":
        this.#close();
        break;
    }
  }

  #close(): void {
    this.#closed = true;
    // The descriptors are not Node's: ending the thread would leave them open.
    for (const card of this.#cards.values()) card.close();
    this.#cards.clear();
    this.#interfaces.close();
    this.#loop.stop();
  }

  #receive(card: PacketCard, frame: Uint8Array, length: number): void {
    if (this.#responder.respond(frame, length, card) === "answered") card.send(this.#responder.reply);
    if (this.#responder.foreign) this.#pass(card.name, frame.slice(0, length));
    if (!this.#counting) this.#countLater();
  }

  #pass(name: string, frame: Uint8Array): void {
    if (this.#passed >= FOREIGN_MAX) return;
    this.#passed += 1;
    this.#foreign.push({ name, frame });
    if (this.#foreign.length > 1) return;
    this.#loop.soon(() => {
      this.#report({ kind: "frames", frames: this.#foreign });
      this.#foreign = [];
    });
  }

  #countLater(): void {
    this.#counting = true;
    this.#loop.after(COUNTS_EVERY_MS, () => {
      this.#counting = false;
      this.#passed = 0;
      if (this.#closed) return;
      let overruns = 0;
      for (const card of this.#cards.values()) overruns += card.takeOverruns();
      const counts = this.#responder.takeCounts();
      const dropped = new Map(counts.dropped);
      if (overruns > 0) dropped.set("receive_queue_full", overruns);
      this.#report({ kind: "counts", counts: { answered: counts.answered, dropped } });
    });
  }

  /** Many commands that come together make one change of filters. */
  #later(): void {
    if (this.#stale) return;
    this.#stale = true;
    this.#loop.soon(() => this.#refresh());
  }

  #refresh(): void {
    if (this.#closed || !this.#stale) return;
    this.#stale = false;
    const entries = this.#responder.addresses();
    const interest = (family: 4 | 6, held: boolean) =>
      entries
        .filter((entry) => entry.held === held && entry.octets.length === (family === 4 ? 4 : 16))
        .map(({ octets }) => long(octets, octets.length - 4));
    this.#filters = {
      arp: arpFilter({ held: interest(4, true), watched: interest(4, false) }),
      ndp: ndpFilter({ held: interest(6, true), watched: interest(6, false) }),
    };
    this.#groups = new Map(
      entries
        .filter(({ held, octets }) => held && octets.length === 16)
        .map(({ address }) => solicitedNodeGroup(address))
        .map((group) => [group, addressOctets(parseAddress(group))]),
    );
    for (const card of this.#cards.values()) {
      this.#guard(card.name, () => card.setFilters(this.#filters));
      this.#join(card);
    }
  }

  #join(card: PacketCard): void {
    const failure = card.setGroups(this.#groups);
    if (failure !== 0) this.#warn("cannot join a multicast group", { interface: card.name, errno: failure });
  }

  #relink(links: readonly KnownLink[]): void {
    if (this.#closed) return;
    this.#links = links;
    const wanted = new Map(
      links.filter(({ up, skipped }) => up && skipped === undefined).map((link) => [link.index, link]),
    );
    for (const [index, card] of this.#cards) {
      if (wanted.get(index)?.name === card.name) continue;
      card.close();
      this.#cards.delete(index);
    }
    for (const link of wanted.values()) {
      const card = this.#cards.get(link.index);
      if (card === undefined) this.#open(link);
      else card.setMac(link.mac);
    }
    this.#tell();
  }

  #open(link: KnownLink): void {
    const opened = this.#guard(link.name, () => {
      const card = new PacketCard(link, {
        loop: this.#loop,
        filters: this.#filters,
        onFrame: (from, frame, length) => this.#receive(from, frame, length),
        // ENETDOWN: netlink says so too, and closes the card.
        onError: (from, errno) => {
          if (errno !== ERRNO.enetdown) this.#warn("packet socket failed", { interface: from.name, errno });
        },
      });
      this.#cards.set(link.index, card);
      this.#join(card);
    });
    if (opened || this.#retrying) return;
    // Out of descriptors or memory, or the interface went this very moment.
    this.#retrying = true;
    this.#loop.after(OPEN_AGAIN_MS, () => {
      this.#retrying = false;
      this.#relink(this.#links);
    });
  }

  /** An interface whose sockets are not open is no better than one that is down. */
  #tell(): void {
    const info = this.#links.map(({ index, ...link }): LinkInfo => {
      return link.skipped === undefined ? { ...link, up: link.up && this.#cards.has(index) } : link;
    });
    const said = JSON.stringify(info);
    if (said === this.#said) return;
    this.#said = said;
    this.#report({ kind: "info", info });
  }

  #guard(name: string, task: () => void): boolean {
    try {
      task();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof SystemFailure)) throw thrown;
      this.#warn("packet socket failed", { interface: name, call: thrown.call, errno: thrown.errno });
      return false;
    }
  }

  /** Once for each cause: what fails on an interface fails again and again. */
  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    const key = message + JSON.stringify(fields);
    if (this.#warned.has(key) || this.#warned.size > 1000) return;
    this.#warned.add(key);
    this.#report({ kind: "warning", message, fields });
  }
}

const NOTHING = { held: [], watched: [] };

function compiled(patterns: readonly string[]): readonly RegExp[] {
  return patterns.map((source) => new RegExp(source));
}
