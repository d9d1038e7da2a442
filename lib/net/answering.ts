import { macOctets } from "#core/mac";
import { multicastMac, solicitedNodeGroup } from "#core/ndp";
import { Responder, type ResponderCard } from "#core/responder";
import type { Link } from "./port.ts";

/** The half of a link that answers, for links whose frames arrive on this thread. */
export class Answering implements Pick<Link, "answer" | "silence" | "takeCounts" | "attend"> {
  readonly #responder = new Responder();
  /** Solicited-node groups of the addresses held, by their MAC, and how many share each. */
  readonly #groups = new Map<string, number>();
  readonly #held = new Set<string>();

  answer(address: string, interfaces: readonly string[] | null): void {
    this.#responder.hold(address, interfaces);
    if (this.#held.has(address)) return;
    this.#held.add(address);
    this.#count(address, 1);
  }

  silence(address: string): void {
    this.#responder.release(address);
    if (this.#held.delete(address)) this.#count(address, -1);
  }

  takeCounts() {
    return this.#responder.takeCounts();
  }

  /** Every frame reaches the listeners of such a link anyway. */
  attend(): () => void {
    return () => undefined;
  }

  /** MACs of the groups that a card must let through. */
  get groups(): ReadonlyMap<string, number> {
    return this.#groups;
  }

  /** The reply to a frame, good until the next one; null for none. */
  replyTo(frame: Uint8Array, card: ResponderCard): Uint8Array | null {
    return this.#responder.respond(frame, frame.byteLength, card) === "answered" ? this.#responder.reply : null;
  }

  #count(address: string, by: number): void {
    if (!address.includes(":")) return;
    const group = multicastMac(solicitedNodeGroup(address));
    const count = (this.#groups.get(group) ?? 0) + by;
    if (count > 0) this.#groups.set(group, count);
    else this.#groups.delete(group);
  }
}

/** A card whose MAC stays what it is. */
export function responderCard(name: string, mac: string): ResponderCard {
  return { name, mac: macOctets(mac) };
}
