import { describe, expect, it } from "vitest";
import type { Lease } from "#api/kubernetes/cluster";
import { LEASES } from "#api/resources";
import { Fault } from "#core/errors";
import { takeOverBoundMs } from "#core/lease";
import { LeaseElection } from "#kube/lease";
import type { Cluster, ObjectName, PatchRequest, Term } from "#kube/port";
import type { Clock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { MemoryServer } from "../support/memory-cluster.ts";
import { fc } from "../support/random.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const TIMINGS = { durationMs: 10_000, renewDeadlineMs: 7000, retryMs: 2000 };
/** Clocks run at most so much faster or slower than real time. */
const SKEW = 0.05;
/** A write under way lands within this, or never: what duration and deadline leave at that skew. */
const LONGEST_FLIGHT_MS = 2000;
const STEP_MS = 50;

interface Weather {
  /** How long a request takes to the server, and its reply back. */
  readonly there: number;
  readonly back: number;
  readonly lost: "no" | "request" | "reply";
}

/** One machine with a clock of its own, which may stop for a while (`stallUntil`), and a process on it. */
class Machine {
  readonly clock: Clock;
  readonly name: string;
  readonly #real: VirtualClock;
  readonly #server: MemoryServer;
  stalledUntil = 0;
  /** Time that the monotonic clock did not see: a virtual machine that was paused. */
  #slept = 0;
  cut = false;
  weather: readonly Weather[] = [{ there: 5, back: 5, lost: "no" }];
  #turn = 0;
  #underWay = 0;
  alive = true;
  term: Term | null = null;
  readonly #ending = new AbortController();

  constructor(
    name: string,
    given: {
      readonly real: VirtualClock;
      readonly server: MemoryServer;
      readonly rate: number;
      readonly predecessor: string | null;
      readonly onWrite: (machine: Machine, landed: boolean) => void;
    },
  ) {
    const { real, server, rate, predecessor, onWrite } = given;
    this.name = name;
    this.#real = real;
    this.#server = server;
    this.clock = {
      now: () => 1e12 + real.monotonic() * rate,
      monotonic: () => 7777 + (real.monotonic() - this.#slept) * rate,
      schedule: (delayMs, task) => real.schedule(delayMs / rate, () => this.#run(task)),
    };
    const election = new LeaseElection({
      cluster: this.#cluster(),
      clock: this.clock,
      log: silentLog,
      name: "berth-controller",
      namespace: "metallb-system",
      identity: { holder: name, predecessor },
      timings: TIMINGS,
      annotations: () => ({ "example.com/says": `${name} at ${Math.floor(this.clock.monotonic())}` }),
    });
    void this.#lead(election, onWrite);
  }

  /** The process ends as by `kill -9`. */
  kill(): void {
    this.alive = false;
    this.term = null;
    this.#ending.abort();
  }

  /** The process ends as at a rollout: released only once no write is under way. */
  async stop(): Promise<void> {
    const { term } = this;
    this.#ending.abort();
    while (this.#underWay > 0) await new Promise<void>((resolve) => void this.clock.schedule(50, resolve));
    await term?.release();
    this.kill();
  }

  sleep(ms: number): void {
    this.stalledUntil = this.#real.monotonic() + ms;
    this.#slept += ms;
  }

  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.#real.monotonic() + ms);
  }

  /** Things happen on a machine only while it runs. */
  #run(task: () => void): void {
    if (!this.alive) return;
    const left = this.stalledUntil - this.#real.monotonic();
    if (left > 0) this.#real.schedule(left, () => this.#run(task));
    else task();
  }

  async #lead(election: LeaseElection, onWrite: (machine: Machine, landed: boolean) => void): Promise<void> {
    while (this.alive && !this.#ending.signal.aborted) {
      const term = await election.campaign(this.#ending.signal).catch(() => null);
      if (term === null) return;
      this.term = term;
      const write = () => {
        if (!term.holds() || this.#ending.signal.aborted) return;
        onWrite(this, false);
        const { there, lost } = this.#next();
        // Whatever becomes of the process, what has left lands; after a kill only what was already on the way.
        if (lost !== "request" && !this.cut) {
          this.#underWay++;
          this.#real.schedule(Math.min(there, LONGEST_FLIGHT_MS), () => {
            this.#underWay--;
            if (this.alive) onWrite(this, true);
          });
        }
        this.clock.schedule(300, write);
      };
      write();
      await new Promise<void>((resolve) => term.signal.addEventListener("abort", () => resolve(), { once: true }));
      this.term = null;
    }
  }

  #next(): Weather {
    return this.weather[this.#turn++ % this.weather.length] ?? { there: 5, back: 5, lost: "no" };
  }

  /** Requests that take their time, get lost on the way there or back, and land even if nobody waits any more. */
  #cluster(): Cluster {
    const direct = this.#server.connect();
    const send = <T>(request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
      const { there, back, lost } = this.#next();
      const isCut = this.cut;
      return new Promise<T>((resolve, reject) => {
        const fail = (why: string) => reject(new Fault("unavailable", why));
        signal?.addEventListener("abort", () => fail("aborted"), { once: true });
        if (isCut || lost === "request") {
          this.#real.schedule(there, () => this.#run(() => fail("no route")));
          return;
        }
        this.#real.schedule(there, () => {
          const reply = request();
          const deliver = (settled: () => void) =>
            void this.#real.schedule(back, () => this.#run(lost === "reply" ? () => fail("reset") : settled));
          reply.then(
            (value) => deliver(() => resolve(value)),
            (thrown: unknown) => deliver(() => reject(thrown)),
          );
        });
      });
    };
    return Object.assign(Object.create(direct) as Cluster, {
      cache: direct.cache.bind(direct),
      get: (_ref: unknown, at: ObjectName, signal?: AbortSignal) => send(() => direct.get(LEASES, at), signal),
      create: (_ref: unknown, lease: Lease, options: { signal?: AbortSignal }) =>
        send(() => direct.create(LEASES, lease), options.signal),
      patch: (_ref: unknown, at: ObjectName, patch: PatchRequest) =>
        send(() => direct.patch(LEASES, at, patch), patch.signal),
    });
  }
}

class World {
  readonly real = new VirtualClock();
  readonly server = new MemoryServer(this.real);
  readonly machines: Machine[] = [];
  /** Who wrote the Lease when: every change of holder, in the order in which the server saw them. */
  readonly broken: string[] = [];
  writes = 0;
  #processes = 0;
  readonly #rates: readonly number[];

  constructor(rates: readonly number[]) {
    this.#rates = rates;
    for (const index of rates.keys()) this.start(index, null);
  }

  /** What the last holder said of itself. */
  get said(): string {
    return this.server.at(LEASES, "metallb-system/berth-controller")?.metadata.annotations?.["example.com/says"] ?? "";
  }

  get holder(): string {
    return this.server.at(LEASES, "metallb-system/berth-controller")?.spec?.holderIdentity ?? "";
  }

  start(index: number, predecessor: string | null): void {
    const name = `pod-${index}_${++this.#processes}`;
    this.machines[index] = new Machine(name, {
      real: this.real,
      server: this.server,
      rate: this.#rates[index] ?? 1,
      predecessor,
      onWrite: (machine, landed) => {
        this.writes += landed ? 1 : 0;
        const other = this.holder;
        if (landed && other !== machine.name && other !== "") {
          this.broken.push(`${this.real.monotonic()}: a write of ${machine.name} landed while ${other} held the Lease`);
        }
        const writing = this.machines.filter(({ alive, term }) => alive && term?.holds() === true);
        if (writing.length > 1)
          this.broken.push(`${this.real.monotonic()}: ${writing.map(({ name }) => name)} both write`);
      },
    });
  }

  async stop(machine: Machine): Promise<void> {
    let stopped = false;
    const stopping = machine.stop().then(() => {
      stopped = true;
    });
    for (let turns = 0; !stopped && turns < 10_000; turns++) await this.run(STEP_MS);
    await stopping;
  }

  run(ms: number): Promise<void> {
    return this.real.run(ms, STEP_MS);
  }

  leaders(): readonly Machine[] {
    return this.machines.filter(({ alive, term }) => alive && term?.holds() === true);
  }

  async untilLed(withinMs: number): Promise<number> {
    const from = this.real.monotonic();
    while (this.leaders().length === 0 && this.real.monotonic() - from < withinMs) await this.run(STEP_MS);
    return this.real.monotonic() - from;
  }

  /** Nothing runs on after a test. */
  async end(): Promise<void> {
    for (const machine of this.machines) machine.kill();
    await settle();
  }
}

const rate = fc.double({ min: 1 - SKEW, max: 1 + SKEW, noNaN: true });
const weather = fc.record({
  there: fc.integer({ min: 0, max: 6000 }),
  back: fc.integer({ min: 0, max: 6000 }),
  lost: fc.constantFrom<Weather["lost"]>("no", "no", "no", "request", "reply"),
});
const which = fc.nat({ max: 2 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("run" as const), ms: fc.integer({ min: 100, max: 15_000 }) }),
  fc.record({ kind: fc.constant("stall" as const), which, ms: fc.integer({ min: 100, max: 20_000 }) }),
  fc.record({ kind: fc.constant("sleep" as const), which, ms: fc.integer({ min: 100, max: 20_000 }) }),
  fc.record({ kind: fc.constant("cut" as const), which, cut: fc.boolean() }),
  fc.record({
    kind: fc.constant("weather" as const),
    which,
    pattern: fc.array(weather, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("restart" as const), which }),
  fc.record({ kind: fc.constant("replace" as const), which }),
  fc.record({ kind: fc.constant("stop" as const), which }),
  fc.record({ kind: fc.constant("delete" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, given: Step): Promise<void> {
  const index = "which" in given ? given.which % world.machines.length : 0;
  const machine = world.machines[index];
  if (machine === undefined) return;
  switch (given.kind) {
    case "run":
      return world.run(given.ms);
    case "stall":
      return machine.stall(given.ms);
    case "sleep":
      return machine.sleep(given.ms);
    case "cut":
      machine.cut = given.cut;
      return;
    case "weather":
      machine.weather = given.pattern;
      return;
    case "restart":
      machine.kill();
      await world.run(100);
      return world.start(index, machine.name);
    case "replace":
      machine.kill();
      return world.start(index, null);
    case "stop": {
      await world.stop(machine);
      return world.start(index, null);
    }
    case "delete":
      // By hand, while it is held: whoever comes next must not meet the old holder's writes.
      if (world.holder === "") world.server.delete(LEASES, "metallb-system/berth-controller");
  }
}

describe("replicas with clocks that drift, stalls, pauses, slow and lost requests, and cuts", () => {
  it("never write while another may, and agree on a leader within the bound once the network is well", async () => {
    let writes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(rate, rate, rate),
        fc.array(step, { maxLength: 14, size: "max" }),
        async (rates, steps) => {
          const world = new World(rates);
          for (const each of steps) await take(world, each);
          expect(world.broken).toEqual([]);
          for (const machine of world.machines) {
            machine.cut = false;
            machine.weather = [{ there: 5, back: 5, lost: "no" }];
          }
          await world.run(45_000);
          expect(world.leaders()).toHaveLength(1);
          const [leader] = world.leaders();
          leader?.kill();
          const took = await world.untilLed(60_000);
          // A slow clock measures the same wait longer; requests take 10 ms each.
          expect(took).toBeLessThanOrEqual(takeOverBoundMs(TIMINGS) / (1 - SKEW) + 200);
          expect(world.broken).toEqual([]);
          writes += world.writes;
          await world.end();
        },
      ),
      { numRuns: 300 },
    );
    expect(writes).toBeGreaterThan(1000);
  }, 120_000);

  it("hand over at once at a graceful end", async () => {
    const world = new World([1, 1, 1]);
    await world.untilLed(1000);
    const [leader] = world.leaders();
    if (leader !== undefined) await world.stop(leader);
    expect(await world.untilLed(60_000)).toBeLessThan(500);
    expect(world.leaders()).toHaveLength(1);
    expect(world.leaders()).not.toContain(leader);
    await world.end();
  });

  it("say of themselves on the Lease what is so now, with each renewal", async () => {
    const world = new World([1]);
    await world.untilLed(1000);
    const [leader] = world.leaders();
    const at = () => Number(world.said.split(" at ")[1]);
    const first = at();
    expect(world.said).toMatch(`${leader?.name} at `);
    await world.run(3 * TIMINGS.retryMs);
    expect(at() - first).toBeGreaterThan(TIMINGS.retryMs);
    await world.end();
  });

  it("resume at once after a restart of the only one, though its Lease is not over", async () => {
    const world = new World([1]);
    await world.untilLed(1000);
    const [leader] = world.leaders();
    leader?.kill();
    await world.run(100);
    world.start(0, leader?.name ?? "");
    expect(await world.untilLed(60_000)).toBeLessThan(500);
    await world.end();
  });
});
