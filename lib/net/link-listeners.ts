import type { Log } from "./host.ts";

type FrameListener = (frame: Uint8Array, interfaceName: string) => void;

/** Who listens to a link. A listener that throws is a bug there; it is logged, and takes neither the wire nor others down. */
export class LinkListeners {
  readonly #log: Log;
  readonly #link: string;
  readonly #frames = new Set<FrameListener>();
  readonly #info = new Set<() => void>();

  /** `link` names it in the log: "packet link". */
  constructor(link: string, log: Log) {
    this.#link = link;
    this.#log = log;
  }

  onInfo(listener: () => void): () => void {
    this.#info.add(listener);
    return () => this.#info.delete(listener);
  }

  onFrame(listener: FrameListener): () => void {
    this.#frames.add(listener);
    return () => this.#frames.delete(listener);
  }

  infoChanged(): void {
    for (const listener of this.#info) this.#guard(listener);
  }

  frame(frame: Uint8Array, interfaceName: string): void {
    for (const listener of this.#frames) this.#guard(() => listener(frame, interfaceName));
  }

  clear(): void {
    this.#frames.clear();
    this.#info.clear();
  }

  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#log.error(`listener of the ${this.#link} failed`, { error });
    }
  }
}
