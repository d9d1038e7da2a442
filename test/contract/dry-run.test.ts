import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";

const MERGE = "application/merge-patch+json";
const APPLY = "application/apply-patch+yaml";
const BASE = "/api/v1/namespaces/default";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const APPS = "/apis/apps/v1/namespaces/default";
const POOLS = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send("POST", CRDS, POOL_CRD);
  await api.send("POST", POOLS, pool("there", ["192.0.2.0/28"]));
  await api.send("POST", `${BASE}/configmaps`, { metadata: { name: "there" }, data: { a: "1" } });
  await api.send("POST", `${BASE}/services`, { metadata: { name: "there" }, spec: { ports: [{ port: 80 }] } });
  await api.send("POST", `${BASE}/pods`, podOf("there"));
  await api.send("POST", `${APPS}/deployments`, deployment("there"));
});
afterAll(() => api.close());

const podOf = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: "c", image: "i" }] } });
const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: "x" } },
    template: { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
});
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "new" },
  spec: { type: "NodePort", ports: [{ port: 1 }] },
};

interface Row {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly code: number;
  /** What the reply shows of the change that is not made. */
  readonly shows: object;
}

const rows: readonly Row[] = [
  {
    name: "a creation",
    method: "POST",
    path: `${BASE}/services`,
    body: service,
    code: 201,
    shows: { spec: { clusterIP: expect.stringMatching(/^10\.96\./), ports: [{ nodePort: expect.any(Number) }] } },
  },
  {
    name: "the creation of a namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: "new" } },
    code: 201,
    shows: { status: { phase: "Active" } },
  },
  {
    name: "the creation of a definition",
    method: "POST",
    path: CRDS,
    body: {
      ...POOL_CRD,
      metadata: { name: "things.example.com" },
      spec: { ...(POOL_CRD.spec as object), group: "example.com", names: { plural: "things", kind: "Thing" } },
    },
    code: 201,
    shows: { kind: "CustomResourceDefinition" },
  },
  {
    name: "the creation of a custom resource",
    method: "POST",
    path: POOLS,
    body: pool("new", ["192.0.2.0/28"]),
    code: 201,
    shows: { spec: { autoAssign: true } },
  },
  {
    name: "a replacement",
    method: "PUT",
    path: `${BASE}/configmaps/there`,
    body: { metadata: { name: "there" }, data: { a: "2" } },
    code: 200,
    shows: { data: { a: "2" } },
  },
  {
    name: "a merge patch",
    method: "PATCH",
    path: `${BASE}/configmaps/there`,
    body: { data: { a: "3" } },
    type: MERGE,
    code: 200,
    shows: { data: { a: "3" } },
  },
  {
    name: "a JSON patch",
    method: "PATCH",
    path: `${BASE}/configmaps/there`,
    body: [{ op: "remove", path: "/data/a" }],
    type: "application/json-patch+json",
    code: 200,
    shows: { kind: "ConfigMap" },
  },
  {
    name: "a strategic patch that allocates",
    method: "PATCH",
    path: `${BASE}/services/there`,
    body: { spec: { type: "NodePort" } },
    type: "application/strategic-merge-patch+json",
    code: 200,
    shows: { spec: { ports: [{ nodePort: expect.any(Number) }] } },
  },
  {
    name: "an apply that creates",
    method: "PATCH",
    path: `${BASE}/services/new`,
    body: service,
    type: APPLY,
    code: 201,
    shows: { metadata: { managedFields: [{ operation: "Apply" }] } },
  },
  {
    name: "an apply that changes",
    method: "PATCH",
    path: `${BASE}/configmaps/there`,
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "there" }, data: { b: "1" } },
    type: APPLY,
    code: 200,
    shows: { data: { a: "1", b: "1" } },
  },
  {
    name: "a status",
    method: "PATCH",
    path: `${POOLS}/there/status`,
    body: { status: { assignedIPv4: 3 } },
    type: MERGE,
    code: 200,
    shows: { status: { assignedIPv4: 3 } },
  },
  {
    name: "a scale",
    method: "PATCH",
    path: `${APPS}/deployments/there/scale`,
    body: { spec: { replicas: 9 } },
    type: MERGE,
    code: 200,
    shows: { spec: { replicas: 9 } },
  },
  { name: "a deletion", method: "DELETE", path: `${BASE}/configmaps/there`, code: 200, shows: { status: "Success" } },
  {
    name: "a deletion that would wait",
    method: "DELETE",
    path: `${APPS}/deployments/there?propagationPolicy=Foreground`,
    code: 200,
    shows: { metadata: { finalizers: ["foregroundDeletion"] } },
  },
  {
    name: "the deletion of a definition with its objects",
    method: "DELETE",
    path: `${CRDS}/ipaddresspools.metallb.io`,
    code: 200,
    shows: { status: "Success" },
  },
  {
    name: "the deletion of a collection",
    method: "DELETE",
    path: `${BASE}/configmaps`,
    code: 200,
    shows: { kind: "ConfigMapList" },
  },
  {
    name: "a binding",
    method: "POST",
    path: `${BASE}/pods/there/binding`,
    body: { target: { name: "node" } },
    code: 201,
    shows: { status: "Success" },
  },
  {
    name: "an eviction",
    method: "POST",
    path: `${BASE}/pods/there/eviction`,
    body: { kind: "Eviction" },
    code: 201,
    shows: { status: "Success" },
  },
];

describe("dryRun=All", () => {
  it.each(rows)(
    "shows what $name would do, and does nothing",
    async ({ method, path, body, type = "application/json", code, shows }) => {
      const before = api.store.revision;
      const query = `${path.includes("?") ? "&" : "?"}dryRun=All&fieldManager=dry`;
      const reply = await api.send(method, `${path}${query}`, body, { type });
      expect(reply.code).toBe(code);
      expect(reply.body).toMatchObject(shows);
      // Every write, an event or an allocation too, counts the revision up.
      expect(api.store.revision).toBe(before);
    },
  );

  it("can be asked for in the options of a deletion", async () => {
    const before = api.store.revision;
    await api.send("DELETE", `${BASE}/configmaps/there`, { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] });
    expect(api.store.revision).toBe(before);
  });

  it.each([
    ["POST", `${BASE}/services`, { ...service, spec: { ports: [{ port: 70_000 }] } }, 422],
    ["POST", `${BASE}/configmaps`, { metadata: { name: "there" } }, 409],
    ["POST", "/api/v1/namespaces/none/configmaps", { metadata: { name: "x" } }, 404],
    ["PUT", `${BASE}/configmaps/there`, { metadata: { name: "there", resourceVersion: "1" } }, 409],
    ["DELETE", `${BASE}/configmaps/none`, undefined, 404],
  ])("refuses what it would refuse: %s %s", async (method, path, body, code) => {
    expect((await api.send(method, `${path}?dryRun=All`, body)).code).toBe(code);
  });

  it("takes no other value", async () => {
    const reply = await api.send("POST", `${BASE}/configmaps?dryRun=Some`, { metadata: { name: "x" } });
    expect([reply.code, reply.body.message]).toEqual([400, expect.stringContaining('invalid dryRun value "Some"')]);
  });

  it("is never seen by a watch, and what it allocated is free for the next", async () => {
    const address = "10.96.7.7";
    const fixed = { ...service, spec: { clusterIP: address, ports: [{ port: 1 }] } };
    expect((await api.send("POST", `${BASE}/services?dryRun=All`, fixed)).body.spec.clusterIP).toBe(address);
    const made = await api.send("POST", `${BASE}/services`, { ...fixed, metadata: { name: "real" } });
    expect([made.code, made.body.spec.clusterIP]).toEqual([201, address]);
    await api.send("DELETE", `${BASE}/services/real`);
  });
});
