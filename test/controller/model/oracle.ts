import type { Name, PoolFacts, PoolName, ServiceFacts } from "./facts.ts";
import { BLOCKS, EVERY_ADDRESS, familiesOf, familyOf, isBuggy, mayShare, NAMESPACE_OF } from "./facts.ts";
import type { Seen } from "./seen.ts";

/** The world as the oracle asks about it. */
export interface Scene {
  readonly seen: Seen;
  /** Undefined: not there, or no LoadBalancer. */
  readonly facts: (name: Name) => ServiceFacts | undefined;
  /** In the status. */
  readonly shown: (name: Name) => readonly string[];
  readonly others: (name: Name) => readonly Name[];
}

/** Right and wrong by brute force over every address there is; knows nothing of how the allocator finds them. */
export class Oracle {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  poolOf(ip: string): PoolName | undefined {
    return [...this.#scene.seen.pools].find(([, facts]) => owns(facts, ip))?.[0];
  }

  /** Whether the Service might hold the address if it were alone in the world. */
  isOpen(name: Name, ip: string): boolean {
    const facts = this.#scene.facts(name);
    const pool = this.poolOf(ip);
    if (facts === undefined || pool === undefined) return false;
    if (facts.pool !== null && facts.pool !== pool) return false;
    const { pinned } = this.#scene.seen.pools.get(pool) as PoolFacts;
    if (pinned === null) return true;
    const namespace = NAMESPACE_OF[name];
    const isNamed = pinned.namespace === namespace;
    const isSelected = pinned.team !== null && this.#scene.seen.teams[namespace] === pinned.team;
    const isAnyNamespace = pinned.namespace === null && pinned.team === null;
    return (isNamed || isSelected || isAnyNamespace) && (pinned.app === null || pinned.app === facts.app);
  }

  /** Another Service that shows the address and may not share it. */
  clash(name: Name, ip: string): Name | undefined {
    const facts = this.#scene.facts(name);
    return this.#scene.others(name).find((other) => {
      const its = this.#scene.facts(other);
      return facts !== undefined && its !== undefined && this.#scene.shown(other).includes(ip) && !mayShare(facts, its);
    });
  }

  /** Whether the Service may go on holding exactly these, others left aside. */
  mayKeep(name: Name, ips: readonly string[]): boolean {
    const facts = this.#scene.facts(name);
    if (facts === undefined || ips.length === 0 || !ips.every((ip) => this.isOpen(name, ip))) return false;
    if (new Set(ips.map((ip) => this.poolOf(ip))).size > 1 || !this.#familiesFit(name, facts, ips)) return false;
    return !isReadable(facts) || facts.ips.length === 0 || sameSet(facts.ips, ips);
  }

  /** A set of addresses that could be given to the Service now; null when there is none. */
  couldHave(name: Name): readonly string[] | null {
    const facts = this.#scene.facts(name);
    if (facts === undefined || facts.mode === "require-one" || !isReadable(facts)) return null;
    const families = familiesOf(name, facts);
    const { seen } = this.#scene;
    const isFree = (ip: string) => this.isOpen(name, ip) && !seen.isHeld(ip) && this.clash(name, ip) === undefined;
    if (facts.ips.length > 0) {
      const fits = sameSet(facts.ips.map(familyOf), families) && this.mayKeep(name, facts.ips);
      return fits && facts.ips.every(isFree) ? facts.ips : null;
    }
    const wishes = facts.mode === "prefer-both" ? [families, ...families.map((family) => [family])] : [families];
    for (const [pool, { autoAssign }] of seen.pools) {
      if (!autoAssign && facts.pool === null) continue;
      const free = EVERY_ADDRESS.filter((ip) => this.poolOf(ip) === pool && isFree(ip));
      for (const wish of wishes) {
        const found = wish.map((family) => free.find((ip) => familyOf(ip) === family));
        if (found.every((ip) => ip !== undefined)) return found;
      }
    }
    return null;
  }

  /**
   * The address that would complete one of two under PreferDualStack; undefined when there is none, or no wish, or
   * when it has first to be seen what becomes of the one.
   */
  couldAdd(name: Name, ips: readonly string[]): string | undefined {
    const facts = this.#scene.facts(name);
    if (facts?.mode !== "prefer-both" || ips.length !== 1 || facts.ips.length > 0) return undefined;
    const [own = ""] = ips;
    if (this.#scene.seen.isInConflict(own)) return undefined;
    return EVERY_ADDRESS.find(
      (ip) =>
        familyOf(ip) !== familyOf(own) &&
        this.poolOf(ip) === this.poolOf(own) &&
        this.isOpen(name, ip) &&
        !this.#scene.seen.isHeld(ip) &&
        this.clash(name, ip) === undefined,
    );
  }

  /** Its address may be one of a pool whose object is invalid, of which nobody knows an earlier version. */
  isUntouchable(from: string | undefined): boolean {
    const { leftOut } = this.#scene.seen;
    return leftOut.size > 0 && (from === undefined || leftOut.has(from as PoolName));
  }

  #familiesFit(name: Name, facts: ServiceFacts, ips: readonly string[]): boolean {
    if (facts.mode === "require-one") return false;
    const families = familiesOf(name, facts);
    const own = ips.map(familyOf);
    if (new Set(own).size !== own.length || !own.every((family) => families.includes(family))) return false;
    return own.length === families.length || facts.mode === "prefer-both";
  }
}

function owns(facts: PoolFacts, ip: string): boolean {
  if (facts.avoidBuggy && isBuggy(ip)) return false;
  return facts.blocks.some((block) => (BLOCKS[block].addresses as readonly string[]).includes(ip));
}

function isReadable({ ips }: ServiceFacts): boolean {
  return !ips.includes("ten");
}

function sameSet<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
