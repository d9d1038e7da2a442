import { rowName } from "#api/dashboard/row-name";
import { type RowOf, type StreamMessage, TOPICS, type Topic } from "#api/dashboard/stream";
import type { Clock } from "#runtime/clock";

/** How long changes are gathered before they leave; with the projector's own 20 ms it stays under 50 ms. */
const FLUSH_MS = 20;

interface TopicState {
  /** Each row with the text in which it was last sent. */
  readonly rows: Map<string, { readonly row: unknown; readonly text: string }>;
  readonly changed: Set<string>;
  readonly removed: Set<string>;
}

type Listener = (text: string, message: "snapshot" | "delta" | "probe" | "resync" | "hello") => void;

/**
 * Rows by topic, and who listens to them. A listener gets each message as the
 * JSON text of one `StreamMessage`, serialised once for all; only rows whose
 * text differs from what was sent before count as changed.
 */
export class Hub {
  readonly #clock: Clock;
  readonly #version: string;
  readonly #topics = new Map<Topic, TopicState>();
  readonly #listeners = new Set<Listener>();
  readonly #endings = new Set<() => void>();
  #cancelFlush: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock, version: string) {
    this.#clock = clock;
    this.#version = version;
    for (const topic of topics) this.#topics.set(topic, { rows: new Map(), changed: new Set(), removed: new Set() });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  rows<T extends Topic>(topic: T): readonly RowOf<T>[] {
    return [...this.#state(topic).rows.values()].map((held) => held.row as RowOf<T>);
  }

  row<T extends Topic>(topic: T, key: string): RowOf<T> | undefined {
    return this.#state(topic).rows.get(key)?.row as RowOf<T> | undefined;
  }

  /** Makes `rows` the whole of the topic. */
  replace<T extends Topic>(topic: T, rows: readonly RowOf<T>[]): void {
    const state = this.#state(topic);
    const keys = new Set(rows.map((row) => rowName(topic, row)));
    for (const key of state.rows.keys()) if (!keys.has(key)) this.remove(topic, key);
    for (const row of rows) this.upsert(topic, row);
  }

  upsert<T extends Topic>(topic: T, row: RowOf<T>): void {
    const state = this.#state(topic);
    const key = rowName(topic, row);
    const text = JSON.stringify(row);
    if (state.rows.get(key)?.text === text) return;
    state.rows.set(key, { row, text });
    state.removed.delete(key);
    state.changed.add(key);
    this.#schedule();
  }

  remove(topic: Topic, key: string): void {
    const state = this.#state(topic);
    if (!state.rows.delete(key)) return;
    state.changed.delete(key);
    state.removed.add(key);
    this.#schedule();
  }

  /** Sends one message that is no row (a probe's second) to everybody, at once. */
  send(message: Extract<StreamMessage, { kind: "probe" }>): void {
    const text = JSON.stringify(message);
    for (const listener of this.#listeners) listener(text, "probe");
  }

  /** One snapshot per topic, then `hello`. Pending deltas go out first, so that none is older than the snapshot. */
  snapshots(): readonly string[] {
    this.flush();
    const at = this.#clock.now();
    const texts = topics.map((topic) => {
      const rows = [...this.#state(topic).rows.values()].map((held) => held.text).join(",");
      return `{"kind":"snapshot","topic":"${topic}","at":${at},"rows":[${rows}]}`;
    });
    return [...texts, JSON.stringify({ kind: "hello", at, version: this.#version })];
  }

  /** `ended` is called once when the hub closes. The returned function unsubscribes. */
  subscribe(listener: Listener, ended: () => void): () => void {
    if (this.#closed) {
      ended();
      return () => undefined;
    }
    this.#listeners.add(listener);
    this.#endings.add(ended);
    return () => {
      this.#listeners.delete(listener);
      this.#endings.delete(ended);
    };
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    for (const topic of topics) {
      const state = this.#state(topic);
      if (state.changed.size === 0 && state.removed.size === 0) continue;
      const upserts = [...state.changed].map((key) => state.rows.get(key)?.text ?? "null").join(",");
      const removes = JSON.stringify([...state.removed]);
      state.changed.clear();
      state.removed.clear();
      const text = `{"kind":"delta","topic":"${topic}","at":${this.#clock.now()},"upserts":[${upserts}],"removes":${removes}}`;
      for (const listener of this.#listeners) listener(text, "delta");
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelFlush?.();
    for (const ended of [...this.#endings]) ended();
    this.#listeners.clear();
    this.#endings.clear();
  }

  #schedule(): void {
    if (this.#closed || this.#cancelFlush !== undefined) return;
    this.#cancelFlush = this.#clock.schedule(FLUSH_MS, () => this.flush());
  }

  #state(topic: Topic): TopicState {
    const state = this.#topics.get(topic);
    if (state === undefined) throw new RangeError(`no topic ${topic}`);
    return state;
  }
}

const topics = Object.keys(TOPICS) as readonly Topic[];
