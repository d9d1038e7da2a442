/** Who is a candidate: metallb.md 6.1 and 6.2, steps 1 to 6, sentence by sentence. */
import { toEndpointFacts } from "#api/facts";
import type { NodeFacts } from "#core/election";
import type { AnnounceReason } from "#core/reasons";
import { type ServiceLike, toServiceView } from "#core/service-view";
import { ad, node, onNode, type question } from "./election.ts";

export const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
const NAMES = ["node-01", "node-02", "node-03"];
/** By `printf '%s' 'node-01#127.77.10.1' | sha256sum`: 03 9c46…, 02 a8a7…, 01 ccff…. */
export const [FIRST = "", SECOND = "", THIRD = ""] = ["node-03", "node-02", "node-01"];

export const endpoints = (
  ...list: readonly { on?: string; ready?: boolean; serving?: boolean; terminating?: boolean }[]
) =>
  toEndpointFacts([
    {
      metadata: { name: "s" },
      endpoints: list.map(({ on, ...conditions }) => ({
        addresses: ["10.244.1.2"],
        conditions,
        ...(on && { nodeName: on }),
      })),
    },
  ]);
export const asService = (
  over: Partial<ServiceLike["metadata"]> = {},
  spec: ServiceLike["spec"] = {},
  ips = ["127.77.10.1"],
) => {
  const view = toServiceView({
    metadata: { name: "nginx", namespace: "default", labels: { app: "nginx" }, ...over },
    spec: { type: "LoadBalancer", clusterIP: "10.96.0.1", ...spec },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });
  return { ...view, addresses: view.ingress };
};
export const nodes = (over: Readonly<Record<string, Partial<NodeFacts>>> = {}) =>
  NAMES.map((name) => node(name, over[name]));
const labelled = (name: string, labels: Record<string, string>) => ({
  [name]: { labels: { "kubernetes.io/hostname": name, ...labels } },
});
export const web = [{ matchLabels: { app: "nginx" } }];
export const other = [{ matchLabels: { app: "db" } }];

export interface Row {
  readonly name: string;
  readonly ask: Parameters<typeof question>[0];
  /** Candidates, best first. */
  readonly order?: readonly string[];
  /** Of all nodes, or of those named. */
  readonly why?: AnnounceReason | Readonly<Record<string, AnnounceReason>>;
  readonly interfaces?: readonly string[] | null;
}

export const candidateRows: readonly Row[] = [
  // 6.1
  {
    name: "a Service that is no LoadBalancer is announced by nobody",
    ask: { service: asService({}, { type: "NodePort" }) },
    why: "not_load_balancer",
  },
  {
    name: "a Service without ingress is announced by nobody",
    ask: { service: asService({}, {}, []) },
    why: "no_address",
  },
  {
    name: "an ingress that is no address is announced by nobody",
    ask: { service: asService({}, {}, ["127.77.10.1", "x"]) },
    why: "invalid_address",
  },
  {
    name: "addresses that no single pool owns are announced by nobody",
    ask: { pool: null },
    why: "address_not_in_pool",
  },
  // 6.2, 1
  { name: "without any endpoint nobody announces", ask: { endpoints: [] }, why: "no_serving_endpoint" },
  {
    name: "an endpoint that is not ready and says nothing of serving does not count",
    ask: { endpoints: endpoints({ on: FIRST, ready: false }) },
    why: "no_serving_endpoint",
  },
  {
    name: "an endpoint that says it does not serve does not count",
    ask: { endpoints: endpoints({ on: FIRST, ready: false, serving: false }) },
    why: "no_serving_endpoint",
  },
  {
    name: "an endpoint whose readiness is not known counts",
    ask: { endpoints: endpoints({ on: FIRST }) },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "a terminating endpoint that still serves counts",
    ask: { endpoints: endpoints({ on: FIRST, ready: false, serving: true, terminating: true }) },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "an endpoint without node counts, with policy Cluster",
    ask: { endpoints: endpoints({ ready: true }) },
    order: [FIRST, SECOND, THIRD],
  },
  // 6.2, 2
  {
    name: "an advertisement whose serviceSelectors match counts",
    ask: { advertisements: [ad({ serviceSelectors: web })] },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "an advertisement whose serviceSelectors do not match is none",
    ask: { advertisements: [ad({ serviceSelectors: other })] },
    why: "no_matching_advertisement",
  },
  {
    name: "one of several serviceSelectors is enough",
    ask: { advertisements: [ad({ serviceSelectors: [...other, ...web] })] },
    order: [FIRST, SECOND, THIRD],
  },
  ...["metallb.io", "metallb.universe.tf"].flatMap((prefix) =>
    ["key", ""].map(
      (value): Row => ({
        name: `a shared address (${prefix}, ${JSON.stringify(value)}) and a matching advertisement with serviceSelectors exclude each other`,
        ask: {
          service: asService({ annotations: { [`${prefix}/allow-shared-ip`]: value } }),
          advertisements: [ad(), ad({ serviceSelectors: web })],
        },
        why: "shared_address_with_service_selector",
      }),
    ),
  ),
  {
    name: "a shared address does not care for serviceSelectors that match others",
    ask: {
      service: asService({ annotations: { "metallb.io/allow-shared-ip": "k" } }),
      advertisements: [ad(), ad({ serviceSelectors: other })],
    },
    order: [FIRST, SECOND, THIRD],
  },
  // 6.2, 3
  { name: "without L2Advertisement nobody announces", ask: { advertisements: [] }, why: "no_matching_advertisement" },
  {
    name: "advertisements that allow no node leave nobody",
    ask: { advertisements: [ad({ nodeSelectors: [onNode("x")] })] },
    why: "node_not_selected",
  },
  // 6.2, 4
  {
    name: "a node whose speaker is silent is no candidate",
    ask: { nodes: nodes({ [FIRST]: { alive: false } }) },
    order: [SECOND, THIRD],
    why: { [FIRST]: "speaker_not_ready" },
  },
  {
    name: "a node whose heartbeat does not say ready is no candidate",
    ask: { nodes: nodes({ [FIRST]: { ready: false } }) },
    order: [SECOND, THIRD],
    why: { [FIRST]: "speaker_not_ready" },
  },
  {
    name: "a node with NetworkUnavailable is no candidate",
    ask: { nodes: nodes({ [FIRST]: { networkUnavailable: true } }) },
    order: [SECOND, THIRD],
    why: { [FIRST]: "network_unavailable" },
  },
  ...["", "true", "false"].map(
    (value): Row => ({
      name: `a node with the exclude label ${JSON.stringify(value)} is no candidate`,
      ask: { nodes: nodes(labelled(FIRST, { [EXCLUDE]: value })) },
      order: [SECOND, THIRD],
      why: { [FIRST]: "excluded_by_label" },
    }),
  ),
  {
    name: "with --ignore-exclude-lb the exclude label means nothing",
    ask: { nodes: nodes(labelled(FIRST, { [EXCLUDE]: "" })), ignoreExcludeLabel: true },
    order: [FIRST, SECOND, THIRD],
  },
  {
    name: "a node is a candidate when any of the advertisements allows it",
    ask: { advertisements: [ad({ nodeSelectors: [onNode(THIRD)] }), ad({ nodeSelectors: [onNode(SECOND)] })] },
    order: [SECOND, THIRD],
    why: { [FIRST]: "node_not_selected" },
  },
  {
    name: "an advertisement for other Services allows no node",
    ask: { advertisements: [ad({ nodeSelectors: [onNode(THIRD)] }), ad({ serviceSelectors: other })] },
    order: [THIRD],
  },
  // 6.2, 5
  {
    name: "with policy Local only nodes with a serving endpoint are candidates",
    ask: {
      service: asService({}, { externalTrafficPolicy: "Local" }),
      endpoints: endpoints(
        { on: SECOND, ready: true },
        { on: FIRST, ready: false },
        { on: THIRD, ready: false, serving: true },
      ),
    },
    order: [SECOND, THIRD],
    why: { [FIRST]: "no_local_endpoint" },
  },
  {
    name: "with policy Local endpoints without node make no candidate",
    ask: { service: asService({}, { externalTrafficPolicy: "Local" }), endpoints: endpoints({ ready: true }) },
    why: "no_local_endpoint",
  },
  // 6.2, 6
  {
    name: "without candidate nobody announces",
    ask: {
      nodes: nodes({ [FIRST]: { alive: false }, [SECOND]: { networkUnavailable: true }, [THIRD]: { ready: false } }),
    },
    why: {},
  },
];
