import { errno, sys } from "./ffi.ts";
import { ERRNO } from "./layouts.ts";
import { check, SystemFailure } from "./socket.ts";

const CLOSE_ON_EXEC = 0o2000000;
const NON_BLOCKING = 0o4000;
const ADD = 1;
const DELETE = 2;
const READABLE = 1;
const EVENTS = 16;
/** struct epoll_event is packed on x86-64 only. */
const DATA_AT = process.arch === "x64" ? 4 : 8;
const EVENT_OCTETS = DATA_AT + 8;

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/**
 * An event loop for a thread that does nothing but answer: it waits in
 * epoll_wait() and reads at once, without Node's loop in between. Level-triggered:
 * what is not read, and what has an error to fetch, is reported again. Node's
 * timers and messages do not run on a thread that is in `run`; `after`, `soon`
 * and `wakeFd` are their replacements.
 */
export class Loop {
  /** Whoever writes eight octets (an unsigned number above zero) to it wakes the loop; not closed here. */
  readonly wakeFd: number;
  readonly #epoll: number;
  readonly #readers = new Map<number, () => void>();
  readonly #events = new Uint8Array(EVENTS * EVENT_OCTETS);
  readonly #view = new DataView(this.#events.buffer);
  readonly #counter = new Uint8Array(8);
  #soon: (() => void)[] = [];
  #timers: readonly Timer[] = [];
  #running = false;

  /** `onWake` runs on this thread after somebody wrote to `wakeFd`. Throws SystemFailure. */
  constructor(onWake: () => void) {
    this.#epoll = check("epoll_create1", sys.epollCreate(CLOSE_ON_EXEC));
    this.wakeFd = check("eventfd", sys.eventfd(0, CLOSE_ON_EXEC | NON_BLOCKING));
    this.watch(this.wakeFd, () => {
      sys.read(this.wakeFd, this.#counter, 8);
      onWake();
    });
  }

  /** Throws SystemFailure. */
  watch(fd: number, onReadable: () => void): void {
    const event = new Uint8Array(EVENT_OCTETS);
    const view = new DataView(event.buffer);
    view.setUint32(0, READABLE, true);
    view.setInt32(DATA_AT, fd, true);
    check("epoll_ctl", sys.epollControl(this.#epoll, ADD, fd, event));
    this.#readers.set(fd, onReadable);
  }

  /** Before the descriptor is closed. */
  unwatch(fd: number): void {
    this.#readers.delete(fd);
    sys.epollControl(this.#epoll, DELETE, fd, this.#events);
  }

  /** Runs `task` when everything that is readable now has been read. */
  soon(task: () => void): void {
    this.#soon.push(task);
  }

  after(delayMs: number, task: () => void): void {
    const timer = { at: performance.now() + delayMs, task };
    this.#timers = [...this.#timers, timer].toSorted((a, b) => a.at - b.at);
  }

  /** Blocks until `stop`. What a reader or task throws ends it. */
  run(): void {
    this.#running = true;
    while (this.#running) {
      const count = sys.epollWait(this.#epoll, this.#events, EVENTS, this.#waitMs());
      if (count < 0 && errno() !== ERRNO.eintr) throw new SystemFailure("epoll_wait");
      for (let index = 0; index < count; index++) {
        this.#readers.get(this.#view.getInt32(index * EVENT_OCTETS + DATA_AT, true))?.();
      }
      if (this.#timers.length > 0) this.#runTimers();
      if (this.#soon.length > 0) this.#runSoon();
    }
    sys.close(this.#epoll);
  }

  stop(): void {
    this.#running = false;
  }

  #waitMs(): number {
    if (this.#soon.length > 0) return 0;
    const first = this.#timers[0];
    return first === undefined ? -1 : Math.max(0, Math.ceil(first.at - performance.now()));
  }

  #runTimers(): void {
    const now = performance.now();
    const due = this.#timers.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ at }) => at > now);
    for (const { task } of due) task();
  }

  #runSoon(): void {
    const tasks = this.#soon;
    this.#soon = [];
    for (const task of tasks) task();
  }
}
