/** What the model knows of the world, in words of its own: addresses are texts, pools are lists of texts. */

export const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
export type Name = (typeof NAMES)[number];
/** Half of them in each namespace. */
export const NAMESPACE_OF: Readonly<Record<Name, "shop" | "lab">> = {
  a: "shop",
  b: "shop",
  c: "shop",
  d: "lab",
  e: "lab",
  f: "lab",
};
/** The family of the first cluster IP never changes (Kubernetes forbids it). */
export const PRIMARY: Readonly<Record<Name, 4 | 6>> = { a: 4, b: 4, c: 4, d: 4, e: 4, f: 6 };

export const POOLS = ["p", "q", "r"] as const;
export type PoolName = (typeof POOLS)[number];

/** Ranges of addresses; each belongs to one pool at most, so that pools never overlap. */
export const BLOCKS = {
  low: { text: "10.0.1.1-10.0.1.2", addresses: ["10.0.1.1", "10.0.1.2"] },
  buggy: { text: "10.0.2.255-10.0.3.1", addresses: ["10.0.2.255", "10.0.3.0", "10.0.3.1"] },
  one: { text: "10.0.4.7/32", addresses: ["10.0.4.7"] },
  six: { text: "fd00:1::1-fd00:1::2", addresses: ["fd00:1::1", "fd00:1::2"] },
  six2: { text: "fd00:2::/128", addresses: ["fd00:2::"] },
} as const;
export type BlockName = keyof typeof BLOCKS;
export const BLOCK_NAMES = Object.keys(BLOCKS) as BlockName[];
export const EVERY_ADDRESS: readonly string[] = BLOCK_NAMES.flatMap((name) => [...BLOCKS[name].addresses]);

export interface PoolFacts {
  readonly blocks: readonly BlockName[];
  readonly autoAssign: boolean;
  readonly avoidBuggy: boolean;
  /** Null: an ordinary pool. */
  readonly pinned: null | {
    readonly priority: number;
    readonly namespace: "shop" | "lab" | null;
    /** Of the label "team" of namespaces. */
    readonly team: "red" | "blue" | null;
    /** Of the label "app" of Services. */
    readonly app: "web" | "db" | null;
  };
}

export type Mode = "single" | "prefer-one" | "prefer-both" | "require-both" | "require-one";

export interface ServiceFacts {
  readonly mode: Mode;
  readonly key: "" | "k" | "l";
  readonly ports: readonly string[];
  /** Null: externalTrafficPolicy Cluster. */
  readonly local: null | "x" | "y";
  readonly app: "web" | "db";
  readonly pool: PoolName | null;
  /** As asked for; "ten" is no address. */
  readonly ips: readonly string[];
}

export interface HoldFacts {
  readonly addresses: readonly string[];
  /** What `addresses` cover of the world. */
  readonly covers: readonly string[];
}

export function familyOf(ip: string): 4 | 6 {
  return ip.includes(":") ? 6 : 4;
}

export function familiesOf(name: Name, { mode }: ServiceFacts): readonly (4 | 6)[] {
  const primary = PRIMARY[name];
  return mode === "prefer-both" || mode === "require-both" ? [primary, primary === 4 ? 6 : 4] : [primary];
}

export function mayShare(one: ServiceFacts, other: ServiceFacts): boolean {
  if (one.key === "" || one.key !== other.key || one.local !== other.local) return false;
  return !one.ports.some((port) => other.ports.includes(port));
}

export function isBuggy(ip: string): boolean {
  return /\.(0|255)$/.test(ip);
}
