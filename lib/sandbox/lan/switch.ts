import { isGroupFrame } from "#core/mac";
import { destinationOf, isFrame, sourceOf } from "#net/ethernet";

/** Frames that may wait at one port before more are dropped. */
const QUEUE_MAX = 1024;
/** MAC addresses remembered; the oldest is forgotten first. */
const TABLE_MAX = 4096;

export interface SwitchPort {
  readonly name: string;
  /** Into the switch. A frame that is malformed or meets a port without power is dropped. */
  send(frame: Uint8Array): void;
  /** A port that is down passes nothing either way, and what it was about to deliver is gone. */
  setUp(up: boolean): void;
  readonly up: boolean;
  remove(): void;
}

interface Port {
  readonly name: string;
  readonly deliver: (frame: Uint8Array) => void;
  readonly queue: Uint8Array[];
  up: boolean;
}

/**
 * A learning Ethernet switch in memory. Group and unknown destinations are
 * flooded to every other port; a source MAC seen at another port has moved
 * there. A frame never leaves by the port it came in by, so nothing loops.
 * Delivery is asynchronous and in order per port; a full queue drops.
 */
export class Switch {
  readonly #ports = new Set<Port>();
  readonly #table = new Map<string, Port>();
  #dropped = 0;
  #draining = false;

  /** Frames lost to full queues or dropped as malformed, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `deliver` must not throw and must not keep the frame. */
  addPort(name: string, deliver: (frame: Uint8Array) => void): SwitchPort {
    const port: Port = { name, deliver, queue: [], up: true };
    this.#ports.add(port);
    return {
      name,
      send: (frame) => this.#forward(port, frame),
      setUp: (up) => {
        port.up = up;
        if (!up) this.#forget(port);
      },
      get up() {
        return port.up;
      },
      remove: () => {
        this.#ports.delete(port);
        port.up = false;
        this.#forget(port);
      },
    };
  }

  #forward(from: Port, frame: Uint8Array): void {
    if (!from.up) return;
    if (!isFrame(frame)) {
      this.#dropped += 1;
      return;
    }
    this.#learn(sourceOf(frame), from);
    // The sender may use its buffer again before the frame is delivered.
    const copy = frame.slice();
    const known = isGroupFrame(copy) ? undefined : this.#table.get(destinationOf(copy));
    if (known === from) return;
    if (known !== undefined) this.#enqueue(known, copy);
    else for (const port of this.#ports) if (port !== from) this.#enqueue(port, copy);
  }

  #learn(mac: string, port: Port): void {
    if (this.#table.get(mac) === port) return;
    this.#table.delete(mac);
    this.#table.set(mac, port);
    if (this.#table.size <= TABLE_MAX) return;
    for (const oldest of this.#table.keys()) {
      this.#table.delete(oldest);
      break;
    }
  }

  #forget(port: Port): void {
    port.queue.length = 0;
    for (const [mac, at] of this.#table) if (at === port) this.#table.delete(mac);
  }

  #enqueue(port: Port, frame: Uint8Array): void {
    if (!port.up) return;
    if (port.queue.length >= QUEUE_MAX) {
      this.#dropped += 1;
      return;
    }
    port.queue.push(frame);
    if (this.#draining) return;
    this.#draining = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#draining = false;
    for (const port of this.#ports) {
      const frames = port.queue.splice(0);
      for (const frame of frames) if (port.up) port.deliver(frame);
    }
  }
}
