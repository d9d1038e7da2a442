import { hex, sha256, utf8 } from "#core/sha256";
import { frontendKey } from "../proxy/service-frontends.ts";
import type { Backend, Frontend } from "../proxy/shapes.ts";
import { type ProxyTable, usableBackends } from "../proxy/table.ts";
import { CLUSTER_NET, POD_NET } from "./plan.ts";

/** One address family's share of a node's service proxy. */
interface FamilyRules {
  /** By name; rules in order. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Sets that remember clients of a backend (session affinity): name and seconds. */
  readonly affinity: ReadonlyMap<string, number>;
  /** `address . protocol . port : verdict` */
  readonly services: readonly string[];
  /** `protocol . port : verdict` */
  readonly nodePorts: readonly string[];
  /** Frontends without a backend that may be used: refused, or for policy Local silently dropped. */
  readonly closed: readonly string[];
  readonly closedNodePorts: readonly string[];
  readonly addresses: readonly string[];
}

export interface Ruleset {
  readonly ip: FamilyRules;
  readonly ip6: FamilyRules;
}

const MARK = "0x4000";
/** Set on what must leave with this node's address, as kube-proxy does. */
const MASQUERADE = `meta mark set meta mark or ${MARK}`;

/**
 * What kube-proxy (mode nftables) programs on one node for these Services:
 * a random usable backend per connection, external and internal traffic
 * policy, session affinity, NodePorts, masquerade; ports that nobody serves
 * are refused. Pure.
 */
export function buildRuleset(table: ProxyTable, node: string): Ruleset {
  return { ip: familyRules(table, node, 4), ip6: familyRules(table, node, 6) };
}

function familyRules(table: ProxyTable, node: string, family: 4 | 6): FamilyRules {
  const builder = new FamilyBuilder(node, family);
  for (const [key, frontend] of table.frontends) {
    const [address = "", port = ""] = key.split("|");
    if (address.includes(":") !== (family === 6)) continue;
    const external = table.loadBalancerAddresses.has(address);
    builder.add(`${address} . ${frontend.protocol.toLowerCase()} . ${port}`, frontend, external, "service");
  }
  if (family === 4) {
    for (const frontend of table.nodePorts.values()) {
      builder.add(`${frontend.protocol.toLowerCase()} . ${frontend.port}`, frontend, true, "nodePort");
    }
  }
  const addresses = [...table.loadBalancerAddresses].filter((one) => one.includes(":") === (family === 6)).sort();
  return { ...builder.rules, addresses };
}

class FamilyBuilder {
  readonly rules = {
    chains: new Map<string, readonly string[]>(),
    affinity: new Map<string, number>(),
    services: [] as string[],
    nodePorts: [] as string[],
    closed: [] as string[],
    closedNodePorts: [] as string[],
  };
  readonly #node: string;
  readonly #family: 4 | 6;

  constructor(node: string, family: 4 | 6) {
    this.#node = node;
    this.#family = family;
  }

  add(match: string, frontend: Frontend, external: boolean, kind: "service" | "nodePort"): void {
    const { rules } = this;
    const own = usableBackends(frontend, this.#node);
    const anywhere = usableBackends({ ...frontend, local: false }, this.#node);
    if (typeof own === "string") {
      const verdict = own === "drop" ? "drop" : "goto refused";
      rules[kind === "service" ? "closed" : "closedNodePorts"].push(`${match} : ${verdict}`);
    }
    if (typeof anywhere === "string" || (typeof own === "string" && !external)) return;
    const name = `front-${short(`${kind} ${match}`)}`;
    rules.chains.set(name, external ? this.#external(frontend, own, anywhere) : this.#internal(frontend, own));
    rules[kind === "service" ? "services" : "nodePorts"].push(`${match} : goto ${name}`);
  }

  /** From pods a ClusterIP is reached with their own address, from anywhere else with the node's. */
  #internal(frontend: Frontend, own: readonly Backend[] | string): readonly string[] {
    const target = typeof own === "string" ? [] : [`goto ${this.#pick(frontend, own)}`];
    return [`${this.#ip} saddr != ${POD_NET[this.#family]} ${MASQUERADE}`, ...target];
  }

  /** Policy Local keeps the client's address; pods and the node itself may use backends on other nodes all the same. */
  #external(frontend: Frontend, own: readonly Backend[] | string, anywhere: readonly Backend[]): readonly string[] {
    const all = this.#pick(frontend, anywhere);
    if (!frontend.local) return [MASQUERADE, `goto ${all}`];
    return [
      `${this.#ip} saddr ${POD_NET[this.#family]} goto ${all}`,
      `fib saddr type local ${MASQUERADE}`,
      `fib saddr type local goto ${all}`,
      ...(typeof own === "string" ? [] : [`goto ${this.#pick(frontend, own)}`]),
    ];
  }

  #pick(frontend: Frontend, backends: readonly Backend[]): string {
    const ends = backends.map((backend) => this.#end(frontend, backend));
    const name = `pick-${short([frontend.portKey, ...ends.map(({ chain }) => chain)].join(" "))}`;
    if (!this.rules.chains.has(name)) {
      const kept = ends.flatMap(({ chain, set }) => (set === null ? [] : [`${this.#ip} saddr @${set} goto ${chain}`]));
      const verdicts = ends.map(({ chain }, index) => `${index} : goto ${chain}`).join(", ");
      this.rules.chains.set(name, [...kept, `numgen random mod ${ends.length} vmap { ${verdicts} }`]);
    }
    return name;
  }

  #end(frontend: Frontend, backend: Backend): { readonly chain: string; readonly set: string | null } {
    const { portKey, affinityMs, protocol } = frontend;
    const id = short(`${portKey} ${backend.address} ${backend.port} ${affinityMs}`);
    const chain = `end-${id}`;
    const set = affinityMs === null ? null : `kept-${id}`;
    if (set !== null) this.rules.affinity.set(set, Math.max(1, Math.round((affinityMs ?? 0) / 1000)));
    const to = this.#family === 6 ? `[${backend.address}]:${backend.port}` : `${backend.address}:${backend.port}`;
    this.rules.chains.set(chain, [
      // A pod that meets itself must see an answer from where it asked.
      `${this.#ip} saddr ${backend.address} ${MASQUERADE}`,
      ...(set === null ? [] : [`update @${set} { ${this.#ip} saddr }`]),
      `meta l4proto ${protocol.toLowerCase()} dnat to ${to}`,
    ]);
    return { chain, set };
  }

  get #ip(): string {
    return this.#family === 6 ? "ip6" : "ip";
  }
}

/**
 * The nft text that leads from one ruleset to the next in a single
 * transaction; clients keep the backend they are remembered at. From null
 * everything that was there is replaced.
 */
export function transaction(before: Ruleset | null, after: Ruleset): string {
  return [
    ...familyText("ip", before?.ip ?? null, after.ip),
    ...familyText("ip6", before?.ip6 ?? null, after.ip6),
    "",
  ].join("\n");
}

function familyText(family: "ip" | "ip6", before: FamilyRules | null, after: FamilyRules): readonly string[] {
  const table = `${family} berth`;
  const [type, version] = family === "ip" ? (["ipv4_addr", 4] as const) : (["ipv6_addr", 6] as const);
  const base = baseChains(family, version);
  const gone = [...(before?.chains.keys() ?? [])].filter((name) => !after.chains.has(name));
  const forgotten = [...(before?.affinity.keys() ?? [])].filter((name) => !after.affinity.has(name));
  const maps = [
    ["services", after.services, `type ${type} . inet_proto . inet_service : verdict;`, "map"],
    ["node-ports", after.nodePorts, "type inet_proto . inet_service : verdict;", "map"],
    ["closed", after.closed, `type ${type} . inet_proto . inet_service : verdict;`, "map"],
    ["closed-node-ports", after.closedNodePorts, "type inet_proto . inet_service : verdict;", "map"],
    ["addresses", after.addresses, `type ${type};`, "set"],
  ] as const;
  return [
    `add table ${table}`,
    ...(before === null ? [`delete table ${table}`, `add table ${table}`] : []),
    ...maps.map(([name, , spec, kind]) => `add ${kind} ${table} ${name} { ${spec} }`),
    ...maps.map(([name, , , kind]) => `flush ${kind} ${table} ${name}`),
    ...base.map(({ name, hook }) => `add chain ${table} ${name}${hook === null ? "" : ` { ${hook} }`}`),
    ...[...after.affinity].map(
      ([name, seconds]) => `add set ${table} ${name} { type ${type}; flags dynamic,timeout; timeout ${seconds}s; }`,
    ),
    ...[...after.chains.keys()].map((name) => `add chain ${table} ${name}`),
    ...[...base.map(({ name }) => name), ...after.chains.keys(), ...gone].map((name) => `flush chain ${table} ${name}`),
    ...gone.map((name) => `delete chain ${table} ${name}`),
    ...forgotten.map((name) => `delete set ${table} ${name}`),
    ...base.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...[...after.chains].flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...maps.flatMap(([name, elements]) =>
      elements.length === 0 ? [] : [`add element ${table} ${name} { ${elements.join(", ")} }`],
    ),
  ];
}

interface BaseChain {
  readonly name: string;
  readonly hook: string | null;
  readonly rules: readonly string[];
}

function baseChains(ip: "ip" | "ip6", version: 4 | 6): readonly BaseChain[] {
  const pods = POD_NET[version];
  const served = `${ip} daddr . meta l4proto . th dport vmap`;
  const nat = (hook: string, priority: string) => `type nat hook ${hook} priority ${priority};`;
  const filter = (hook: string) => `type filter hook ${hook} priority filter;`;
  return [
    {
      name: "served",
      hook: null,
      rules: [
        `${served} @services`,
        `${ip} daddr @addresses return`,
        "fib daddr type local meta l4proto . th dport vmap @node-ports",
      ],
    },
    { name: "prerouting", hook: nat("prerouting", "dstnat"), rules: ["jump served"] },
    { name: "output", hook: nat("output", "-100"), rules: ["jump served"] },
    {
      name: "postrouting",
      hook: nat("postrouting", "srcnat"),
      rules: [
        `meta mark and ${MARK} == ${MARK} masquerade fully-random`,
        // What pods send to the world carries the node's address; among themselves they keep their own.
        `${ip} saddr ${pods} ${ip} daddr != ${pods} oifname != "cni*" masquerade fully-random`,
      ],
    },
    { name: "refused", hook: null, rules: ["meta l4proto tcp reject with tcp reset", "reject"] },
    {
      name: "unserved",
      hook: null,
      rules: [`${served} @closed`, "fib daddr type local meta l4proto . th dport vmap @closed-node-ports"],
    },
    {
      name: "guard",
      hook: null,
      // After translation the destination is a pod, so that only ports without a Service meet these.
      rules: [
        "jump unserved",
        `${ip} daddr @addresses goto refused`,
        `${ip} daddr ${CLUSTER_NET[version]} goto refused`,
      ],
    },
    { name: "filter-input", hook: filter("input"), rules: ["jump unserved"] },
    { name: "filter-forward", hook: filter("forward"), rules: ["jump guard"] },
    // As kube-proxy's: what a speaker passes on to another node is in no connection of this one.
    { name: "filter-output", hook: filter("output"), rules: ["ct state new jump guard"] },
  ];
}

function short(text: string): string {
  return hex(sha256(utf8(text))).slice(0, 12);
}

/** The key of a frontend in a `ProxyTable`, and the same frontend with one backend of its own. */
export function redirected(
  table: ProxyTable,
  at: { readonly address: string; readonly port: number },
  to: Backend,
): ProxyTable {
  const key = frontendKey(at.address, at.port, "TCP");
  const frontend = table.frontends.get(key);
  if (frontend === undefined) return table;
  return { ...table, frontends: new Map(table.frontends).set(key, { ...frontend, backends: [to] }) };
}
