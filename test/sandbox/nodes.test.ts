import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { get as httpGet } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/objects";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { CONFIG_MAPS, ENDPOINT_SLICES, NODES, PODS, SERVICES } from "#api/resources";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startNodes } from "#sandbox/nodes";
import { MemoryObjects } from "../support/memory-objects.ts";

// An address and a port of this test alone.
const ADDRESS = "127.77.200.7";
const PORT = 28_080;

const objects = new MemoryObjects();
const dataDir = mkdtempSync(path.join(tmpdir(), "berth-nodes-"));
let nodes: Awaited<ReturnType<typeof startNodes>>;

beforeAll(async () => {
  mkdirSync(path.join(dataDir, "pods", "left-behind", "logs"), { recursive: true });
  // From a start with more nodes, and one that somebody else made.
  for (const name of ["node-07", "elsewhere"]) {
    await objects.create(NODES, object("Node", { name }, {}));
    const spec = { nodeName: name, containers: [{ name: "c", image: "nginx" }] };
    await objects.create(PODS, object("Pod", { name: `on-${name}`, namespace: "default", uid: name }, { spec }));
  }
  nodes = await startNodes({
    objects,
    requestToken: async () => "token",
    ca: "CA",
    dataDir,
    nodeCount: 3,
    apiPort: 1,
    berthBin: "/nowhere",
    nodePath: process.execPath,
    clock: systemClock,
    log: silentLog,
  });
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
});

async function until<T>(what: string, look: () => Promise<T | null> | T | null, withinMs = 20_000): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const object = (kind: string, metadata: object, more: object) =>
  ({ apiVersion: "v1", kind, metadata, ...more }) as KubeObject;

it("forgets nodes of a start that had more of them, with what they ran, and leaves foreign ones alone", async () => {
  await until("the retired node's pod to be gone", async () =>
    (await objects.list(PODS)).items.some(({ metadata }) => metadata.name === "on-node-07") ? null : true,
  );
  expect((await objects.list(NODES)).items.map(({ metadata }) => metadata.name)).not.toContain("node-07");
  expect(await objects.get(NODES, { name: "elsewhere" })).toBeDefined();
  expect(await objects.get(PODS, { name: "on-elsewhere", namespace: "default" })).toBeDefined();
});

async function startPod(number: number): Promise<string> {
  const name = `web-${number}`;
  const script = 'echo "POD: $POD" > /www/index.html';
  const spec = {
    nodeName: `node-0${number}`,
    terminationGracePeriodSeconds: 5,
    initContainers: [
      {
        name: "init",
        image: "busybox",
        command: ["sh", "-c", script],
        env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
        volumeMounts: [{ name: "www", mountPath: "/www" }],
      },
    ],
    containers: [
      {
        name: "nginx",
        image: "nginx",
        ports: [{ containerPort: 80 }],
        volumeMounts: [{ name: "www", mountPath: "/usr/share/nginx/html" }],
      },
    ],
    volumes: [{ name: "www", emptyDir: {} }],
  };
  await objects.create(PODS, object("Pod", { namespace: "default", name }, { spec }) as never);
  return until("a ready pod", () => {
    const status = objects.cache(PODS).get(`default/${name}`)?.status;
    const ready = status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
    return ready ? (status?.podIP ?? null) : null;
  });
}

function slice(addresses: readonly { readonly ip: string; readonly node: string }[]): EndpointSlice {
  return object(
    "EndpointSlice",
    { namespace: "default", name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
    {
      addressType: "IPv4",
      ports: [{ name: "", port: 80, protocol: "TCP" }],
      endpoints: addresses.map(({ ip, node }) => ({ addresses: [ip], nodeName: node, conditions: { ready: true } })),
    },
  ) as EndpointSlice;
}

function fetchOnce(): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpGet({ host: ADDRESS, port: PORT, agent: false, timeout: 5_000 }, (response) => {
      let body = "";
      response.on("data", (data) => (body += data));
      response.on("end", () => resolve(body));
    });
    request.on("error", reject);
  });
}

// Every wait below has a bound of its own; a loaded machine may need several of them.
describe("the nodes process", { timeout: 60_000 }, () => {
  it("carries a request from an external address by ARP, node and proxy to a pod, and follows endpoints", async () => {
    const config = "kind: KubeProxyConfiguration\nmode: ipvs\nipvs: {strictARP: false}\n";
    const metadata = { namespace: "kube-system", name: "kube-proxy" };
    await objects.create(CONFIG_MAPS, object("ConfigMap", metadata, { data: { "config.conf": config } }) as never);
    const proxy = {
      nodeName: "node-01",
      hostNetwork: true,
      containers: [
        {
          name: "kube-proxy",
          image: "kube-proxy:v1",
          volumeMounts: [{ name: "config", mountPath: "/var/lib/kube-proxy" }],
        },
      ],
      volumes: [{ name: "config", configMap: { name: "kube-proxy" } }],
    };
    await objects.create(PODS, object("Pod", { ...metadata, name: "kube-proxy-1" }, { spec: proxy }) as never);
    const first = await startPod(1);
    const second = await startPod(2);
    const spec = { type: "LoadBalancer", clusterIP: "10.96.0.9", ports: [{ port: PORT, protocol: "TCP" }] };
    const status = { loadBalancer: { ingress: [{ ip: ADDRESS }] } };
    await objects.create(ENDPOINT_SLICES, slice([{ ip: first, node: "node-01" }]));
    await objects.create(
      SERVICES,
      object("Service", { namespace: "default", name: "web" }, { spec, status }) as Service,
    );
    expect(await until("a reply", () => fetchOnce().catch(() => null))).toBe("POD: web-1\n");
    const neighbours = await until("the neighbour table", () => {
      const text = objects.cache(CONFIG_MAPS).get("kube-system/berth-sandbox-edge")?.data?.neighbours;
      return text?.includes("02:be:77:00:00:11") ? JSON.parse(text) : null;
    });
    expect(neighbours).toMatchObject([{ address: ADDRESS, mac: "02:be:77:00:00:11" }]);

    await objects.patch(
      ENDPOINT_SLICES,
      { namespace: "default", name: "web-1" },
      {
        kind: "merge",
        body: { endpoints: slice([{ ip: second, node: "node-02" }]).endpoints },
      },
    );
    await until("a reply of the other pod", () =>
      fetchOnce().then(
        (body) => (body === "POD: web-2\n" ? true : null),
        () => null,
      ),
    );
  });

  it("takes a mapped address out of the annotation when the address itself is bound", async () => {
    const name = { namespace: "default", name: "web" };
    const stale = { metadata: { annotations: { "berth.dev/reachable-at": "1/TCP=127.0.0.1:1" } } };
    await objects.patch(SERVICES, name, { kind: "merge", body: stale });
    await until("the annotation is gone", () => {
      const annotations = objects.cache(SERVICES).get("default/web")?.metadata.annotations ?? {};
      return Object.keys(annotations).length === 0 ? true : null;
    });
  });

  it("makes a node vanish when its power annotation says off, and come back when it says on", async () => {
    const power = (state: string) => {
      const body = { metadata: { annotations: { "sandbox.berth.dev/power": state } } };
      return objects.patch(NODES, { name: "node-02" }, { kind: "merge", body });
    };
    await power("off");
    await until("a refused request", () =>
      fetchOnce().then(
        () => null,
        () => true,
      ),
    );
    await power("on");
    expect(await until("a reply", () => fetchOnce().catch(() => null))).toBe("POD: web-2\n");
    // The status is written after the first reply can be had.
    const restarts = () => objects.cache(PODS).get("default/web-2")?.status?.containerStatuses?.[0]?.restartCount;
    expect(await until("a restart counted", () => restarts() || null)).toBe(1);
  });

  it("removes the files of pods that are gone", async () => {
    await until("a clean directory", () =>
      readdirSync(path.join(dataDir, "pods")).includes("left-behind") ? null : true,
    );
  });

  it("stops without waiting for anybody and leaves the pods as they are in the cluster", async () => {
    await nodes.close();
    await expect(fetchOnce()).rejects.toThrow();
    expect(objects.cache(PODS).get("default/web-2")?.status).toMatchObject({ phase: "Running" });
  });
});
