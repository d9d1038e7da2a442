import { Answering, responderCard } from "./answering.ts";
import { accepts, isFrame } from "./ethernet.ts";
import type { Link, LinkInfo } from "./port.ts";

/** One cable with everybody on it, in memory; frames arrive in order, after the sender's call has returned. */
interface MemorySegment {
  /** A link with one interface on this segment. */
  attach(card: { readonly name?: string; readonly mac: string }): MemoryLink;
}

export interface MemoryLink extends Link {
  /** Pulls the plug of an interface, or puts it back. */
  setUp(interfaceName: string, up: boolean): void;
}

interface Tap {
  deliver(frame: Uint8Array): void;
}

class Segment implements MemorySegment {
  readonly taps = new Set<Tap>();

  attach(card: { readonly name?: string; readonly mac: string }): MemoryLink {
    return openMemoryLink([{ segment: this, name: card.name ?? "eth0", mac: card.mac }]);
  }

  send(from: Tap, frame: Uint8Array): void {
    const copy = frame.slice();
    for (const tap of this.taps) if (tap !== from) queueMicrotask(() => tap.deliver(copy));
  }
}

/** A cable nobody is on yet. */
export function createMemorySegment(): MemorySegment {
  return new Segment();
}

/** A link with several interfaces, each on its own (or the same) segment. */
export function openMemoryLink(
  cards: readonly { readonly segment: MemorySegment; readonly name: string; readonly mac: string }[],
): MemoryLink {
  const frameListeners = new Set<(frame: Uint8Array, interfaceName: string) => void>();
  const infoListeners = new Set<() => void>();
  const answering = new Answering();
  let info: readonly LinkInfo[] = cards.map(({ name, mac }) => ({ name, mac, up: true }));
  const isUp = (name: string) => info.some((card) => card.name === name && card.up);

  const taps = new Map<string, { readonly segment: Segment; readonly tap: Tap }>();
  for (const { segment, name, mac } of cards) {
    if (!(segment instanceof Segment)) continue;
    const card = responderCard(name, mac);
    const tap: Tap = {
      deliver(frame) {
        if (!isUp(name) || !accepts(frame, mac, answering.groups)) return;
        const reply = answering.replyTo(frame, card);
        if (reply !== null) segment.send(tap, reply);
        for (const listener of frameListeners) listener(frame, name);
      },
    };
    segment.taps.add(tap);
    taps.set(name, { segment, tap });
  }

  return {
    info: () => info,
    onInfo(listener) {
      infoListeners.add(listener);
      return () => infoListeners.delete(listener);
    },
    frames(listener) {
      frameListeners.add(listener);
      return () => frameListeners.delete(listener);
    },
    send(interfaceName, frame) {
      const port = taps.get(interfaceName);
      if (port !== undefined && isUp(interfaceName) && isFrame(frame)) port.segment.send(port.tap, frame);
    },
    answer: (address, interfaces) => answering.answer(address, interfaces),
    silence: (address) => answering.silence(address),
    takeCounts: () => answering.takeCounts(),
    attend: () => answering.attend(),
    setUp(interfaceName, up) {
      if (isUp(interfaceName) === up) return;
      info = info.map((card) => (card.name === interfaceName ? { ...card, up } : card));
      for (const listener of infoListeners) listener();
    },
    async close() {
      for (const { segment, tap } of taps.values()) segment.taps.delete(tap);
      taps.clear();
      frameListeners.clear();
      infoListeners.clear();
    },
  };
}
