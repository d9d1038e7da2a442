import { describe, expect, it } from "vitest";
import type { EndpointSlice } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION, LABEL } from "#api/names";
import {
  ENDPOINT_SLICES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  NODES,
  SERVICE_L2_STATUSES,
  SPEAKER_STATES,
} from "#api/resources";
import { advertisement, NS, node, pool, Rig, type ServiceOver, service, speaker } from "./rig.ts";

const ALL = ["node-01", "node-02", "node-03"];
const slice = (nodeName: string): EndpointSlice => ({
  metadata: { name: "web-x", namespace: "default", labels: { [LABEL.sliceService]: "web" } },
  endpoints: [{ addresses: ["10.244.1.2"], nodeName, conditions: { ready: true } }],
});

type Row = {
  readonly name: string;
  readonly asks?: ServiceOver;
  /** What is different from a cluster in which node-03 announces. */
  readonly but: (rig: Rig) => void;
  readonly reason: string;
  readonly says: string;
};

const onEveryNode = (change: (name: string) => void) => ALL.forEach(change);

const rows: readonly Row[] = [
  {
    name: "no pod is ready",
    but: (rig) => rig.server.delete(ENDPOINT_SLICES, "default/web-x"),
    reason: "NoServingEndpoint",
    says: "no pod is ready",
  },
  {
    name: "no advertisement covers the pool",
    but: (rig) => rig.server.set(L2_ADVERTISEMENTS, advertisement("external", { ipAddressPools: ["other"] })),
    reason: "NoMatchingAdvertisement",
    says: "pool production",
  },
  {
    name: "the advertisements want other Services",
    but: (rig) =>
      rig.server.set(
        L2_ADVERTISEMENTS,
        advertisement("external", { serviceSelectors: [{ matchLabels: { app: "db" } }] }),
      ),
    reason: "NoMatchingAdvertisement",
    says: "for this Service",
  },
  {
    name: "its address may be shared and an advertisement selects Services",
    asks: { annotations: { [ANNOTATION.allowSharedIP]: "k" } },
    but: (rig) => rig.server.set(L2_ADVERTISEMENTS, advertisement("external", { serviceSelectors: [{}] })),
    reason: "SharedAddressWithServiceSelector",
    says: "serviceSelectors",
  },
  {
    name: "the advertisements select no node",
    but: (rig) =>
      rig.server.set(L2_ADVERTISEMENTS, advertisement("external", { nodeSelectors: [{ matchLabels: { rack: "9" } }] })),
    reason: "NodeNotSelected",
    says: "select no node",
  },
  {
    name: "every node is cut off",
    but: (rig) =>
      onEveryNode((name) =>
        rig.server.set(NODES, {
          ...node(name),
          status: { conditions: [{ type: "NetworkUnavailable", status: "True" }] },
        }),
      ),
    reason: "NetworkUnavailable",
    says: "NetworkUnavailable",
  },
  {
    name: "every node is labelled out",
    but: (rig) =>
      onEveryNode((name) =>
        rig.server.set(NODES, { metadata: { name, labels: { [LABEL.excludeFromLoadBalancers]: "" } } }),
      ),
    reason: "ExcludedByLabel",
    says: "exclude-from-external-load-balancers",
  },
  {
    name: "policy Local leaves only nodes that cannot",
    asks: { spec: { externalTrafficPolicy: "Local" } },
    but: (rig) => rig.server.set(ENDPOINT_SLICES, slice("node-09")),
    reason: "NoLocalEndpoint",
    says: "externalTrafficPolicy is Local",
  },
  {
    name: "no speaker is ready",
    but: (rig) => onEveryNode((name) => rig.server.set(SPEAKER_STATES, speaker(name, ALL, { ready: false }))),
    reason: "SpeakerNotReady",
    says: "no speaker is ready",
  },
  {
    name: "no node has the wanted interface",
    but: (rig) => rig.server.set(L2_ADVERTISEMENTS, advertisement("external", { interfaces: ["bond0"] })),
    reason: "NoUsableInterface",
    says: "no node has a usable interface",
  },
  {
    name: "each node has a reason of its own",
    but: (rig) => {
      rig.server.set(SPEAKER_STATES, speaker("node-01", ALL, { ready: false }));
      rig.server.set(NODES, { metadata: { name: "node-02", labels: { [LABEL.excludeFromLoadBalancers]: "" } } });
      rig.server.delete(SPEAKER_STATES, `${NS}/node-03`);
    },
    reason: "NoCandidate",
    says: "no node is a candidate",
  },
];

async function announcedRig(asks: ServiceOver = {}): Promise<Rig> {
  const rig = new Rig();
  await rig.put(pool("production", "127.77.10.1-127.77.10.3"), service("web", asks));
  rig.threeNodes();
  rig.server.set(ENDPOINT_SLICES, slice("node-01"));
  await rig.start();
  return rig;
}

describe("condition Announced says why nobody does", () => {
  it.each(rows)("$name", async ({ asks, but, reason, says }) => {
    const rig = await announcedRig(asks);
    but(rig);
    await rig.calm();
    const condition = rig.get("web")?.status?.conditions?.find(({ type }) => type === CONDITION.announced);
    expect(condition).toMatchObject({ status: "False", reason, message: expect.stringContaining(says) });
    expect(rig.addresses("web")).toEqual(["127.77.10.1"]);
  });

  it("keeps to the last valid version of an advertisement, as the speakers do", async () => {
    const rig = await announcedRig();
    const before = rig.announced("web");
    expect(before).toMatch(/^Unknown AwaitingSpeaker: node-03 is elected/);
    const broken = { nodeSelectors: [{ matchExpressions: [{ key: "rack", operator: "Near" }] }] };
    rig.server.set(L2_ADVERTISEMENTS, advertisement("external", broken));
    await rig.calm();
    expect(rig.announced("web")).toBe(before);
  });
});

describe("what Prometheus sees of the controller", () => {
  it("has upstream's names, and ours for leadership, work and refusals", async () => {
    const rig = await announcedRig();
    const names = rig.metrics
      .render()
      .split("\n")
      .flatMap((line) => (line.startsWith("# TYPE ") ? [line.slice("# TYPE ".length)] : []));
    expect(names).toEqual([
      "berth_controller_leader gauge",
      "berth_controller_queue_wait_seconds histogram",
      "berth_controller_reconcile_duration_seconds histogram",
      "berth_controller_queue_depth gauge",
      "berth_controller_claims gauge",
      "berth_controller_claims_in_flight gauge",
      "metallb_k8s_client_updates_total counter",
      "metallb_k8s_client_update_errors_total counter",
      "metallb_k8s_client_config_loaded_bool gauge",
      "metallb_k8s_client_config_stale_bool gauge",
      "metallb_allocator_addresses_total gauge",
      "metallb_allocator_addresses_in_use_total gauge",
      "metallb_allocator_ipv4_addresses_total gauge",
      "metallb_allocator_ipv4_addresses_in_use_total gauge",
      "metallb_allocator_ipv6_addresses_total gauge",
      "metallb_allocator_ipv6_addresses_in_use_total gauge",
      "berth_controller_refusals gauge",
      "berth_controller_held_addresses gauge",
    ]);
  });

  it("counts what is queued, worked on and held", async () => {
    const rig = new Rig();
    await rig.put(pool("one", "10.0.0.1/32"), service("holder"), service("waits"));
    await rig.start();
    const text = rig.metrics.render();
    expect(text).toContain("\nberth_controller_leader 1\n");
    expect(text).toContain("\nberth_controller_claims 1\n");
    expect(text).toContain("\nberth_controller_claims_in_flight 0\n");
    expect(text).toContain('\nberth_controller_queue_depth{queue="service"} 0\n');
    expect(text).toContain('\nberth_controller_refusals{reason="exhausted"} 1\n');
    for (const name of ["queue_wait", "reconcile_duration"]) {
      expect(text).toMatch(new RegExp(`\nberth_controller_${name}_seconds_count{queue="service"} [1-9]`));
    }
  });

  it("counts per pool and family, a shared address once, and forgets a pool that is gone", async () => {
    const rig = new Rig();
    const shared = (port: number): ServiceOver => ({
      annotations: { [ANNOTATION.allowSharedIP]: "k" },
      spec: { loadBalancerIP: "10.0.0.1", ports: [{ port }] },
    });
    await rig.put(
      pool("buggy", ["10.0.0.0/24", "2001:db8::/127"], { avoidBuggyIPs: true }),
      service("a", shared(80)),
      service("b", shared(81)),
    );
    await rig.start();
    const lines = () =>
      rig.metrics
        .render()
        .split("\n")
        .filter((line) => line.includes('pool="buggy"'))
        .map((line) => line.replace("metallb_allocator_", ""));
    expect(lines()).toEqual([
      'addresses_total{pool="buggy"} 256',
      'addresses_in_use_total{pool="buggy"} 1',
      'ipv4_addresses_total{pool="buggy"} 254',
      'ipv4_addresses_in_use_total{pool="buggy"} 1',
      'ipv6_addresses_total{pool="buggy"} 2',
      'ipv6_addresses_in_use_total{pool="buggy"} 0',
    ]);
    expect(rig.server.at(IP_ADDRESS_POOLS, `${NS}/buggy`)?.status).toEqual({
      assignedIPv4: 1,
      assignedIPv6: 0,
      availableIPv4: 253,
      availableIPv6: 2,
    });
    rig.server.delete(IP_ADDRESS_POOLS, `${NS}/buggy`);
    await rig.calm();
    expect(lines()).toEqual([]);
  });

  it("is stale while a pool is invalid, and says no word about announcing that a report contradicts", async () => {
    const rig = await announcedRig();
    rig.server.set(IP_ADDRESS_POOLS, pool("production", "nonsense"));
    rig.server.set(SERVICE_L2_STATUSES, {
      metadata: { name: "l2-1", namespace: NS },
      status: { node: "node-03", serviceName: "web", serviceNamespace: "default" },
    });
    await rig.calm();
    expect(rig.metrics.render()).toContain("metallb_k8s_client_config_stale_bool 1");
    expect(rig.announced("web")).toBe("True Announced: 127.77.10.1 is announced by node-03");
  });
});
