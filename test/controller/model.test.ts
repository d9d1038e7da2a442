import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Service } from "#api/kubernetes";
import { ANNOTATION } from "#api/names";
import { IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { NS, pool, Rig, service } from "./rig.ts";

/** Sharing and ports are fixed by name, so that two Services may or may not share an address for good. */
const SERVICES_BY_NAME = {
  a: { key: "", port: 80 },
  b: { key: "", port: 80 },
  c: { key: "k", port: 80 },
  d: { key: "k", port: 81 },
  e: { key: "k", port: 80 },
  f: { key: "", port: 81 },
} as const;
type Name = keyof typeof SERVICES_BY_NAME;
const names = Object.keys(SERVICES_BY_NAME) as Name[];

/** Last octets of 10.0.<pool>.x; null is an object that cannot be valid. */
type Version = { readonly first: number; readonly last: number } | null;
const BASE = { p: "10.0.1", q: "10.0.2" } as const;
type PoolName = keyof typeof BASE;

type Request = { readonly pool?: PoolName; readonly ip?: string };
const requests: readonly Request[] = [{}, {}, {}, { pool: "p" }, { pool: "q" }, { ip: "10.0.1.2" }, { ip: "10.0.2.1" }];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      name: fc.constantFrom(...names),
      request: fc.constantFrom(...requests),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), name: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unexpose" as const), name: fc.constantFrom(...names) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pool" as const),
      pool: fc.constantFrom("p" as const, "q" as const),
      version: fc.constantFrom<Version>({ first: 1, last: 1 }, { first: 1, last: 2 }, { first: 2, last: 4 }, null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("drop" as const), pool: fc.constantFrom("p" as const, "q" as const) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("lag" as const), deliver: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("faults" as const),
      pattern: fc.array(fc.constantFrom("ok", "lost", "down"), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("calm" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly rig = new Rig();
  readonly #requests = new Map<Name, Request>();
  readonly #objects = new Map<PoolName, Version>();
  /** Versions in force for the instance that runs: the last valid one it has seen. */
  readonly #inForce = new Map<PoolName, NonNullable<Version>>();
  /** Addresses at the last rest that have been legal without a break since: those may not change. */
  #settled = new Map<Name, string>();
  /** Found while the controller wrote: an exception there would be its to handle. */
  readonly #violations: unknown[] = [];

  async start(): Promise<void> {
    this.rig.server.watch(() => this.#nobodySharesByAccident());
    await this.rig.start();
  }

  async take(given: Step): Promise<void> {
    await this.#do(given);
    // Between two rests the controller sees every step: what was illegal for one of them may have been given up.
    for (const [name, was] of this.#settled) {
      if (!this.#requests.has(name) || !this.#legalByItself(name, was)) this.#settled.delete(name);
    }
  }

  async #do(given: Step): Promise<void> {
    const { server } = this.rig;
    switch (given.kind) {
      case "put": {
        const { key, port } = SERVICES_BY_NAME[given.name];
        const present = this.rig.get(given.name);
        const annotations: Record<string, string> = { ...present?.metadata.annotations };
        delete annotations[ANNOTATION.addressPool];
        if (key !== "") annotations[ANNOTATION.allowSharedIP] = key;
        if (given.request.pool !== undefined) annotations[ANNOTATION.addressPool] = given.request.pool;
        const spec = { ports: [{ port }], ...(given.request.ip !== undefined && { loadBalancerIP: given.request.ip }) };
        const wanted = service(given.name, { annotations, spec });
        server.set(SERVICES, { ...wanted, ...(present?.status && { status: present.status }) });
        this.#requests.set(given.name, given.request);
        break;
      }
      case "delete":
        server.delete(SERVICES, `default/${given.name}`);
        this.#requests.delete(given.name);
        break;
      case "unexpose": {
        const present = this.rig.get(given.name);
        if (present === undefined) return;
        // An API server takes the addresses out of the status itself when the type changes.
        const status = { ...present.status, loadBalancer: {} };
        server.set(SERVICES, {
          ...present,
          spec: { ...present.spec, type: "ClusterIP", loadBalancerIP: undefined },
          status,
        });
        this.#requests.delete(given.name);
        break;
      }
      case "pool": {
        const { first, last } = given.version ?? { first: 9, last: 1 };
        server.set(IP_ADDRESS_POOLS, pool(given.pool, `${BASE[given.pool]}.${first}-${BASE[given.pool]}.${last}`));
        this.#objects.set(given.pool, given.version);
        if (given.version !== null) this.#inForce.set(given.pool, given.version);
        break;
      }
      case "drop":
        server.delete(IP_ADDRESS_POOLS, `${NS}/${given.pool}`);
        this.#objects.delete(given.pool);
        this.#inForce.delete(given.pool);
        break;
      case "restart": {
        await this.rig.kill();
        this.#inForce.clear();
        for (const [name, version] of this.#objects) if (version !== null) this.#inForce.set(name, version);
        await this.rig.start();
        break;
      }
      case "lag":
        this.rig.cluster.lag = true;
        this.rig.cluster.deliver(given.deliver);
        await this.rig.calm(300);
        break;
      case "faults": {
        let turn = 0;
        server.fault = ({ verb }) => {
          const outcome = verb === "list" ? "ok" : given.pattern[turn++ % given.pattern.length];
          return outcome === "lost" ? "lost" : outcome === "down" ? new Fault("unavailable", "down") : null;
        };
        await this.rig.calm(300);
        break;
      }
      case "calm":
        await this.settle();
    }
  }

  /** Everything delivered, nothing failing, back-offs run out. */
  async settle(): Promise<void> {
    this.rig.server.fault = () => null;
    this.rig.cluster.lag = false;
    this.rig.cluster.deliver();
    await this.rig.calm(40_000);
    const before = this.#settled;
    this.#settled = new Map(names.flatMap((name) => this.#addressOf(name).map((ip) => [name, ip] as const)));
    for (const name of this.#requests.keys()) {
      const now = this.#settled.get(name);
      const was = before.get(name);
      if (now !== undefined && this.#poolOf(now) === undefined) expect(this.#untouchable(name)).toBe(true);
      if (now === undefined)
        expect({ name, fits: this.#everything().filter((ip) => this.#fits(name, ip)) }).toEqual({ name, fits: [] });
      if (was !== undefined && was !== now)
        expect({ name, was, legal: this.#legalByItself(name, was) && this.#fits(name, was) }).toMatchObject({
          legal: false,
        });
      const request = this.#requests.get(name)?.ip;
      if (request !== undefined && now !== undefined && this.#poolOf(now) !== undefined) expect(now).toBe(request);
    }
    this.#nobodySharesByAccident();
    expect(this.#violations).toEqual([]);
    const writes = this.rig.server.writes.length;
    await this.rig.calm(5000);
    expect(this.rig.server.writes.slice(writes)).toEqual([]);
  }

  #addressOf(name: Name): string[] {
    return addresses(this.rig.get(name));
  }

  #poolOf(ip: string): PoolName | undefined {
    return [...this.#inForce].find(([name, { first, last }]) => {
      const [prefix, octet] = [ip.slice(0, ip.lastIndexOf(".")), Number(ip.slice(ip.lastIndexOf(".") + 1))];
      return prefix === BASE[name] && first <= octet && octet <= last;
    })?.[0];
  }

  #legalByItself(name: Name, ip: string): boolean {
    const request = this.#requests.get(name) ?? {};
    const owner = this.#poolOf(ip);
    return owner !== undefined && (request.pool ?? owner) === owner && (request.ip ?? ip) === ip;
  }

  #fits(name: Name, ip: string): boolean {
    if (!this.#legalByItself(name, ip)) return false;
    return names.every((other) => other === name || !this.#addressOf(other).includes(ip) || mayShare(name, other));
  }

  /** Its pool object exists and is invalid, without a valid version in force. */
  #untouchable(name: Name): boolean {
    const from = this.rig.get(name)?.metadata.annotations?.[ANNOTATION.allocatedFromPool];
    return [...this.#objects].some(
      ([each, version]) => version === null && !this.#inForce.has(each) && (from === undefined || from === each),
    );
  }

  #everything(): string[] {
    return Object.values(BASE).flatMap((base) => [1, 2, 3, 4].map((octet) => `${base}.${octet}`));
  }

  #nobodySharesByAccident(): void {
    for (const [index, one] of names.entries()) {
      for (const other of names.slice(index + 1)) {
        const shared = this.#addressOf(one).filter((ip) => this.#addressOf(other).includes(ip));
        if (shared.length > 0)
          expect({ one, other, shared, legal: mayShare(one, other) }).toMatchObject({ legal: true });
      }
    }
  }
}

function addresses(object: Service | undefined): string[] {
  if (object?.spec?.type !== "LoadBalancer") return [];
  return (object.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

function mayShare(one: Name, other: Name): boolean {
  const [a, b] = [SERVICES_BY_NAME[one], SERVICES_BY_NAME[other]];
  return a.key !== "" && a.key === b.key && a.port !== b.port;
}

describe("the controller, through any sequence of changes, restarts, stale caches and lost replies", () => {
  it("shares nothing by accident, stays inside pools, serves whoever can be served, moves nothing that is legal, and comes to rest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        const world = new World();
        await world.start();
        for (const each of steps) {
          await world.take(each);
          await world.rig.calm(100);
        }
        await world.settle();
        await world.rig.kill();
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
