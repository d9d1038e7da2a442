import type { Socket } from "node:net";
import { SILENCE_MS } from "./pipe.ts";

/** Connections that nobody answers any more; the oldest are given up beyond this many. */
const HELD_MAX = 2_000;

/**
 * Keeps sockets open and mute, as packets to a dead machine would: each until
 * its client gives up, two minutes pass, or too many are held.
 */
export class BlackHole {
  readonly #held = new Map<Socket, NodeJS.Timeout>();

  get size(): number {
    return this.#held.size;
  }

  swallow(socket: Socket): void {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.resetAndDestroy(), SILENCE_MS);
    timer.unref();
    this.#held.set(socket, timer);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#forget(socket));
    // Only a socket that is read notices that its client has gone.
    socket.on("end", () => socket.destroy());
    socket.resume();
    if (this.#held.size <= HELD_MAX) return;
    for (const oldest of this.#held.keys()) {
      oldest.resetAndDestroy();
      break;
    }
  }

  close(): void {
    for (const socket of this.#held.keys()) socket.destroy();
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#held.get(socket));
    this.#held.delete(socket);
  }
}
