import type { Heartbeat } from "#speaker/heartbeat";
import { initialMembers, stepMembers } from "#speaker/members";
import { type MembersEffect, type MembersEvent, type MembersState, TICK_MS } from "#speaker/members-state";
import { memberId } from "#speaker/ring";

/** A generator of numbers in [0, 1) that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface SimOptions {
  readonly nodes: number;
  readonly seed: number;
  /** Share of the datagrams that are lost, and that come twice. */
  readonly loss?: number;
  readonly duplicates?: number;
  /** The longest a datagram takes, milliseconds: they overtake each other. */
  readonly latencyMs?: number;
  readonly onSend?: (from: string, beat: Heartbeat) => void;
  readonly onChange?: (node: string, died: readonly string[]) => void;
  readonly onHealed?: (node: string) => void;
  /** Speakers may be elected so long after they know where the others are. */
  readonly listenMs?: number;
}

export interface SimProcess {
  readonly name: string;
  state: MembersState;
  /** Counts processes of this node: what was meant for an earlier one does nothing. */
  generation: number;
  running: boolean;
  stalledUntil: number;
  inbox: Heartbeat[];
  /** Milliseconds that this node's monotonic clock is ahead. */
  readonly zero: number;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** Speakers' memberships on a simulated network and a virtual clock; one seed, one course of events. */
export class MembersSim {
  readonly random: () => number;
  readonly processes = new Map<string, SimProcess>();
  readonly names: readonly string[];
  /** Whether what `from` sends reaches `to`. */
  connected: (from: string, to: string) => boolean = () => true;
  loss: number;
  now = 0;
  sent = 0;
  readonly #options: SimOptions;
  readonly #heap: Due[] = [];
  #order = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = seeded(options.seed);
    this.loss = options.loss ?? 0;
    this.names = Array.from({ length: options.nodes }, (_none, n) => `node-${String(n + 1).padStart(3, "0")}`);
    for (const name of this.names) {
      const zero = Math.floor(this.random() * 1e6);
      const state = initialMembers(name, 0);
      this.processes.set(name, { name, state, generation: 0, running: false, stalledUntil: 0, inbox: [], zero });
    }
  }

  process(name: string): SimProcess {
    const found = this.processes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** Starts a speaker; `incarnation` as its wall clock says. */
  start(name: string, incarnation: number = 1000 + Math.floor(this.now)): void {
    const process = this.process(name);
    process.generation += 1;
    process.running = true;
    process.stalledUntil = 0;
    process.inbox = [];
    process.state = initialMembers(name, incarnation);
    const addresses = new Map(this.names.filter((other) => other !== name).map((other) => [other, other]));
    this.#later(this.random() * TICK_MS, process, () => {
      this.step(process, { kind: "addresses", addresses });
      this.#tick(process);
    });
    this.#later(this.#options.listenMs ?? 500, process, () =>
      this.step(process, { kind: "self", ready: true, interfaces: ["eth0"] }),
    );
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  kill(name: string): void {
    const process = this.process(name);
    process.running = false;
    process.generation += 1;
    process.inbox = [];
  }

  /** Its timers and sockets stand still for so long. */
  stall(name: string, ms: number): void {
    const process = this.process(name);
    process.stalledUntil = Math.max(process.stalledUntil, this.now + ms);
  }

  /** Runs `task` at that time. */
  at(time: number, task: () => void): void {
    this.#push(time, task);
  }

  run(ms: number): void {
    const until = this.now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      this.now = Math.max(this.now, next.at);
      next.task();
    }
    this.now = until;
  }

  step(process: SimProcess, event: MembersEvent): void {
    const { state, effects } = stepMembers(process.state, event, this.now + process.zero);
    process.state = state;
    for (const effect of effects) this.#do(process, effect);
  }

  /** Who is alive, as `name` sees it, itself included. */
  alive(name: string): readonly string[] {
    const { state } = this.process(name);
    const others = state.peers
      .values()
      .filter(({ alive }) => alive)
      .map(({ node }) => node);
    return [name, ...others].toSorted();
  }

  #do(process: SimProcess, effect: MembersEffect): void {
    if (effect.kind === "changed") this.#options.onChange?.(process.name, effect.died);
    if (effect.kind === "healed") this.#options.onHealed?.(process.name);
    if (effect.kind !== "send") return;
    this.sent += 1;
    this.#options.onSend?.(process.name, effect.beat);
    const to = this.process(effect.to);
    if (effect.beat.to !== memberIdOf(to.name)) throw new Error(`a beat for another one than ${to.name}`);
    if (!this.connected(process.name, to.name) || this.random() < this.loss) return;
    const copies = this.random() < (this.#options.duplicates ?? 0) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = 0.2 + this.random() * (this.#options.latencyMs ?? 1);
      this.#push(this.now + delay, () => this.receive(to.name, effect.beat, process.name));
    }
  }

  receive(name: string, beat: Heartbeat, from: string): void {
    const to = this.process(name);
    if (!to.running) return;
    if (to.stalledUntil <= this.now) {
      this.step(to, { kind: "heard", beat, from });
      return;
    }
    // A socket's buffer; timers come first when the process goes on.
    to.inbox.push(beat);
    if (to.inbox.length > 1) return;
    this.#later(to.stalledUntil - this.now + 0.01, to, () => {
      const unread = to.inbox;
      to.inbox = [];
      for (const one of unread) this.receive(name, one, one.node);
    });
  }

  #tick(process: SimProcess): void {
    const wait = process.stalledUntil - this.now;
    if (wait > 0) {
      this.#later(wait, process, () => this.#tick(process));
      return;
    }
    this.step(process, { kind: "tick" });
    this.#later(TICK_MS + this.random() * 2, process, () => this.#tick(process));
  }

  #later(ms: number, process: SimProcess, task: () => void): void {
    const { generation } = process;
    this.#push(this.now + ms, () => {
      if (process.generation === generation) task();
    });
  }

  #push(at: number, task: () => void): void {
    const heap = this.#heap;
    const due = { at, order: this.#order++, task };
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, due)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child === undefined) break;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

const ids = new Map<string, number>();
function memberIdOf(name: string): number {
  const id = ids.get(name) ?? memberId(name);
  ids.set(name, id);
  return id;
}
