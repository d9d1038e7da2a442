import { accepts } from "#net/ethernet";
import type { Log } from "#net/host";
import type { Switch, SwitchPort } from "./switch.ts";

/** Something plugged into a port: the node's own kernel, or a speaker's socket. */
interface Attachment {
  /** Frames that arrived from elsewhere on the LAN; must not be kept. */
  receive(frame: Uint8Array): void;
  /** The port lost power or the LAN closed: let go at once. */
  unplug(): void;
}

/**
 * One port of the LAN and everything attached to it under one MAC. All
 * attachments see every frame that arrives; what one of them sends goes to the
 * LAN and not to the others, as with packet sockets on one card.
 */
export class NodePort {
  readonly mac: string;
  readonly #port: SwitchPort;
  readonly #log: Log;
  readonly #attachments = new Set<Attachment>();

  constructor(lan: Switch, name: string, mac: string, log: Log) {
    this.mac = mac;
    this.#log = log;
    this.#port = lan.addPort(name, (frame) => this.#deliver(frame));
  }

  get up(): boolean {
    return this.#port.up;
  }

  get attached(): number {
    return this.#attachments.size;
  }

  attach(attachment: Attachment): () => void {
    this.#attachments.add(attachment);
    return () => this.#attachments.delete(attachment);
  }

  send(frame: Uint8Array): void {
    this.#port.send(frame);
  }

  /** Off: dark both ways at once, and everything attached by a socket is unplugged. */
  setUp(up: boolean): void {
    this.#port.setUp(up);
    if (!up) this.#unplugAll();
  }

  remove(): void {
    this.#port.remove();
    this.#unplugAll();
    this.#attachments.clear();
  }

  #unplugAll(): void {
    for (const attachment of [...this.#attachments]) attachment.unplug();
  }

  #deliver(frame: Uint8Array): void {
    for (const attachment of this.#attachments) {
      try {
        attachment.receive(frame);
      } catch (error) {
        this.#log.error("receiver on the virtual LAN failed", { error });
      }
    }
  }
}

/** A host inside this process: the edge, or a test's. Only frames its card would accept arrive. */
export interface LanPort {
  readonly mac: string;
  send(frame: Uint8Array): void;
  onFrame(listener: (frame: Uint8Array) => void): () => void;
  close(): void;
}

const NO_GROUPS: ReadonlySet<string> = new Set();

export function openLanPort(lan: Switch, mac: string, log: Log): LanPort {
  const port = new NodePort(lan, mac, mac, log);
  const listeners = new Set<(frame: Uint8Array) => void>();
  port.attach({
    receive(frame) {
      if (!accepts(frame, mac, NO_GROUPS)) return;
      for (const listener of listeners) listener(frame);
    },
    unplug: () => undefined,
  });
  return {
    mac,
    send: (frame) => port.send(frame),
    onFrame(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
      port.remove();
    },
  };
}
