import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BFD_PROFILES,
  BGP_PEERS,
  IP_ADDRESS_POOLS,
  type ResourceRef,
  SERVICES,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from "#api/resources";
import { startWebhooks } from "#controller/webhooks/start";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { certificateTools } from "#main/certificate-tools";
import { readManifests } from "#main/manifests";
import { systemClock } from "#runtime/clock";
import { startJsonServer } from "#runtime/json-server";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";

/** The webhooks of two replicas behind the manifests' own Service, and what kubectl says when they are asked. */
const NS = "metallb-system";
const HOSTS = ["10.244.91.2", "10.244.91.3"];
let api: TestApi;
let user: HttpCluster;
const runners: Runner[] = [];
const replicas: HttpCluster[] = [];

const connect = () =>
  new HttpCluster({ connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }) });

async function until(test: () => Promise<boolean> | boolean): Promise<void> {
  const start = performance.now();
  while (!(await test())) {
    if (performance.now() - start > 30_000) throw new Error("not within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As a pod of the sandbox with this address; returns the port that it took there. */
async function replica(address: string, port: number): Promise<number> {
  const runner = new Runner(silentLog);
  runners.push(runner);
  const cluster = connect();
  replicas.push(cluster);
  runner.onStop("cluster", () => cluster.close());
  let taken = 0;
  const webhooks = startWebhooks(runner, {
    cluster,
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    namespace: NS,
    certificates: {
      kind: "managed",
      tools: certificateTools,
      secretName: "metallb-webhook-cert",
      serviceName: "metallb-webhook-service",
    },
    listen: async (certificate, handle) => {
      const host = address.replace(/^10/, "127");
      const server = await startJsonServer({ host, port, tls: {}, certificate, handle });
      taken = server.port;
      return server;
    },
  });
  await until(() => webhooks.settled() && taken > 0);
  return taken;
}

/** Whichever replica is asked, it knows the object: they see it a moment after it was made. */
const seen = (resource: ResourceRef, key: string) =>
  until(() => replicas.every((cluster) => cluster.cache(resource, { namespace: NS }).get(key) !== undefined));

const pool = (name: string, addresses: string) =>
  JSON.stringify({
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: NS },
    spec: { addresses: [addresses] },
  });
const apply = (text: string) => api.kubectlWith(text, "apply", "-f", "-");

beforeAll(async () => {
  api = await startTestApi();
  user = connect();
  const post = (path: string, body: unknown) => api.send("POST", path, body);
  for (const crd of readManifests("crds")) await post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  await post("/api/v1/namespaces", { metadata: { name: NS } });
  await until(async () => (await api.send("GET", `/apis/metallb.io/v1beta1/ipaddresspools`)).code === 200);
  await until(async () => (await api.send("GET", `/apis/berth.dev/v1alpha1/addressholds`)).code === 200);
  for (const object of readManifests("base")) {
    if (object.kind === "Service") await post(`/api/v1/namespaces/${NS}/services`, object);
    if (object.kind !== "ValidatingWebhookConfiguration") continue;
    await post("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", object);
  }
  const port = await replica(HOSTS[0] ?? "", 0);
  await replica(HOSTS[1] ?? "", port);
  await post(`/apis/discovery.k8s.io/v1/namespaces/${NS}/endpointslices`, {
    metadata: { name: "webhooks", labels: { "kubernetes.io/service-name": "metallb-webhook-service" } },
    addressType: "IPv4",
    endpoints: HOSTS.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: "webhook", port, protocol: "TCP" }],
  });
  const made = await apply(pool("production", "10.1.0.0/24"));
  expect(made.code, made.err).toBe(0);
  await seen(IP_ADDRESS_POOLS, `${NS}/production`);
});

afterAll(async () => {
  for (const runner of runners) runner.end("test");
  await Promise.all(runners.map((runner) => runner.run(3000)));
  await user.close();
  await api.close();
});

describe("kubectl, with the webhooks in place", () => {
  it("is refused a pool that overlaps, whichever replica is asked, with field, reason and what would be right", async () => {
    for (let turn = 0; turn < 4; turn++) {
      const { code, err } = await apply(pool("overlap", "10.1.0.200-10.1.1.10"));
      expect(code).toBe(1);
      expect(err).toBe(
        'The IPAddressPool "overlap" is invalid: spec.addresses.0: 10.1.0.200-10.1.1.10 overlaps 10.1.0.0/24 of pool production; take 10.1.0.200-10.1.0.255 out of one of them\n',
      );
    }
    expect((await user.list(IP_ADDRESS_POOLS)).items).toHaveLength(1);
  });

  it("is warned before an address is taken from a Service", async () => {
    await user.create(SERVICES, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "default" },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    });
    const body = { status: { loadBalancer: { ingress: [{ ip: "10.1.0.7" }] } } };
    await user.patch(SERVICES, { name: "web", namespace: "default" }, { kind: "merge", subresource: "status", body });
    const hasAddress = (cluster: HttpCluster) =>
      cluster.cache(SERVICES).get("default/web")?.status?.loadBalancer?.ingress !== undefined;
    await until(() => replicas.every(hasAddress));
    const { err } = await api.kubectl("delete", "ipaddresspool", "production", "-n", NS, "--dry-run=server");
    expect(err).toContain(
      "Warning: deleting pool production costs 1 Service the address:\nWarning: default/web loses 10.1.0.7\n",
    );
    expect((await apply(pool("production", "10.1.0.128-10.1.0.200"))).err).toContain("default/web loses 10.1.0.7");
  });

  it("may not delete a BFD profile that a peer names, and may once the peer is gone", async () => {
    const bfd = {
      apiVersion: "metallb.io/v1beta1",
      kind: "BFDProfile",
      metadata: { name: "fast", namespace: NS },
      spec: {},
    };
    const spec = { myASN: 64512, peerASN: 64513, peerAddress: "10.9.9.9", bfdProfile: "fast" };
    const peer = { apiVersion: "metallb.io/v1beta2", kind: "BGPPeer", metadata: { name: "tor", namespace: NS }, spec };
    // The peer first: what it names may come later.
    const first = await apply(JSON.stringify(peer));
    expect(first).toMatchObject({ code: 0, err: expect.stringMatching(/^Warning: spec.bfdProfile: /) });
    expect((await apply(JSON.stringify(bfd))).code).toBe(0);
    await seen(BFD_PROFILES, `${NS}/fast`);
    await seen(BGP_PEERS, `${NS}/tor`);
    const remove = () => api.kubectl("delete", "bfdprofile", "fast", "-n", NS);
    let refused = await remove();
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("BGPPeer tor names it") });
    await api.kubectl("delete", "bgppeer", "tor", "-n", NS);
    await until(async () => {
      refused = await remove();
      return refused.code === 0;
    });
  });

  it("is refused a hold that says nothing readable", async () => {
    const hold = {
      apiVersion: "berth.dev/v1alpha1",
      kind: "AddressHold",
      metadata: { name: "h" },
      spec: { addresses: ["x"] },
    };
    expect((await apply(JSON.stringify(hold))).err).toContain('The AddressHold "h" is invalid: spec.addresses.0:');
  });

  it("is refused again a moment after somebody took the authorities out of the configuration", async () => {
    const at = { name: "metallb-webhook-configuration" };
    const before = await user.get(VALIDATING_WEBHOOK_CONFIGURATIONS, at);
    const bare = (before.webhooks ?? []).map(({ clientConfig: { caBundle: _gone, ...rest }, ...hook }) => ({
      ...hook,
      clientConfig: rest,
    }));
    await user.patch(VALIDATING_WEBHOOK_CONFIGURATIONS, at, { kind: "merge", body: { webhooks: bare } });
    const dry = ["apply", "--dry-run=server", "-f", "-"];
    await until(async () => (await api.kubectlWith(pool("overlap", "10.1.0.150/32"), ...dry)).code === 1);
    const after = await user.get(VALIDATING_WEBHOOK_CONFIGURATIONS, at);
    expect(after.webhooks?.map(({ clientConfig }) => clientConfig.caBundle)).toEqual(
      before.webhooks?.map(({ clientConfig }) => clientConfig.caBundle),
    );
  });
});
