import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";

interface BackgroundOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** False while something more urgent is under way. */
  readonly idle: () => boolean;
  readonly concurrency?: number;
  /** Beyond this many waiting, new tasks are dropped (and counted in the log). */
  readonly capacity?: number;
}

/** How often to look whether the urgent work is done. */
const LOOK_AGAIN_MS = 20;
/** Even endless urgent work may hold tasks up only so long. */
const MAX_HOLD_MS = 30_000;

type Task = () => Promise<void>;

/**
 * Writes that may wait: run in order, a few at a time, and only while nothing
 * urgent does, so that ten thousand addresses do not queue behind ten thousand
 * Events. Tasks under a key are never dropped and run before the others; asked
 * for twice while waiting, they run once. A task must handle its own failures.
 */
export class Background {
  readonly #options: Required<BackgroundOptions>;
  readonly #keyed = new Map<string, Task>();
  readonly #others = new Queue<Task>();
  #running = 0;
  #heldSince: number | null = null;
  #dropped = 0;
  #cancel: (() => void) | null = null;

  constructor(options: BackgroundOptions) {
    this.#options = { concurrency: 4, capacity: 20_000, ...options };
  }

  add(task: Task): void {
    if (this.#others.size >= this.#options.capacity) {
      if (this.#dropped++ % 1000 === 0) this.#options.log.warn("background writes dropped", { dropped: this.#dropped });
      return;
    }
    this.#others.push(task);
    this.pump();
  }

  addKeyed(key: string, task: Task): void {
    this.#keyed.set(key, task);
    this.pump();
  }

  /** Starts what may start now. */
  pump(): void {
    const { signal, concurrency, log } = this.#options;
    if (signal.aborted || this.#isHeld()) return;
    while (this.#running < concurrency) {
      const task = this.#take();
      if (task === undefined) return;
      this.#running++;
      void task()
        .catch((thrown: unknown) => log.warn("background write failed", { error: String(thrown) }))
        .finally(() => {
          this.#running--;
          this.pump();
        });
    }
  }

  #isHeld(): boolean {
    const { clock, idle } = this.#options;
    if (this.#keyed.size + this.#others.size === 0 || idle()) {
      this.#heldSince = null;
      return false;
    }
    this.#heldSince ??= clock.monotonic();
    if (clock.monotonic() - this.#heldSince >= MAX_HOLD_MS) return false;
    this.#cancel ??= clock.schedule(LOOK_AGAIN_MS, () => {
      this.#cancel = null;
      this.pump();
    });
    return true;
  }

  #take(): Task | undefined {
    for (const [key, task] of this.#keyed) {
      this.#keyed.delete(key);
      return task;
    }
    return this.#others.shift();
  }
}

/** First in, first out, without the cost of moving an array's elements up. */
class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.size === 0) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
