import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import type { Clock } from "#runtime/clock";

type LogStream = "stdout" | "stderr";

const ROTATE_BYTES = 10 * 1024 * 1024;
/** Kubernetes' runtimes cut longer lines into parts tagged "P". */
const LINE_BYTES = 16 * 1024;
const FLUSH_MS = 20;
const PENDING_BYTES = 4 * 1024 * 1024;

/**
 * One container's log in CRI format (`<RFC 3339 nanoseconds> stdout F text`).
 * Lines reach the file within 20 ms and in order. At 10 MB the file becomes
 * `<file>.1` and a new one begins. A log that cannot be written is dropped, never thrown.
 */
export class ContainerLog {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #partial: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #descriptor: number | null = null;
  #size = 0;
  #pending: string[] = [];
  #pendingBytes = 0;
  #timer: (() => void) | null = null;
  #closed = false;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      this.#open();
    } catch {
      this.#descriptor = null;
    }
  }

  /** One whole line, without its line break. */
  line(stream: LogStream, text: string): void {
    this.write(stream, `${text}\n`);
  }

  /** Text as a process wrote it; a line is logged when its line break arrives, or at `close`. */
  write(stream: LogStream, data: string | Uint8Array): void {
    if (this.#closed) return;
    const fresh = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
    let rest = this.#partial[stream].length === 0 ? fresh : Buffer.concat([this.#partial[stream], fresh]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      this.#emit(stream, rest.subarray(0, end), true);
      rest = rest.subarray(end + 1);
    }
    for (; rest.length > LINE_BYTES; rest = rest.subarray(LINE_BYTES)) {
      this.#entry(stream, "P", rest.subarray(0, LINE_BYTES));
    }
    this.#partial[stream] = Buffer.from(rest);
  }

  close(): void {
    if (this.#closed) return;
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#partial[stream].length > 0) this.#emit(stream, this.#partial[stream], true);
    }
    this.#closed = true;
    this.#timer?.();
    this.#flush();
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #emit(stream: LogStream, line: Buffer, full: boolean): void {
    let rest = line;
    for (; rest.length > LINE_BYTES; rest = rest.subarray(LINE_BYTES)) {
      this.#entry(stream, "P", rest.subarray(0, LINE_BYTES));
    }
    this.#entry(stream, full ? "F" : "P", rest);
  }

  #entry(stream: LogStream, tag: "F" | "P", text: Buffer): void {
    if (this.#descriptor === null || this.#pendingBytes > PENDING_BYTES) return;
    const stamp = new Date(this.#clock.now()).toISOString().replace("Z", "000000Z");
    const entry = `${stamp} ${stream} ${tag} ${text.toString("utf8")}\n`;
    this.#pending.push(entry);
    this.#pendingBytes += entry.length;
    this.#timer ??= this.#clock.schedule(FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = null;
    if (this.#descriptor === null || this.#pending.length === 0) return;
    const block = Buffer.from(this.#pending.join(""));
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      writeSync(this.#descriptor, block);
      this.#size += block.length;
      if (this.#size > ROTATE_BYTES) this.#rotate();
    } catch {
      // A full disk must not end the pod whose log it is.
    }
  }

  #open(): void {
    this.#descriptor = openSync(this.#file, "a");
    this.#size = statSync(this.#file).size;
  }

  #rotate(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    renameSync(this.#file, `${this.#file}.1`);
    this.#open();
  }
}
