import { describe, expect, it } from "vitest";
import { ANNOTATION, LABEL } from "#api/names";
import {
  BFD_PROFILES,
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  COMMUNITIES,
  CONFIGURATION_STATES,
  ENDPOINT_SLICES,
  EVENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { electionHash } from "#core/election";
import { compareBytes } from "#core/sha256";
import { Lab, NS } from "./lab.ts";

const VIP = "127.77.10.1";
const NODES_OF_3 = ["node-01", "node-02", "node-03"];

/** Nodes in the order of the election for an address (metallb.md 6.2). */
function orderFor(ip: string, nodes: readonly string[] = NODES_OF_3): readonly string[] {
  return nodes.toSorted((a, b) => compareBytes(electionHash(a, ip), electionHash(b, ip)));
}

async function lab(): Promise<Lab> {
  const made = new Lab();
  made.pool();
  made.advertise();
  await made.startAll();
  return made;
}

describe("speakers", () => {
  it("let exactly one node answer for an address: the one that the election names", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(300);
    expect(await l.holder(VIP)).toBe(orderFor(VIP)[0]);
    const announced = l.seen.filter(({ packet }) => packet.senderIp === VIP && packet.targetIp === VIP);
    expect(new Set(announced.map(({ packet }) => packet.senderMac)).size).toBe(1);
  });

  it("announce an assignment within 200 ms, the look before its first use included, publish it, and say so once", async () => {
    const l = await lab();
    const from = l.clock.monotonic();
    l.service("nginx", VIP);
    await l.run(300);
    const [winner = ""] = orderFor(VIP);
    const first = l.seen.find(({ packet }) => packet.senderIp === VIP && packet.targetIp === VIP);
    expect((first?.at ?? Number.POSITIVE_INFINITY) - from).toBeLessThanOrEqual(200);
    expect(l.objects(SERVICE_L2_STATUSES)).toMatchObject([
      {
        metadata: {
          namespace: NS,
          name: expect.stringMatching(/^l2-/),
          labels: { [LABEL.node]: winner, [LABEL.serviceName]: "nginx", [LABEL.serviceNamespace]: "default" },
          ownerReferences: [{ kind: "Pod", name: `speaker-${winner}` }],
        },
        status: { node: winner, serviceName: "nginx", serviceNamespace: "default" },
      },
    ]);
    await l.run(20_000);
    expect(l.objects(EVENTS)).toMatchObject([
      {
        type: "Normal",
        reason: "nodeAssigned",
        message: `announcing from node "${winner}" with protocol "layer2"`,
        reportingComponent: "metallb-speaker",
        involvedObject: { kind: "Service", name: "nginx", namespace: "default" },
      },
    ]);
    expect(l.speakers.get(winner)?.metrics.render()).toContain(
      `metallb_speaker_announced{service="default/nginx",protocol="layer2",node="${winner}",ip="${VIP}"} 1`,
    );
  });

  it("take over from a killed speaker within 0.5 s, in the order of the election, without the API server", async () => {
    const l = await lab();
    for (let n = 1; n <= 12; n++) l.service(`s${n}`, `127.77.10.${n}`);
    await l.run(200);
    const ips = Array.from({ length: 12 }, (_unused, n) => `127.77.10.${n + 1}`);
    l.cluster.down = true;
    const [victim = ""] = orderFor(VIP);
    await l.kill(victim);
    const killedAt = l.clock.monotonic();
    await l.run(500);
    const survivors = NODES_OF_3.filter((node) => node !== victim);
    for (const ip of ips) {
      expect(await l.holder(ip)).toBe(orderFor(ip, survivors)[0]);
      if (orderFor(ip)[0] !== victim) continue;
      const taken = l.seen.find(({ at, packet }) => at > killedAt && packet.senderIp === ip && packet.targetIp === ip);
      expect((taken?.at ?? Number.POSITIVE_INFINITY) - killedAt).toBeLessThanOrEqual(450);
    }
    l.cluster.down = false;
    l.cluster.reconnect();
    await l.run(2000);
    const statuses = l.objects(SERVICE_L2_STATUSES);
    expect(statuses).toHaveLength(12);
    expect(statuses.every(({ status }) => status?.node !== victim)).toBe(true);
  });

  it("move nothing that the killed speaker did not announce", async () => {
    const l = await lab();
    for (let n = 1; n <= 12; n++) l.service(`s${n}`, `127.77.10.${n}`);
    await l.run(6000);
    const [victim = ""] = orderFor(VIP);
    await l.kill(victim);
    l.seen.length = 0;
    await l.run(3000);
    const announced = new Set(
      l.seen.filter(({ packet }) => packet.senderIp === packet.targetIp).map(({ packet }) => packet.senderIp),
    );
    const orphaned = Array.from({ length: 12 }, (_unused, n) => `127.77.10.${n + 1}`).filter(
      (ip) => orderFor(ip)[0] === victim,
    );
    expect([...announced].toSorted()).toEqual(orphaned.toSorted());
  });

  it("hand over without a gap when one is asked to stop, within two seconds", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(200);
    const [first = "", second] = orderFor(VIP);
    const gaps: number[] = [];
    const ask = () => {
      void l.whoHas(VIP).then((macs) => {
        if (macs.length === 0) gaps.push(l.clock.monotonic());
      });
      l.clock.schedule(10, ask);
    };
    ask();
    expect(await l.stop(first)).toBeLessThanOrEqual(2000);
    await l.run(500);
    expect(gaps).toEqual([]);
    expect(await l.holder(VIP)).toBe(second);
    expect(l.objects(SERVICE_L2_STATUSES)).toMatchObject([{ status: { node: second } }]);
    const state = l.objects(SPEAKER_STATES).find(({ metadata }) => metadata.name === first);
    expect(state?.status).toMatchObject({ ready: false, announcing: [] });
  });

  it("give an address back to a node that returns, once its speaker is ready", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    const [first = "", second] = orderFor(VIP);
    await l.kill(first);
    await l.run(1000);
    expect(await l.holder(VIP)).toBe(second);
    await l.start(first);
    await l.run(300);
    expect(l.speakers.get(first)?.health.ready()).toBe(false);
    expect(await l.holder(VIP)).toBe(second);
    await l.run(1500);
    expect(l.speakers.get(first)?.health.ready()).toBe(true);
    expect(await l.holder(VIP)).toBe(first);
  });

  it("write no second Event when a restarted speaker finds its own announcement", async () => {
    const l = new Lab(1);
    l.pool();
    l.advertise();
    await l.startAll(1);
    l.service("nginx", VIP);
    await l.run(200);
    expect(l.objects(EVENTS)).toHaveLength(1);
    await l.kill("node-01");
    await l.start("node-01");
    await l.run(2000);
    expect(await l.holder(VIP)).toBe("node-01");
    expect(l.objects(EVENTS)).toHaveLength(1);
    expect(l.objects(SERVICE_L2_STATUSES)).toHaveLength(1);
  });

  it("elect another node when the link of one goes down, and go back when it is up", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(200);
    const [first = "", second] = orderFor(VIP);
    l.speakers.get(first)?.link.setUp("eth0", false);
    await l.run(100);
    expect(await l.holder(VIP)).toBe(second);
    l.speakers.get(first)?.link.setUp("eth0", true);
    await l.run(100);
    expect(await l.holder(VIP)).toBe(first);
  });

  it("keep what they announce while they are cut off from the API server", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(200);
    for (const process of l.speakers.values()) process.cut = true;
    await l.run(30_000);
    expect(await l.holder(VIP)).toBe(orderFor(VIP)[0]);
  });

  it.each<[string, (l: Lab) => void, string]>([
    [
      "its address is taken away",
      (l) =>
        void l.cluster.patch(
          SERVICES,
          { namespace: "default", name: "nginx" },
          { kind: "merge", body: { status: { loadBalancer: { ingress: null } } } },
        ),
      "no_address",
    ],
    [
      "it is no load balancer any more",
      (l) =>
        void l.cluster.patch(
          SERVICES,
          { namespace: "default", name: "nginx" },
          { kind: "merge", body: { spec: { type: "ClusterIP" } } },
        ),
      "",
    ],
    ["it is deleted", (l) => l.cluster.remove(SERVICES, { namespace: "default", name: "nginx" }), ""],
    [
      "its endpoints are gone",
      (l) => l.cluster.remove(ENDPOINT_SLICES, { namespace: "default", name: "nginx-abc" }),
      "no_serving_endpoint",
    ],
    [
      "its pool is gone",
      (l) => l.cluster.remove(IP_ADDRESS_POOLS, { namespace: NS, name: "production" }),
      "address_not_in_pool",
    ],
    [
      "nobody advertises its pool",
      (l) => l.cluster.remove(L2_ADVERTISEMENTS, { namespace: NS, name: "external" }),
      "no_matching_advertisement",
    ],
  ])("withdraw a service, silently and everywhere, when %s", async (_name, change, reason) => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(6000);
    l.seen.length = 0;
    change(l);
    await l.run(400);
    expect(l.seen.filter(({ packet }) => packet.senderIp === VIP)).toEqual([]);
    expect(await l.whoHas(VIP)).toEqual([]);
    expect(l.objects(SERVICE_L2_STATUSES)).toEqual([]);
    for (const { metrics } of l.speakers.values()) expect(metrics.render()).not.toContain("metallb_speaker_announced{");
    const states = l.objects(SPEAKER_STATES).flatMap(({ status }) => status?.notAnnouncing ?? []);
    if (reason !== "no_address" && reason !== "")
      expect(states.map((state) => state.reason)).toEqual([reason, reason, reason]);
  });

  it("leave alone services of another class", async () => {
    const l = await lab();
    l.service("nginx", VIP, { spec: { loadBalancerClass: "other.io/lb" } });
    await l.run(200);
    expect(await l.whoHas(VIP)).toEqual([]);
  });

  it("announce a service of policy Local only from a node with an endpoint", async () => {
    const l = await lab();
    const [, , last = ""] = orderFor(VIP);
    l.service("nginx", VIP, { nodes: [last], spec: { externalTrafficPolicy: "Local" } });
    await l.run(200);
    expect(await l.holder(VIP)).toBe(last);
  });

  it("hold a shared address until the last of its services is gone", async () => {
    const l = await lab();
    l.service("a", VIP, { annotations: { [ANNOTATION.allowSharedIP]: "k" } });
    l.service("b", VIP, { annotations: { [ANNOTATION.allowSharedIP]: "k" } });
    await l.run(200);
    expect(l.objects(SERVICE_L2_STATUSES)).toHaveLength(2);
    l.cluster.remove(SERVICES, { namespace: "default", name: "a" });
    await l.run(200);
    expect(await l.holder(VIP)).toBe(orderFor(VIP)[0]);
    l.cluster.remove(SERVICES, { namespace: "default", name: "b" });
    await l.run(200);
    expect(await l.whoHas(VIP)).toEqual([]);
  });

  it("say when none of the wanted interfaces exists, once, and do not pretend", async () => {
    const l = new Lab();
    l.pool();
    l.advertise("external", { interfaces: ["bond7"] });
    await l.startAll();
    l.service("nginx", VIP);
    await l.run(20_000);
    expect(await l.whoHas(VIP)).toEqual([]);
    expect(l.objects(SERVICE_L2_STATUSES)).toEqual([]);
    expect(l.objects(EVENTS).map(({ type, reason }) => `${type} ${reason}`)).toEqual(
      Array(3).fill("Warning announceFailed"),
    );
  });

  it("make a removed ServiceL2Status again, and remove a duplicate and a stranger's", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(200);
    const [winner = "", second = ""] = orderFor(VIP);
    const [status] = l.objects(SERVICE_L2_STATUSES);
    l.cluster.remove(SERVICE_L2_STATUSES, { namespace: NS, name: status?.metadata.name ?? "" });
    for (const [name, node] of [
      ["l2-stray", second],
      ["l2-twin", winner],
      ["l2-zwin", winner],
    ] as const) {
      l.cluster.create(SERVICE_L2_STATUSES, {
        metadata: {
          name,
          namespace: NS,
          labels: { [LABEL.node]: node, [LABEL.serviceName]: "nginx", [LABEL.serviceNamespace]: "default" },
        },
      });
    }
    await l.run(500);
    expect(l.objects(SERVICE_L2_STATUSES)).toMatchObject([{ status: { node: winner, serviceName: "nginx" } }]);
  });

  it("publish what they know, refresh it every ten seconds, and never faster than four times a second", async () => {
    const l = await lab();
    for (let n = 1; n <= 20; n++) {
      l.service(`s${n}`, `127.77.10.${n}`);
      await l.run(50);
    }
    await l.run(1000);
    const states = l.objects(SPEAKER_STATES);
    expect(states.map(({ metadata }) => metadata.name).toSorted()).toEqual(NODES_OF_3);
    expect(states.flatMap(({ status }) => status?.announcing ?? [])).toHaveLength(20);
    expect(states.flatMap(({ status }) => status?.notAnnouncing ?? [])).toHaveLength(40);
    expect(states[0]).toMatchObject({
      metadata: { namespace: NS, ownerReferences: [{ kind: "Pod" }] },
      status: { ready: true, memoryBytes: 50_000_000, version: "test", interfaces: [{ name: "eth0", up: true }] },
    });
    expect(states[0]?.status?.members?.map(({ node, alive, ready }) => [node, alive, ready])).toEqual(
      NODES_OF_3.map((node) => [node, true, true]),
    );
    const version = () =>
      Math.max(...l.objects(SPEAKER_STATES).map(({ metadata }) => Number(metadata.resourceVersion)));
    const before = l.objects(SPEAKER_STATES)[0]?.status?.heartbeatAt;
    const from = version();
    await l.run(10_500);
    expect(l.objects(SPEAKER_STATES)[0]?.status?.heartbeatAt).not.toBe(before);
    expect(version() - from).toBeLessThanOrEqual(6);
  });

  it("answer a who-has question with every MAC, themselves included, once per nonce", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(200);
    const [winner = "", second = ""] = orderFor(VIP);
    for (const name of [winner, second]) {
      l.cluster.patch(
        SPEAKER_STATES,
        { namespace: NS, name },
        { kind: "merge", body: { metadata: { annotations: { [ANNOTATION.whoHas]: `n1 ${VIP},127.77.10.99` } } } },
      );
    }
    await l.run(800);
    const answer = (node: string) => l.objects(SPEAKER_STATES).find(({ metadata }) => metadata.name === node)?.status;
    for (const [node, extra] of [
      [winner, { self: true }],
      [second, {}],
    ] as const) {
      expect(answer(node)?.answeredWhoHas).toBe("n1");
      expect(answer(node)?.wire).toMatchObject([
        { address: VIP, answers: [{ mac: l.mac(winner), interface: "eth0", ...extra }] },
        { address: "127.77.10.99", answers: [] },
      ]);
    }
    const asked = answer(second)?.wire?.[0]?.askedAt;
    await l.run(11_000);
    expect(answer(second)?.wire?.[0]?.askedAt).toBe(asked);
  });

  it("report an invalid pool, keep its last valid version in force, and report when it is well again", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(500);
    const states = () =>
      l
        .objects(CONFIGURATION_STATES)
        .map(({ metadata, status }) => `${metadata.name} ${status?.result}`)
        .toSorted();
    expect(states()).toEqual(NODES_OF_3.map((node) => `speaker-${node} Valid`));
    const patch = (addresses: readonly string[]) =>
      l.cluster.patch(
        IP_ADDRESS_POOLS,
        { namespace: NS, name: "production" },
        { kind: "merge", body: { spec: { addresses } } },
      );
    patch(["127.77.10.254-127.77.10.1"]);
    await l.run(500);
    expect(states()).toEqual(NODES_OF_3.map((node) => `speaker-${node} Invalid`));
    expect(l.objects(CONFIGURATION_STATES)[0]?.status).toMatchObject({
      errorSummary: expect.stringContaining("production: spec.addresses.0"),
      conditions: [{ type: "configReconcilerValid", status: "False", reason: "ConfigurationError" }],
    });
    expect(await l.holder(VIP)).toBe(orderFor(VIP)[0]);
    patch(["127.77.10.1-127.77.10.254"]);
    l.cluster.remove(CONFIGURATION_STATES, { namespace: NS, name: "speaker-node-02" });
    await l.run(1000);
    expect(states()).toEqual(NODES_OF_3.map((node) => `speaker-${node} Valid`));
  });

  it("report what is wrong in every kind they read, and go on announcing", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(500);
    const at = (name: string) => ({ metadata: { name, namespace: NS } });
    l.cluster.put(BGP_PEERS, { ...at("router"), spec: { myASN: 0, peerASN: 1, peerAddress: "192.0.2.1" } });
    l.cluster.put(BFD_PROFILES, { ...at("fast"), spec: { detectMultiplier: 1 } });
    l.cluster.put(COMMUNITIES, { ...at("named"), spec: { communities: [{ name: "a", value: "b" }] } });
    l.cluster.put(BGP_ADVERTISEMENTS, { ...at("out"), spec: { peers: ["x", "x"] } });
    await l.run(500);
    const [state] = l.objects(CONFIGURATION_STATES);
    expect(state?.status?.errorSummary?.split("\n").map((line) => line.split(": ").slice(0, 2).join(": "))).toEqual([
      "BFDProfile fast: spec.detectMultiplier",
      "BGPAdvertisement out: spec.peers.1",
      "BGPPeer router: spec.myASN",
      "Community named: spec.communities.0.value",
    ]);
    expect(await l.holder(VIP)).toBe(orderFor(VIP)[0]);
  });

  it("elect the same node when one was restarted while the pool is invalid and never saw it valid", async () => {
    const l = await lab();
    l.service("nginx", VIP, { annotations: { [ANNOTATION.allocatedFromPool]: "production" } });
    await l.run(100);
    const [winner = ""] = orderFor(VIP);
    const at = { name: "production", namespace: NS };
    l.cluster.patch(IP_ADDRESS_POOLS, at, {
      kind: "merge",
      body: { spec: { addresses: ["127.77.10.9-127.77.10.1"] } },
    });
    await l.kill(winner);
    await l.run(1000);
    await l.start(winner);
    await l.run(2000);
    expect(await l.holder(VIP)).toBe(winner);
  });

  it("do not elect anew because the controller counts in a pool's status", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(5000);
    const at = { name: "production", namespace: NS };
    l.cluster.patch(IP_ADDRESS_POOLS, at, { kind: "merge", body: { status: { assignedIPv4: 1 } } });
    const written = l.objects(SPEAKER_STATES).map(({ metadata }) => metadata.resourceVersion);
    await l.run(100);
    expect(l.objects(SPEAKER_STATES).map(({ metadata }) => metadata.resourceVersion)).toEqual(written);
  });

  it("write nothing at all while nothing happens, but their heartbeats", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(2000);
    const versions = () =>
      [
        ...l.objects(SERVICE_L2_STATUSES),
        ...l.objects(EVENTS),
        ...l.objects(CONFIGURATION_STATES),
        ...l.objects(SERVICES),
      ].map(({ metadata }) => metadata.resourceVersion);
    const before = versions();
    await l.run(70_000);
    expect(versions()).toEqual(before);
  });
});
