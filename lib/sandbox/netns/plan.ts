import { podAddress6 } from "../proxy/pod-network.ts";

/**
 * The network `netns` as data: which hosts there are, how they are cabled, and
 * what each is told. Every address is private and exists inside the namespaces
 * only. The namespace everything is started from is the switch: it holds the
 * bridges and one cable to each host.
 */

/** The subnet that nodes, client and LoadBalancer addresses share. */
export const LAN = {
  subnet: "10.77.0.0/16",
  /** The default gateway of nodes and client. */
  router: "10.77.0.1",
  /** The API server as pods and nodes reach it. */
  control: "10.77.0.2",
  client: "10.77.0.100",
} as const;
export const POD_NET = { 4: "10.244.0.0/16", 6: "fd77:244::/32" } as const;
export const CLUSTER_NET = { 4: "10.96.0.0/16", 6: "fd00:10:96::/112" } as const;
/** The Service `kubernetes`, whose address is in the API server's certificate. */
export const API_SERVICE = { key: "default/kubernetes", address: "10.96.0.1", port: 443 } as const;

/** One end of a cable; the other end is on the switch. */
interface Card {
  readonly name: string;
  /** What the other end is called there; at most 15 characters. */
  readonly peer: string;
  readonly mac?: string;
  readonly addresses: readonly string[];
  /** The bridge that the other end is plugged into, or the address it has itself. */
  readonly to: { readonly bridge: "lan" | "far" } | { readonly address: string };
}

interface PlannedHost {
  readonly name: string;
  readonly summary: string;
  readonly cards: readonly Card[];
  /** A bridge for the host's pods, with the gateway addresses on it. */
  readonly podGateways?: readonly string[];
  /** As after `ip route add`. */
  readonly routes: readonly string[];
  /** Names below /proc/sys and values. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** A bridge of the switch and its name in `berth lab exec switch -- ip link`. */
const BRIDGES = ["lan", "far"] as const;

const HOST_SYSCTLS = {
  // Addresses are usable at once: nothing here could be a duplicate.
  "net/ipv6/conf/all/accept_dad": "0",
  "net/ipv6/conf/default/accept_dad": "0",
  "net/ipv6/conf/default/disable_ipv6": "0",
} as const;

const ROUTER_SYSCTLS = {
  ...HOST_SYSCTLS,
  "net/ipv4/ip_forward": "1",
  "net/ipv6/conf/all/forwarding": "1",
  // kubelets reach a node by another cable than it answers on.
  "net/ipv4/conf/all/rp_filter": "0",
  "net/ipv4/conf/default/rp_filter": "0",
  "net/ipv4/conf/all/send_redirects": "0",
  "net/ipv4/conf/default/send_redirects": "0",
} as const;

/** All hosts of a lab with that many nodes (1 to 9). */
export function planHosts(nodeCount: number): readonly PlannedHost[] {
  const numbers = Array.from({ length: nodeCount }, (_unused, index) => index + 1);
  return [...numbers.map((number) => nodeHost(number, numbers)), clientHost(), routerHost(), farHost(), controlHost()];
}

/** "node-01" */
function nodeName(number: number): string {
  return `node-${String(number).padStart(2, "0")}`;
}

function nodeHost(number: number, all: readonly number[]): PlannedHost {
  const others = all.filter((other) => other !== number);
  return {
    name: nodeName(number),
    summary: "node of the cluster",
    cards: [
      {
        ...lanCard(nodeName(number), `02:be:77:00:00:${10 + number}`),
        addresses: [`10.77.0.${10 + number}/16`, `fd77::${10 + number}/64`],
      },
      // For kubelets only. Speakers leave interfaces of that name alone (metallb-excludel2).
      {
        name: "cni-kubelet",
        peer: `k-${nodeName(number)}`,
        addresses: [`10.79.${number}.2/30`],
        to: { address: `10.79.${number}.1/30` },
      },
    ],
    podGateways: [`10.244.${number}.1/24`, `fd77:244:${number}::1/64`],
    routes: [
      ...DEFAULT_ROUTES,
      ...others.flatMap((other) => [
        `10.244.${other}.0/24 via 10.77.0.${10 + other}`,
        `fd77:244:${other}::/64 via fd77::${10 + other}`,
      ]),
    ],
    sysctls: ROUTER_SYSCTLS,
  };
}

/** What the switch needs to reach nodes and pods for their kubelets, whatever happens on the LAN. */
function switchRoutes(nodeCount: number): readonly string[] {
  return Array.from({ length: nodeCount }, (_unused, index) => index + 1).flatMap((number) => [
    `10.77.0.${10 + number}/32 via 10.79.${number}.2`,
    `10.244.${number}.0/24 via 10.79.${number}.2`,
  ]);
}

const DEFAULT_ROUTES = ["default via 10.77.0.1", "default via fd77::1"] as const;

function lanCard(host: string, mac: string) {
  return { name: "eth0", peer: host, mac, to: { bridge: "lan" } } as const;
}

function clientHost(): PlannedHost {
  return {
    name: "client",
    summary: "a machine on the same LAN",
    cards: [{ ...lanCard("client", "02:be:77:00:00:64"), addresses: ["10.77.0.100/16", "fd77::100/64"] }],
    routes: DEFAULT_ROUTES,
    sysctls: HOST_SYSCTLS,
  };
}

function routerHost(): PlannedHost {
  return {
    name: "router",
    summary: "router of the LAN, to network 10.78.0.0/24",
    cards: [
      { ...lanCard("router", "02:be:77:00:00:01"), addresses: ["10.77.0.1/16", "fd77::1/64"] },
      { name: "eth1", peer: "router-far", addresses: ["10.78.0.1/24", "fd78::1/64"], to: { bridge: "far" } },
    ],
    routes: [],
    sysctls: ROUTER_SYSCTLS,
  };
}

function farHost(): PlannedHost {
  return {
    name: "remote",
    summary: "a machine behind the router",
    cards: [{ name: "eth0", peer: "remote", addresses: ["10.78.0.2/24", "fd78::2/64"], to: { bridge: "far" } }],
    routes: ["default via 10.78.0.1", "default via fd78::1"],
    sysctls: HOST_SYSCTLS,
  };
}

/** Where the API server is on the LAN; the switch carries its port on (`controlRules`). */
const CONTROL_UPLINK = "10.79.0.1";

function controlHost(): PlannedHost {
  return {
    name: "control",
    summary: "the API server's address on the LAN",
    cards: [
      { ...lanCard("control", "02:be:77:00:00:02"), addresses: ["10.77.0.2/16"] },
      { name: "uplink", peer: "k-control", addresses: ["10.79.0.2/30"], to: { address: `${CONTROL_UPLINK}/30` } },
    ],
    routes: ["default via 10.77.0.1"],
    sysctls: ROUTER_SYSCTLS,
  };
}

/** What makes the host `control` hand the API server's port to this process, as nft text. */
export function controlRules(apiPort: number): string {
  return `table ip control {
  chain in { type nat hook prerouting priority dstnat; ip daddr ${LAN.control} tcp dport ${apiPort} dnat to ${CONTROL_UPLINK}:${apiPort}; }
  chain out { type nat hook postrouting priority srcnat; oifname "uplink" masquerade; }
}
`;
}

/** `ip -batch` lines for the switch: its bridges, and a cable to each host. */
export function switchLines(hosts: readonly PlannedHost[]): readonly string[] {
  const nodes = hosts.filter(({ podGateways }) => podGateways !== undefined).length;
  return [
    "link set lo up",
    ...BRIDGES.flatMap((bridge) => [`link add ${bridge} type bridge`, `link set ${bridge} up`]),
    ...hosts.flatMap((host) => host.cards.flatMap((card) => cableLines(host.name, card))),
    ...switchRoutes(nodes).map((route) => `route add ${route}`),
  ];
}

function cableLines(host: string, { name, peer, mac, to }: Card): readonly string[] {
  const own = mac === undefined ? "" : ` address ${mac}`;
  const other = "bridge" in to ? `link set ${peer} master ${to.bridge}` : `address add ${to.address} dev ${peer}`;
  return [`link add ${peer} type veth peer name ${name}${own} netns ${host}`, other, `link set ${peer} up`];
}

/** `ip -batch` lines for one host. */
export function hostLines({ cards, podGateways = [], routes }: PlannedHost): readonly string[] {
  return [
    "link set lo up",
    ...cards.flatMap(({ name, addresses }) => [
      ...addresses.map((address) => addressLine(address, name)),
      `link set ${name} up`,
    ]),
    ...(podGateways.length === 0 ? [] : ["link add cni0 type bridge"]),
    ...podGateways.map((address) => addressLine(address, "cni0")),
    ...(podGateways.length === 0 ? [] : ["link set cni0 up"]),
    ...routes.map((route) => `route add ${route}`),
  ];
}

export function addressLine(address: string, device: string): string {
  return `address add ${address} dev ${device}${address.includes(":") ? " nodad" : ""}`;
}

/** A pod's cable: lines for its node, then lines for the pod itself. `cable` names the node's end. */
export function podLines(pod: { readonly namespace: string; readonly cable: string; readonly address: string }): {
  readonly node: readonly string[];
  readonly pod: readonly string[];
} {
  const { namespace, cable, address } = pod;
  const address6 = podAddress6(address);
  const gateway = address.replace(/\d+$/, "1");
  return {
    node: [
      `link add ${cable} type veth peer name eth0 netns ${namespace}`,
      `link set ${cable} master cni0`,
      `link set ${cable} up`,
    ],
    pod: [
      "link set lo up",
      addressLine(`${address}/24`, "eth0"),
      ...(address6 === null ? [] : [addressLine(`${address6}/64`, "eth0")]),
      "link set eth0 up",
      `route add default via ${gateway}`,
      ...(address6 === null ? [] : [`route add default via ${address6.replace(/::.*$/, "::1")}`]),
    ],
  };
}

/**
 * What a line of `ip -o monitor link` on the switch says of a host's cable:
 * connected means that both ends are up and it is plugged into the LAN. Null: no such line.
 */
export function readCable(line: string): { readonly host: string; readonly connected: boolean } | null {
  const [, host, flags] = /^\d+: ([\w-]+)@[^:]+: <([^>]*)>/.exec(line) ?? [];
  if (host === undefined || flags === undefined) return null;
  return { host, connected: flags.split(",").includes("LOWER_UP") && / master lan /.test(line) };
}
