import type { AddressHold } from "#api/holds";
import type { IPAddressPool } from "#api/metallb";
import { ADDRESS_HOLDS, IP_ADDRESS_POOLS, NAMESPACES } from "#api/resources";
import { NS, type Rig } from "../rig.ts";
import { BLOCK_NAMES, BLOCKS, type BlockName, type HoldFacts, type PoolFacts, type PoolName } from "./facts.ts";

interface HoldInForce extends HoldFacts {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null;
}

/** As the controller gathers changes of its configuration; read a moment later, in the same tick. */
const GATHER_MS = 5;

/**
 * What one instance of the controller has been shown, and so what is in force for it: of an object that is invalid
 * now, the last valid version that this instance has seen.
 */
export class Seen {
  readonly pools = new Map<PoolName, PoolFacts>();
  /** Objects that are invalid and have no version in force. */
  readonly leftOut = new Set<PoolName>();
  readonly holds = new Map<string, HoldInForce>();
  teams: Readonly<Record<string, string | undefined>> = {};
  readonly #rig: Rig;

  /** `onNews` is called whenever something else is in force than before. */
  constructor(rig: Rig, onNews: () => void) {
    this.#rig = rig;
    const { cluster, clock } = rig;
    let waits = false;
    const soon = () => {
      if (waits) return;
      waits = true;
      clock.schedule(GATHER_MS, () => {
        waits = false;
        this.#readPools();
        onNews();
      });
    };
    cluster.cache(IP_ADDRESS_POOLS, { namespace: NS }).onChange(soon);
    cluster.cache(NAMESPACES).onChange(soon);
    cluster.cache(ADDRESS_HOLDS).onChange(() => {
      this.#readHolds();
      onNews();
    });
    this.#readPools();
    this.#readHolds();
  }

  /** Held back at this moment. */
  isHeld(ip: string): boolean {
    return this.#holdsOf(ip).length > 0;
  }

  /** Another machine uses the address: who has not asked for it may be given another one. */
  isInConflict(ip: string): boolean {
    return this.#holdsOf(ip).some(({ reason }) => reason === "conflict");
  }

  #holdsOf(ip: string): readonly HoldInForce[] {
    const now = this.#rig.clock.now();
    return [...this.holds.values()].filter(
      ({ covers, expiresAt }) => covers.includes(ip) && (expiresAt === null || expiresAt > now),
    );
  }

  #readPools(): void {
    const { cluster } = this.#rig;
    const objects = cluster.cache(IP_ADDRESS_POOLS, { namespace: NS }).list();
    this.teams = Object.fromEntries(
      cluster
        .cache(NAMESPACES)
        .list()
        .map(({ metadata }) => [metadata.name ?? "", metadata.labels?.team]),
    );
    const present = new Set(objects.map(({ metadata }) => metadata.name as PoolName));
    for (const name of this.pools.keys()) if (!present.has(name)) this.pools.delete(name);
    this.leftOut.clear();
    for (const object of objects) {
      const facts = poolFacts(object);
      const name = object.metadata.name as PoolName;
      if (facts !== null) this.pools.set(name, facts);
      else if (!this.pools.has(name)) this.leftOut.add(name);
    }
  }

  #readHolds(): void {
    const objects = this.#rig.cluster.cache(ADDRESS_HOLDS).list();
    const present = new Set(objects.map(({ metadata }) => metadata.name ?? ""));
    for (const name of this.holds.keys()) if (!present.has(name)) this.holds.delete(name);
    for (const object of objects) {
      const covers = coversOf(object);
      if (covers === null) continue;
      const { addresses, expiry, reason } = object.spec;
      const expiresAt = expiry === undefined ? null : Date.parse(expiry);
      this.holds.set(object.metadata.name ?? "", { addresses, covers, expiresAt, reason });
    }
  }
}

const SPOILT = "nonsense";

export function poolSpec({ blocks, autoAssign, avoidBuggy, pinned }: PoolFacts, spoilt = false): IPAddressPool["spec"] {
  const allocation = pinned && {
    ...(pinned.priority > 0 && { priority: pinned.priority }),
    ...(pinned.namespace !== null && { namespaces: [pinned.namespace] }),
    ...(pinned.team !== null && { namespaceSelectors: [{ matchLabels: { team: pinned.team } }] }),
    ...(pinned.app !== null && { serviceSelectors: [{ matchLabels: { app: pinned.app } }] }),
  };
  const addresses = [...blocks.map((block): string => BLOCKS[block].text), ...(spoilt ? [SPOILT] : [])];
  return { addresses, autoAssign, avoidBuggyIPs: avoidBuggy, ...(allocation && { serviceAllocation: allocation }) };
}

/** Null for an object that cannot be valid. */
export function poolFacts({ spec }: IPAddressPool): PoolFacts | null {
  if (spec.addresses.includes(SPOILT) || spec.addresses.length === 0) return null;
  const blocks = spec.addresses.map((text) => BLOCK_NAMES.find((name) => BLOCKS[name].text === text) as BlockName);
  const allocation = spec.serviceAllocation;
  const pinned = allocation && {
    priority: allocation.priority ?? 0,
    namespace: (allocation.namespaces?.[0] ?? null) as "shop" | "lab" | null,
    team: (allocation.namespaceSelectors?.[0]?.matchLabels?.team ?? null) as "red" | "blue" | null,
    app: (allocation.serviceSelectors?.[0]?.matchLabels?.app ?? null) as "web" | "db" | null,
  };
  return { blocks, autoAssign: spec.autoAssign, avoidBuggy: spec.avoidBuggyIPs, pinned: pinned ?? null };
}

/** The object says itself what it covers, so that nobody has to read ranges here; null when it is spoilt. */
function coversOf({ spec, metadata }: AddressHold): readonly string[] | null {
  return spec.addresses.includes(SPOILT) ? null : (metadata.annotations?.covers ?? "").split(",");
}

export function holdObject(name: string, { addresses, covers }: HoldFacts, more: Partial<AddressHold["spec"]> = {}) {
  return {
    metadata: { name, annotations: { covers: covers.join(",") } },
    spec: { addresses: [...addresses], reason: "reserved" as const, ...more },
  };
}

export const SPOILT_HOLD: HoldFacts = { addresses: [SPOILT], covers: [] };
