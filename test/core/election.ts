/** What the tests of the election speak in. */
import { createHash } from "node:crypto";
import type { AnnounceQuestion, L2Facts, NodeFacts } from "#core/election";

export const node = (name: string, over: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  labels: { "kubernetes.io/hostname": name },
  networkUnavailable: false,
  alive: true,
  ready: true,
  interfaces: ["eth0"],
  ...over,
});
export const ad = (over: Partial<L2Facts> = {}): L2Facts => ({
  name: "external",
  pools: [],
  poolSelectors: [],
  nodeSelectors: [],
  interfaces: [],
  serviceSelectors: [],
  preferred: [],
  ...over,
});
export const onNode = (name: string) => ({ matchLabels: { "kubernetes.io/hostname": name } });
export const three = [node("node-01"), node("node-02"), node("node-03")];
export const service: AnnounceQuestion["service"] = {
  key: "default/nginx",
  labels: { app: "nginx" },
  isLoadBalancer: true,
  addresses: ["127.77.10.1"],
  policyLocal: false,
  sharedKeyPresent: false,
};
export const question = (
  over: Partial<Omit<AnnounceQuestion, "service">> & { service?: object } = {},
): AnnounceQuestion => ({
  pool: "production",
  advertisements: [ad()],
  nodes: three,
  endpoints: [{ nodeName: "node-01", serving: true }],
  ...over,
  service: { ...service, ...over.service },
});

/** The rule once more, by other means: node:crypto and Buffer.compare. */
export function byHash(names: readonly string[], ip: string): string[] {
  const hash = (name: string) => createHash("sha256").update(`${name}#${ip}`, "utf8").digest();
  return names.toSorted((a, b) => Buffer.compare(hash(a), hash(b)));
}
