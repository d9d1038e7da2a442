import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { buildRuleset, type Ruleset, redirected, transaction } from "#sandbox/netns/ruleset";
import type { EndpointSliceLike, ServiceLike } from "#sandbox/proxy/shapes";
import { buildTable } from "#sandbox/proxy/table";

const VIP = "10.77.10.1";
const CLUSTER_IP = "10.96.0.20";

type Spec = NonNullable<ServiceLike["spec"]>;
const service = (spec: Partial<Spec> = {}, ingress: readonly string[] = [VIP]): ServiceLike => ({
  metadata: { namespace: "shop", name: "web" },
  spec: { type: "LoadBalancer", clusterIPs: [CLUSTER_IP], ports: [{ port: 80, nodePort: 30080 }], ...spec },
  status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
});
const slice = (pods: readonly (readonly [address: string, node: string])[]): EndpointSliceLike => ({
  metadata: { namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
  endpoints: pods.map(([address, nodeName]) => ({ addresses: [address], nodeName, conditions: { ready: true } })),
  ports: [{ port: 8080 }],
});
const PODS = [
  ["10.244.1.2", "node-01"],
  ["10.244.2.2", "node-02"],
] as const;
const rulesFor = (one: ServiceLike, pods: readonly (readonly [string, string])[] = PODS, node = "node-01") =>
  buildRuleset(buildTable([one], [slice(pods)]), node);

/** The rules that a connection to `match` goes through on its way to a pod, in order. */
function path({ ip }: Ruleset, match: string): readonly string[] {
  const entry = [...ip.services, ...ip.nodePorts].find((one) => one.startsWith(`${match} : goto `));
  const chain = entry?.split("goto ")[1] ?? "";
  const walk = (name: string): readonly string[] =>
    (ip.chains.get(name) ?? []).flatMap((rule) => {
      const next = [...rule.matchAll(/goto (front|pick|end)-(\w+)/g)].map(([, kind, id]) => `${kind}-${id}`);
      return [rule, ...next.flatMap(walk)];
    });
  return walk(chain);
}
const targets = (rules: readonly string[]) => [
  ...new Set(rules.flatMap((rule) => /dnat to (\S+)/.exec(rule)?.[1] ?? [])),
];
const MASQUERADE = "meta mark set meta mark or 0x4000";

describe("the rules of a node's service proxy", () => {
  it("spread an external address at random over the pods of all nodes, with the node's address as source", () => {
    const rules = path(rulesFor(service()), `${VIP} . tcp . 80`);
    expect(rules[0]).toBe(MASQUERADE);
    expect(rules.some((rule) => rule.startsWith("numgen random mod 2 vmap {"))).toBe(true);
    expect(targets(rules)).toEqual(["10.244.1.2:8080", "10.244.2.2:8080"]);
  });

  it("with policy Local lead to the node's own pods only, and keep the client's address", () => {
    const rules = path(rulesFor(service({ externalTrafficPolicy: "Local" })), `${VIP} . tcp . 80`);
    const last = rules.findLastIndex((rule) => rule.startsWith("goto pick-"));
    expect(targets(rules.slice(last))).toEqual(["10.244.1.2:8080"]);
    expect(rules.slice(last)).not.toContain(MASQUERADE);
  });

  it("with policy Local let pods and the node itself reach the pods of other nodes all the same", () => {
    const rules = path(rulesFor(service({ externalTrafficPolicy: "Local" })), `${VIP} . tcp . 80`);
    expect(rules[0]).toMatch(/^ip saddr 10\.244\.0\.0\/16 goto pick-/);
    expect(targets(rules.slice(0, 8))).toContain("10.244.2.2:8080");
    expect(rules).toContain(`fib saddr type local ${MASQUERADE}`);
  });

  it.each([
    ["without any endpoint are refused", {}, [], `${VIP} . tcp . 80 : goto refused`, "tcp . 30080 : goto refused"],
    [
      "of policy Local without a pod here are dropped, as kube-proxy does",
      { externalTrafficPolicy: "Local" },
      [["10.244.2.2", "node-02"]],
      `${VIP} . tcp . 80 : drop`,
      "tcp . 30080 : drop",
    ],
  ] as const)("%s: address and NodePort", (_what, spec, pods, closed, nodePort) => {
    const { ip } = rulesFor(service(spec), pods);
    expect(ip.closed).toContain(closed);
    expect(ip.closedNodePorts).toEqual([nodePort]);
  });

  it("reach a ClusterIP from pods with their own address, and from anywhere else with the node's", () => {
    const rules = path(rulesFor(service({ type: "ClusterIP" }, [])), `${CLUSTER_IP} . tcp . 80`);
    expect(rules[0]).toBe(`ip saddr != 10.244.0.0/16 ${MASQUERADE}`);
    expect(targets(rules)).toHaveLength(2);
  });

  it("with internal policy Local use the node's own pods for the ClusterIP", () => {
    const rules = path(rulesFor(service({ internalTrafficPolicy: "Local" })), `${CLUSTER_IP} . tcp . 80`);
    expect(targets(rules)).toEqual(["10.244.1.2:8080"]);
  });

  it("serve NodePorts", () => {
    expect(targets(path(rulesFor(service()), "tcp . 30080"))).toHaveLength(2);
  });

  it("keep a client at its pod for the time that session affinity says", () => {
    const affinity = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } } };
    const built = rulesFor(service(affinity));
    expect([...built.ip.affinity.values()]).toEqual([90, 90]);
    const rules = path(built, `${VIP} . tcp . 80`);
    expect(rules.filter((rule) => /^ip saddr @kept-\w+ goto end-/.test(rule))).toHaveLength(2);
    expect(rules.filter((rule) => /^update @kept-\w+ \{ ip saddr \}$/.test(rule)).length).toBeGreaterThan(0);
  });

  it("masquerade a pod that meets itself", () => {
    expect(path(rulesFor(service()), `${CLUSTER_IP} . tcp . 80`)).toContain(`ip saddr 10.244.1.2 ${MASQUERADE}`);
  });

  it("tell the families apart, and write IPv6 destinations in brackets", () => {
    const one = service({ clusterIPs: ["fd00:10:96::20"] }, ["fd77::a:1"]);
    const { ip, ip6 } = rulesFor(one, [["fd77:244:1::2", "node-01"]]);
    expect(ip.services).toEqual([]);
    expect(ip6.addresses).toEqual(["fd77::a:1"]);
    expect([...ip6.chains.values()].flat().join("\n")).toContain("dnat to [fd77:244:1::2]:8080");
  });

  it("send the Service `kubernetes` to where the API server really is", () => {
    const table = buildTable([service({ type: "ClusterIP" }, [])], [slice(PODS)]);
    const server = { address: "10.77.0.2", port: 6443, node: null, state: "ready" } as const;
    const moved = redirected(table, { address: CLUSTER_IP, port: 80 }, server);
    expect(targets(path(buildRuleset(moved, "node-01"), `${CLUSTER_IP} . tcp . 80`))).toEqual(["10.77.0.2:6443"]);
    expect(redirected(table, { address: "10.96.9.9", port: 1 }, server)).toBe(table);
  });
});

const NONE = buildRuleset(buildTable([], []), "node-01");
const AFFINE = rulesFor(service({ sessionAffinity: "ClientIP" }));

describe("a transaction", () => {
  it("replaces whatever was there when nothing is known of it", () => {
    expect(transaction(null, NONE).split("\n").slice(0, 3)).toEqual([
      "add table ip berth",
      "delete table ip berth",
      "add table ip berth",
    ]);
  });

  it("never deletes the table otherwise, nor the memory of clients that stays", () => {
    const text = transaction(
      AFFINE,
      rulesFor(service({ sessionAffinity: "ClientIP" }), [...PODS, ["10.244.3.2", "node-03"]]),
    );
    expect(text).not.toContain("delete table");
    expect(text).not.toContain("delete set");
  });

  it("takes away chains and memories that nothing needs any more", () => {
    const text = transaction(AFFINE, NONE);
    for (const name of AFFINE.ip.chains.keys()) expect(text).toContain(`delete chain ip berth ${name}`);
    for (const name of AFFINE.ip.affinity.keys()) expect(text).toContain(`delete set ip berth ${name}`);
  });

  const canTry =
    process.platform === "linux" &&
    process.getuid?.() === 0 &&
    spawnSync("unshare", ["--net", "nft", "list", "ruleset"]).status === 0;
  it.skipIf(!canTry)("is accepted by nft, from each state to each other (needs root)", () => {
    const states: readonly (readonly [string, Ruleset])[] = [
      ["nothing", NONE],
      ["a service", rulesFor(service())],
      [
        "policy Local",
        rulesFor(service({ externalTrafficPolicy: "Local", ports: [{ port: 53, protocol: "UDP", nodePort: 30053 }] })),
      ],
      ["affinity", AFFINE],
      ["no endpoints", rulesFor(service(), [])],
      ["IPv6", rulesFor(service({ clusterIPs: ["fd00:10:96::20"] }, ["fd77::a:1"]), [["fd77:244:1::2", "node-01"]])],
    ];
    const steps = [transaction(null, states[0]?.[1] ?? NONE)];
    for (const [, from] of states) {
      for (const [, to] of states)
        steps.push(transaction(states[0]?.[1] ?? NONE, from), transaction(from, to), transaction(to, NONE));
    }
    const script = `set -e\n${steps.map((step) => `nft -f - <<'END'\n${step}\nEND`).join("\n")}`;
    const { status, stderr } = spawnSync("unshare", ["--net", "sh"], {
      input: script,
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
