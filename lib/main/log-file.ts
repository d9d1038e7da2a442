import { closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";

const BYTES_MAX = 8 * 1024 * 1024;

/**
 * The log of a child process, kept across its restarts and ours. At 8 MiB the
 * file becomes `<file>.1`, so two of them are the most a crash loop can fill.
 * What cannot be written is dropped: a full disk must not end anything.
 */
export class LogFile {
  readonly #path: string;
  readonly #bytesMax: number;
  #descriptor: number | null = null;
  #size = 0;

  constructor(path: string, bytesMax = BYTES_MAX) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#open();
  }

  line(text: string): void {
    const bytes = Buffer.from(`${text}\n`);
    if (this.#size > 0 && this.#size + bytes.length > this.#bytesMax) this.#rotate();
    if (this.#descriptor === null) return;
    try {
      writeSync(this.#descriptor, bytes);
      this.#size += bytes.length;
    } catch {
      // Said above.
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #rotate(): void {
    this.close();
    try {
      renameSync(this.#path, `${this.#path}.1`);
    } catch {
      return;
    }
    this.#open();
  }

  #open(): void {
    try {
      this.#descriptor = openSync(this.#path, "a", 0o600);
      this.#size = statSync(this.#path).size;
    } catch {
      this.#descriptor = null;
    }
  }
}
