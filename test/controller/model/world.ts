import { expect } from "vitest";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION, DEPRECATED_PREFIX } from "#api/names";
import { ADDRESS_HOLDS, IP_ADDRESS_POOLS, NAMESPACES, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Operation } from "../../support/memory-cluster.ts";
import { NS, Rig } from "../rig.ts";
import {
  BLOCKS,
  EVERY_ADDRESS,
  familiesOf,
  familyOf,
  isBuggy,
  mayShare,
  NAMES,
  NAMESPACE_OF,
  type Name,
  type PoolFacts,
  type PoolName,
  type ServiceFacts,
} from "./facts.ts";
import { Oracle } from "./oracle.ts";
import { holdObject, poolSpec, Seen, SPOILT_HOLD } from "./seen.ts";
import type { Change, Step } from "./steps.ts";

const DEFAULTS: Omit<PoolFacts, "blocks"> = { autoAssign: true, avoidBuggy: false, pinned: null };
/** Longer than any back-off, any hold that ends, and the minute in which only so many may leave a conflict. */
const REST_MS = 130_000;

/** A cluster with a controller, users who change it, and what the model expects of it. */
export class World {
  readonly rig = new Rig();
  readonly #facts = new Map<Name, ServiceFacts>();
  /** Every version since the last rest: writes may have been decided on any of them. */
  readonly #versions = new Map<Name, ServiceFacts[]>();
  readonly #pools = new Map<PoolName, { readonly facts: PoolFacts; readonly isSpoilt: boolean }>();
  /** Addresses at the last rest that have been legal without a break since: those may not change. */
  readonly #settled = new Map<Name, readonly string[]>();
  /** Held back without a break since the last rest: nobody may get one of these now. */
  #heldAllAlong: ReadonlySet<string> = new Set();
  #isDisturbed = false;
  #isLagging = false;
  #isFailing = false;
  #seen: Seen | null = null;
  /** Found while the controller wrote: an exception there would be its to handle. */
  readonly #violations: unknown[] = [];
  readonly #lastShown = new Map<Name, readonly string[]>();
  readonly #oracle = new Oracle({
    seen: this.#lookingAt,
    facts: (name) => this.#facts.get(name),
    shown: (name) => this.#shown(name),
    others: (name) => NAMES.filter((other) => other !== name),
  });

  /** The oracle looks through the eyes of whatever instance runs now. */
  get #lookingAt(): Seen {
    return new Proxy({} as Seen, {
      get: (_target, key) => {
        const value = Reflect.get(this.#now, key);
        return typeof value === "function" ? value.bind(this.#now) : value;
      },
    });
  }

  get #now(): Seen {
    if (this.#seen === null) throw new Error("no controller was started");
    return this.#seen;
  }

  async start(): Promise<void> {
    const { server } = this.rig;
    for (const name of ["shop", "lab"]) server.set(NAMESPACES, { metadata: { name } });
    server.watch(({ kind }) => {
      if (kind === "/services") this.#lookAtWrites();
    });
    this.#setPool("p", { ...DEFAULTS, blocks: ["low", "six"] });
    this.#setPool("q", { ...DEFAULTS, blocks: ["buggy"] });
    await this.#startController();
  }

  async #startController(): Promise<void> {
    const starting = this.rig.start();
    this.#seen = new Seen(this.rig, () => this.#review());
    await starting;
    this.#review();
  }

  async take(step: Step): Promise<void> {
    const { rig } = this;
    this.#review();
    switch (step.kind) {
      case "calm":
        await this.settle();
        return;
      case "wait":
        await rig.calm(step.seconds * 1000);
        return;
      case "restart":
        this.#disturb();
        await rig.kill();
        await this.#startController();
        return;
      case "crash": {
        this.#disturb();
        let left = step.at;
        rig.server.fault = ({ verb }) => {
          if (verb === "list" || verb === "get" || left-- > 0) return null;
          rig.server.fault = () => null;
          // Whatever else it asks from now on never arrives.
          void rig.cluster.close();
          return step.written ? "lost" : new Fault("unavailable", "killed");
        };
        this.#change(step.change);
        await rig.calm(100);
        rig.server.fault = () => null;
        await rig.kill();
        this.#isLagging = false;
        await this.#startController();
        return;
      }
      case "lag":
        this.#disturb();
        this.#isLagging = true;
        rig.cluster.lag = true;
        rig.cluster.deliver(step.deliver);
        await rig.calm(100);
        return;
      case "lost-watch":
        this.#disturb();
        rig.cluster.loseWatches();
        for (const change of step.changes) {
          if (change.kind !== "spoil" && change.kind !== "spoil-hold") this.#change(change);
          await rig.calm(20);
        }
        rig.cluster.relist();
        await rig.calm(100);
        return;
      case "faults": {
        this.#disturb();
        this.#isFailing = true;
        let turn = 0;
        rig.server.fault = ({ verb }: Operation) => {
          const outcome = verb === "list" ? "ok" : step.pattern[turn++ % step.pattern.length];
          if (outcome === "lost") return "lost";
          if (outcome === "down") return new Fault("unavailable", "down");
          if (outcome === "conflict") return verb === "patch" ? new Fault("conflict", "changed meanwhile") : null;
          return outcome === "forbidden" && verb === "patch" ? new Fault("forbidden", "not yours") : null;
        };
        return;
      }
      default:
        this.#change(step);
        await rig.calm(100);
    }
  }

  /** Everything delivered, nothing failing, back-offs run out: then all must be right, and stay so without a write. */
  async settle(): Promise<void> {
    const { rig } = this;
    rig.server.fault = () => null;
    rig.cluster.lag = false;
    this.#isLagging = false;
    this.#isFailing = false;
    rig.cluster.deliver();
    await rig.calm(REST_MS);
    this.#review();
    for (const name of this.#facts.keys()) this.#lookAt(name);
    for (const [name, ips] of this.#settled) {
      const lost = ips.filter((ip) => !this.#shown(name).includes(ip));
      expect({ "moved without need": name, was: ips, lost }).toMatchObject({ lost: [] });
    }
    this.#lookAtCounters();
    expect(this.#violations).toEqual([]);
    const writes = rig.server.writes.length;
    await rig.calm(5000);
    expect({ "written at rest": rig.server.writes.slice(writes) }).toEqual({ "written at rest": [] });

    this.#isDisturbed = false;
    this.#settled.clear();
    for (const [name, facts] of this.#facts) {
      this.#versions.set(name, [facts]);
      if (this.#shown(name).length > 0) this.#settled.set(name, this.#shown(name));
    }
    this.#heldAllAlong = new Set(EVERY_ADDRESS.filter((ip) => this.#now.isHeld(ip)));
  }

  #lookAt(name: Name): void {
    const object = this.#object(name);
    const ips = this.#shown(name);
    const from = object?.metadata.annotations?.[ANNOTATION.allocatedFromPool];
    const condition = object?.status?.conditions?.find(({ type }) => type === CONDITION.addressAssigned);
    if (ips.length === 0) {
      const waits = { "waits in vain": name, could: this.#oracle.couldHave(name), says: condition?.status, from };
      expect(waits).toEqual({ "waits in vain": name, could: null, says: "False", from: undefined });
      return;
    }
    if (ips.some((ip) => this.#oracle.poolOf(ip) === undefined)) {
      const outside = { "outside every pool": name, ips, untouchable: this.#oracle.isUntouchable(from) };
      expect(outside).toMatchObject({ untouchable: true });
      return;
    }
    expect({ "may not hold": name, ips, legal: this.#oracle.mayKeep(name, ips) }).toMatchObject({ legal: true });
    const clashes = ips.flatMap((ip) => this.#oracle.clash(name, ip) ?? []);
    expect({ "shares with whom it may not": name, ips, clashes }).toMatchObject({ clashes: [] });
    expect({ "lacks an address": name, ips, could: this.#oracle.couldAdd(name, ips) }).toEqual({
      "lacks an address": name,
      ips,
    });
    const pool = this.#oracle.poolOf(ips[0] ?? "");
    expect({ says: name, from, status: condition?.status }).toEqual({ says: name, from: pool, status: "True" });
  }

  #lookAtCounters(): void {
    const used = new Set(NAMES.flatMap((name) => this.#shown(name)));
    for (const [pool, { blocks, avoidBuggy }] of this.#now.pools) {
      const own = blocks.flatMap((block) => [...BLOCKS[block].addresses] as string[]);
      const usable = own.filter((ip) => !avoidBuggy || !isBuggy(ip));
      const count = (family: 4 | 6) => {
        const all = usable.filter((ip) => familyOf(ip) === family);
        const assigned = all.filter((ip) => used.has(ip)).length;
        return { assigned, available: all.length - assigned };
      };
      const [four, six] = [count(4), count(6)];
      const status = this.rig.server.at(IP_ADDRESS_POOLS, `${NS}/${pool}`)?.status;
      expect({ "counters of": pool, ...status }).toEqual({
        "counters of": pool,
        assignedIPv4: four.assigned,
        assignedIPv6: six.assigned,
        availableIPv4: four.available,
        availableIPv6: six.available,
      });
    }
  }

  /**
   * The moment an address appears in a status: a pool must have it, nobody else may have it who could never share it,
   * and nobody hold it back.
   */
  #lookAtWrites(): void {
    for (const name of NAMES) {
      const [before, now] = [this.#lastShown.get(name) ?? [], this.#shown(name)];
      this.#lastShown.set(name, now);
      for (const ip of now.filter((each) => !before.includes(each))) {
        if (this.#heldAllAlong.has(ip) && this.#now.isHeld(ip))
          this.#violations.push({ name, "was given what is held": ip });
        if (this.#oracle.poolOf(ip) === undefined) this.#violations.push({ name, "was given what no pool has": ip });
        for (const other of NAMES) {
          if (other === name || !this.#shown(other).includes(ip)) continue;
          const could = this.#versionsOf(name).some((one) => this.#versionsOf(other).some((its) => mayShare(one, its)));
          if (!could) this.#violations.push({ name, "was given what is not free": ip, other });
        }
      }
    }
  }

  /** Takes out of the protected what is legal no longer. Runs whenever the controller may have seen something new. */
  #review(edited?: Name): void {
    for (const [name, ips] of this.#settled) {
      const clash = ips.map((ip) => this.#oracle.clash(name, ip)).find((other) => other !== undefined);
      // Who changes so that it fits no more has to go; who only stands by stays, if the controller saw it happen.
      const hasToYield = clash !== undefined && edited !== undefined && (edited !== clash || this.#isDisturbed);
      // With a second address since, what may not stay together is taken apart, and either may be the one that stays.
      const shown = this.#shown(name);
      const together = ips.every((ip) => shown.includes(ip)) ? shown : ips;
      const isLegal = this.#oracle.mayKeep(name, ips) && (this.#oracle.mayKeep(name, together) || together.length > 2);
      const mayLeave = this.#facts.get(name)?.ips.length === 0 && ips.some((ip) => this.#now.isInConflict(ip));
      if (hasToYield || mayLeave || !isLegal) this.#settled.delete(name);
    }
    this.#heldAllAlong = new Set([...this.#heldAllAlong].filter((ip) => this.#now.isHeld(ip)));
  }

  /** From here to the next rest the controller may see things late, together, or never. */
  #disturb(): void {
    this.#isDisturbed = true;
    for (const [name, ips] of this.#settled) {
      if (ips.some((ip) => this.#oracle.clash(name, ip) !== undefined)) this.#settled.delete(name);
    }
  }

  #change(change: Change): void {
    const { server } = this.rig;
    switch (change.kind) {
      case "put": {
        const { name, facts } = change;
        const before = this.#facts.get(name);
        this.#put(name, facts);
        // A share of its address may be promised already to one who fits no more, in a write that nobody has seen yet.
        const its = NAMES.filter((other) => other !== name).flatMap((other) => this.#facts.get(other) ?? []);
        const breaks = (one: ServiceFacts) => before !== undefined && mayShare(before, one) && !mayShare(facts, one);
        if (this.#isFailing && its.some(breaks)) this.#settled.delete(name);
        this.#review(name);
        return;
      }
      case "delete":
        server.delete(SERVICES, keyOf(change.name));
        this.#facts.delete(change.name);
        this.#settled.delete(change.name);
        return;
      case "unexpose": {
        const present = this.#object(change.name);
        if (present === undefined) return;
        // An API server takes the addresses out of the status itself when the type changes.
        const status = { ...present.status, loadBalancer: {} };
        server.set(SERVICES, { ...present, spec: { ...present.spec, type: "ClusterIP" }, status });
        this.#facts.delete(change.name);
        this.#settled.delete(change.name);
        return;
      }
      case "give": {
        const owner = [...this.#pools].find(([, { facts }]) => facts.blocks.includes(change.block))?.[0];
        const target = change.to === null ? undefined : this.#pools.get(change.to);
        if (owner === change.to || target?.isSpoilt) return;
        if (owner !== undefined) {
          const { facts, isSpoilt } = this.#poolOf(owner);
          if (isSpoilt) return;
          const blocks = facts.blocks.filter((block) => block !== change.block);
          if (blocks.length === 0) this.#dropPool(owner);
          else this.#setPool(owner, { ...facts, blocks });
        }
        if (change.to === null) return;
        const { blocks, ...settings } = target?.facts ?? { ...DEFAULTS, blocks: [] };
        this.#setPool(change.to, { ...settings, blocks: [...blocks, change.block] });
        return;
      }
      case "set": {
        const known = this.#pools.get(change.pool);
        if (known !== undefined) this.#setPool(change.pool, { ...change.settings, blocks: known.facts.blocks });
        return;
      }
      case "rename": {
        const known = this.#pools.get(change.pool);
        if (known === undefined || known.isSpoilt || this.#pools.has(change.to)) return;
        this.#dropPool(change.pool);
        this.#setPool(change.to, known.facts);
        return;
      }
      case "spoil": {
        const known = this.#pools.get(change.pool);
        // While it lags, the version that stays in force might be one that owns what others own now.
        if (known !== undefined && !this.#isLagging) this.#setPool(change.pool, known.facts, true);
        return;
      }
      case "drop":
        if (this.#pools.has(change.pool)) this.#dropPool(change.pool);
        return;
      case "label": {
        const labels: Record<string, string> = change.team === null ? {} : { team: change.team };
        server.set(NAMESPACES, { metadata: { name: change.namespace, labels } });
        return;
      }
      case "hold": {
        const { hold, facts, reason, expires } = change;
        const expiry = new Date(this.rig.clock.now() + (expires ?? 0) * 1000).toISOString();
        server.set(ADDRESS_HOLDS, holdObject(hold, facts, { reason, ...(expires !== null && { expiry }) }));
        return;
      }
      case "spoil-hold":
        if (server.at(ADDRESS_HOLDS, change.hold)) server.set(ADDRESS_HOLDS, holdObject(change.hold, SPOILT_HOLD));
        return;
      case "unhold":
        server.delete(ADDRESS_HOLDS, change.hold);
        return;
    }
  }

  #put(name: Name, facts: ServiceFacts): void {
    const present = this.#object(name);
    const annotations: Record<string, string> = {};
    const from = present?.metadata.annotations?.[ANNOTATION.allocatedFromPool];
    if (from !== undefined) annotations[ANNOTATION.allocatedFromPool] = from;
    // Some still write the annotations in the old way.
    const prefix = name === "b" || name === "e" ? DEPRECATED_PREFIX : "metallb.io/";
    if (facts.key !== "") annotations[`${prefix}allow-shared-ip`] = facts.key;
    if (facts.pool !== null) annotations[`${prefix}address-pool`] = facts.pool;
    if (facts.ips.length > 0) annotations[`${prefix}loadBalancerIPs`] = facts.ips.join(", ");
    const clusterIPs = familiesOf(name, facts).map((family) => (family === 4 ? "10.96.0.1" : "fd96::1"));
    const [kind] = facts.mode.split("-");
    const wasExposed = present?.spec?.type === "LoadBalancer";
    this.rig.server.set<Service>(SERVICES, {
      metadata: { name, namespace: NAMESPACE_OF[name], labels: { app: facts.app }, annotations },
      spec: {
        type: "LoadBalancer",
        clusterIPs,
        ipFamilies: clusterIPs.map((ip) => (ip.includes(":") ? "IPv6" : "IPv4")),
        ipFamilyPolicy: kind === "single" ? "SingleStack" : kind === "prefer" ? "PreferDualStack" : "RequireDualStack",
        externalTrafficPolicy: facts.local === null ? "Cluster" : "Local",
        selector: { app: facts.local ?? "any" },
        ports: facts.ports.map((text) => {
          const [protocol = "TCP", port = "80"] = text.split("/");
          return { name: text.replace("/", "-"), protocol, port: Number(port) };
        }),
      },
      status: present?.status ?? { loadBalancer: {} },
    });
    this.#facts.set(name, facts);
    this.#versions.set(name, wasExposed ? [...this.#versionsOf(name), facts] : [facts]);
  }

  #setPool(name: PoolName, facts: PoolFacts, isSpoilt = false): void {
    const present = this.rig.server.at(IP_ADDRESS_POOLS, `${NS}/${name}`);
    this.rig.server.set(IP_ADDRESS_POOLS, {
      metadata: { name, namespace: NS },
      spec: poolSpec(facts, isSpoilt),
      ...(present?.status && { status: present.status }),
    });
    this.#pools.set(name, { facts, isSpoilt });
  }

  #dropPool(name: PoolName): void {
    this.rig.server.delete(IP_ADDRESS_POOLS, `${NS}/${name}`);
    this.#pools.delete(name);
  }

  #poolOf(name: PoolName) {
    const found = this.#pools.get(name);
    if (found === undefined) throw new Error(`no pool ${name}`);
    return found;
  }

  #versionsOf(name: Name): readonly ServiceFacts[] {
    return this.#versions.get(name) ?? [];
  }

  #object(name: Name): Service | undefined {
    return this.rig.server.at(SERVICES, keyOf(name));
  }

  #shown(name: Name): readonly string[] {
    const object = this.#object(name);
    if (object?.spec?.type !== "LoadBalancer") return [];
    return (object.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  }
}

function keyOf(name: Name): string {
  return `${NAMESPACE_OF[name]}/${name}`;
}
