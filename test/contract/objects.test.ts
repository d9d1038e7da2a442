import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const POOLS = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools";
const map = (name: string, more: object = {}) => ({ metadata: { name, ...more }, data: { a: "1" } });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  const made = await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
  expect(made.code).toBe(201);
});
afterAll(() => api.close());

describe("creating", () => {
  it("fills in what the server owns", async () => {
    const { code, body } = await api.send("POST", MAPS, map("made", { uid: "mine", generation: 9, managedFields: [] }));
    expect(code).toBe(201);
    expect(body).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "made", namespace: "default" },
    });
    expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(body.metadata).not.toHaveProperty("generation");
    expect(body.metadata.managedFields).toMatchObject([{ operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } }]);
  });

  it("makes a name from generateName", async () => {
    const { body } = await api.send("POST", MAPS, { metadata: { generateName: "gen-" } });
    expect(body.metadata.name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("takes YAML", async () => {
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {k: v}\n";
    const { code, body } = await api.send("POST", MAPS, yaml, { type: "application/yaml" });
    expect([code, body.data]).toEqual([201, { k: "v" }]);
  });

  it("changes nothing with dryRun=All", async () => {
    expect((await api.send("POST", `${MAPS}?dryRun=All`, map("dry"))).code).toBe(201);
    expect((await api.send("GET", `${MAPS}/dry`)).code).toBe(404);
  });

  const rows: { name: string; path: string; body: unknown; type?: string; code: number; says: string }[] = [
    {
      name: "a name that is taken",
      path: MAPS,
      body: map("made"),
      code: 409,
      says: 'configmaps "made" already exists',
    },
    {
      name: "a missing namespace",
      path: "/api/v1/namespaces/nope/configmaps",
      body: map("x"),
      code: 404,
      says: 'namespaces "nope" not found',
    },
    {
      name: "another namespace in the body",
      path: MAPS,
      body: map("x", { namespace: "other" }),
      code: 400,
      says: "the namespace of the provided object does not match the namespace sent on the request",
    },
    { name: "no name", path: MAPS, body: { data: {} }, code: 422, says: "name or generateName is required" },
    {
      name: "a bad name",
      path: MAPS,
      body: map("Bad_Name"),
      code: 422,
      says: "a lowercase RFC 1123 subdomain must consist of",
    },
    {
      name: "a bad label",
      path: MAPS,
      body: map("x", { labels: { a: "not valid!" } }),
      code: 422,
      says: "a valid label must be an empty string or consist of",
    },
    {
      name: "a label that is no text",
      path: MAPS,
      body: map("x", { labels: { a: 1 } }),
      code: 400,
      says: "cannot unmarshal number into Go struct field",
    },
    {
      name: "another kind",
      path: MAPS,
      body: { kind: "Secret", ...map("x") },
      code: 400,
      says: 'Secret in version "v1" cannot be handled as a ConfigMap',
    },
    {
      name: "another version",
      path: MAPS,
      body: { apiVersion: "v2", ...map("x") },
      code: 400,
      says: "does not match the expected API version (v1)",
    },
    {
      name: "a resourceVersion",
      path: MAPS,
      body: map("x", { resourceVersion: "1" }),
      code: 400,
      says: "resourceVersion should not be set",
    },
    { name: "broken JSON", path: MAPS, body: "{", code: 400, says: "the body of the request is not valid JSON" },
    {
      name: "broken YAML",
      path: MAPS,
      body: "a: [",
      type: "application/yaml",
      code: 400,
      says: "the body of the request is not valid YAML",
    },
    { name: "an empty body", path: MAPS, body: "", code: 400, says: "the body of the request is empty" },
    { name: "a list for an object", path: MAPS, body: [], code: 400, says: "is not a JSON object" },
    {
      name: "an unknown media type",
      path: MAPS,
      body: "x",
      type: "text/plain",
      code: 415,
      says: "accepted media types include: application/json",
    },
    {
      name: "more than 3 MiB",
      path: MAPS,
      body: { data: { a: "x".repeat(3_200_000) } },
      code: 413,
      says: "Request entity too large: limit is 3145728",
    },
    {
      name: "an unknown kind",
      path: "/api/v1/namespaces/default/frobs",
      body: {},
      code: 404,
      says: "the server could not find the requested resource",
    },
    { name: "an odd dryRun", path: `${MAPS}?dryRun=Maybe`, body: map("x"), code: 400, says: "invalid dryRun value" },
  ];
  it.each(rows)("refuses $name", async ({ path, body, type, code, says }) => {
    const reply = await api.send("POST", path, body, type === undefined ? {} : { type });
    expect(reply.code).toBe(code);
    expect(reply.body).toMatchObject({ kind: "Status", status: "Failure", code });
    expect(reply.body.message).toContain(says);
    expect(reply.text).not.toMatch(/\.ts:\d+/);
  });
});

describe("allocating", () => {
  it("refuses a taken value as a cause of the object, in words that kubectl prints", async () => {
    const manifest = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "taken" },
      spec: { clusterIP: "10.96.0.1", ports: [{ port: 80 }] },
    };
    const { err } = await api.kubectlWith(JSON.stringify(manifest), "apply", "-f", "-");
    expect(err).toBe(
      'The Service "taken" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already allocated\n',
    );
  });
});

describe("updating", () => {
  it("refuses a stale version in the server's words, and only the first of two writers wins", async () => {
    const { body } = await api.send("POST", MAPS, map("race"));
    const replies = await Promise.all(
      ["x", "y", "z"].map((a) => api.send("PUT", `${MAPS}/race`, { ...body, data: { a } })),
    );
    expect(replies.map((reply) => reply.code).toSorted()).toEqual([200, 409, 409]);
    expect(replies.find((reply) => reply.code === 409)?.body.message).toBe(
      'Operation cannot be fulfilled on configmaps "race": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it("keeps what the server owns, and writes an equal object not at all", async () => {
    const { body } = await api.send("POST", MAPS, map("same"));
    const again = await api.send("PUT", `${MAPS}/same`, {
      ...body,
      metadata: { ...body.metadata, creationTimestamp: "2000-01-01T00:00:00Z" },
    });
    expect(again.body).toEqual(body);
    const wrong = await api.send("PUT", `${MAPS}/same`, { ...body, metadata: { ...body.metadata, uid: "other" } });
    expect(wrong.body.message).toContain("Precondition failed: UID in precondition: other");
    const named = await api.send("PUT", `${MAPS}/same`, map("else"));
    expect(named.body.message).toContain("the name of the object (else) does not match the name on the URL (same)");
  });

  it("keeps status and the rest apart, and counts generations of the rest", async () => {
    const created = await api.send("POST", POOLS, { ...pool("parts", ["a-b"]), status: { assignedIPv4: 5 } });
    expect(created.body).toMatchObject({
      metadata: { generation: 1 },
      spec: { autoAssign: true, avoidBuggyIPs: false },
    });
    expect(created.body).not.toHaveProperty("status");
    const status = await api.send(
      "PATCH",
      `${POOLS}/parts/status`,
      { spec: { autoAssign: false }, status: { assignedIPv4: 1 } },
      { type: "application/merge-patch+json" },
    );
    expect(status.body).toMatchObject({
      metadata: { generation: 1 },
      spec: { autoAssign: true },
      status: { assignedIPv4: 1 },
    });
    const spec = await api.send(
      "PATCH",
      `${POOLS}/parts`,
      { spec: { autoAssign: false }, status: { assignedIPv4: 9 } },
      { type: "application/merge-patch+json" },
    );
    expect(spec.body).toMatchObject({
      metadata: { generation: 2 },
      spec: { autoAssign: false },
      status: { assignedIPv4: 1 },
    });
    const label = await api.send(
      "PATCH",
      `${POOLS}/parts`,
      { metadata: { labels: { a: "b" } } },
      { type: "application/merge-patch+json" },
    );
    expect(label.body.metadata.generation).toBe(2);
  });

  it("asks for a resourceVersion when a custom resource is replaced", async () => {
    const reply = await api.send("PUT", `${POOLS}/parts`, pool("parts", ["c-d"]));
    expect([reply.code, reply.body.message]).toEqual([
      422,
      expect.stringContaining("metadata.resourceVersion: Invalid value: 0: must be specified for an update"),
    ]);
  });

  it("scales by the scale subresource", async () => {
    const deployments = "/apis/apps/v1/namespaces/default/deployments";
    const labels = { app: "x" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx" }] } };
    await api.send("POST", deployments, {
      metadata: { name: "d" },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    });
    const scale = await api.send("GET", `${deployments}/d/scale`);
    expect(scale.body).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 2 },
      status: { selector: "app=x" },
    });
    const put = await api.send("PUT", `${deployments}/d/scale`, { ...scale.body, spec: { replicas: 4 } });
    expect(put.body.spec.replicas).toBe(4);
    expect((await api.send("GET", `${deployments}/d`)).body).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 4 },
    });
    expect((await api.send("PUT", `${deployments}/d/scale`, scale.body)).code).toBe(409);
    const bad = await api.send(
      "PATCH",
      `${deployments}/d/scale`,
      { spec: { replicas: -1 } },
      { type: "application/merge-patch+json" },
    );
    expect(bad.body.message).toContain("spec.replicas: Invalid value: -1: must be greater than or equal to 0");
  });
});

describe("reading", () => {
  beforeAll(async () => {
    for (const name of ["l1", "l2", "l3"])
      await api.send("POST", MAPS, map(name, { labels: { set: "list", n: name } }));
  });

  it("lists by label and field, in pages", async () => {
    const names = (reply: { body: { items: { metadata: { name: string } }[] } }) =>
      reply.body.items.map((item) => item.metadata.name);
    expect(names(await api.send("GET", `${MAPS}?labelSelector=set%3Dlist,n+notin+(l2)`))).toEqual(["l1", "l3"]);
    expect(names(await api.send("GET", `/api/v1/configmaps?fieldSelector=metadata.name%3Dl2`))).toEqual(["l2"]);
    const first = await api.send("GET", `${MAPS}?labelSelector=set%3Dlist&limit=2`);
    expect(names(first)).toEqual(["l1", "l2"]);
    const second = await api.send(
      "GET",
      `${MAPS}?labelSelector=set%3Dlist&limit=2&continue=${first.body.metadata.continue}`,
    );
    expect(names(second)).toEqual(["l3"]);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  });

  it("answers a Table or metadata alone when asked first, JSON otherwise", async () => {
    const table = await api.send("GET", POOLS, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    });
    expect(table.body.columnDefinitions.map((column: { name: string }) => column.name)).toEqual([
      "Name",
      "Auto Assign",
      "Avoid Buggy IPs",
      "Addresses",
    ]);
    expect(table.body.rows[0]).toMatchObject({
      cells: ["parts", false, false, '["a-b"]'],
      object: { kind: "PartialObjectMetadata" },
    });
    const whole = await api.send("GET", `${POOLS}?includeObject=Object`, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(whole.body.rows[0].object.spec.addresses).toEqual(["a-b"]);
    const metadata = await api.send("GET", MAPS, undefined, {
      accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    });
    expect(metadata.body).toMatchObject({ kind: "PartialObjectMetadataList" });
    expect(metadata.body.items[0]).not.toHaveProperty("data");
    const plain = await api.send("GET", MAPS, undefined, { accept: "application/vnd.kubernetes.protobuf" });
    expect(plain.body.kind).toBe("ConfigMapList");
  });

  it.each([
    [`${MAPS}?labelSelector=a+b`, 400, "unable to parse requirement"],
    [`${MAPS}?fieldSelector=nonsense`, 400, "invalid selector"],
    [`${POOLS}?fieldSelector=spec.x%3D1`, 400, "field label not supported: spec.x"],
    [`${MAPS}?limit=many`, 400, "limit: Invalid value"],
    [`${MAPS}?continue=garbage`, 400, "continue key is not valid"],
    [`${MAPS}?resourceVersion=x`, 400, "resourceVersion: Invalid value"],
    ["/api/v1/namespaces/%ZZ/configmaps", 400, "percent-encoding"],
    [`${MAPS}/none`, 404, 'configmaps "none" not found'],
    ["/nope", 404, "could not find the requested resource"],
    ["/openapi/v1", 404, "could not find the requested resource"],
    ["/apis/nope.example/v1/things", 404, "could not find the requested resource"],
    ["/api/v1/namespaces/default/nodes", 404, "could not find the requested resource"],
  ])("GET %s is answered %i", async (path, code, says) => {
    const reply = await api.send("GET", path);
    expect([reply.code, reply.body.message]).toEqual([code, expect.stringContaining(says)]);
  });
});

describe("deleting", () => {
  it("answers with the object's uid, honours preconditions, and empties a collection", async () => {
    const made = await api.send("POST", MAPS, map("del", { labels: { gone: "yes" } }));
    const wrong = await api.send("DELETE", `${MAPS}/del`, { preconditions: { uid: "other" } });
    expect(wrong.code).toBe(409);
    const right = await api.send("DELETE", `${MAPS}/del`, { preconditions: { uid: made.body.metadata.uid } });
    expect(right.body).toMatchObject({
      status: "Success",
      details: { name: "del", kind: "configmaps", uid: made.body.metadata.uid },
    });
    await api.send("POST", MAPS, map("del2", { labels: { gone: "yes" } }));
    expect((await api.send("DELETE", `${MAPS}?labelSelector=gone%3Dyes`)).body.items).toHaveLength(1);
    expect((await api.send("GET", `${MAPS}/del2`)).code).toBe(404);
  });

  it("waits for finalizers, lets none be added, and ends with the last one", async () => {
    await api.send("POST", MAPS, map("held", { finalizers: ["example.org/a"] }));
    const marked = await api.send("DELETE", `${MAPS}/held`);
    expect(marked.body.metadata.deletionTimestamp).toBeTruthy();
    const more = await api.send(
      "PATCH",
      `${MAPS}/held`,
      { metadata: { finalizers: ["example.org/a", "example.org/b"] } },
      { type: "application/merge-patch+json" },
    );
    expect(more.body.message).toContain("no new finalizers can be added if the object is being deleted");
    await api.send(
      "PATCH",
      `${MAPS}/held`,
      { metadata: { finalizers: null } },
      { type: "application/merge-patch+json" },
    );
    expect((await api.send("GET", `${MAPS}/held`)).code).toBe(404);
  });

  it("gives a pod on a node its grace period and ends it at grace 0", async () => {
    const pods = "/api/v1/namespaces/default/pods";
    const spec = { nodeName: "node-01", containers: [{ name: "c", image: "nginx" }] };
    expect((await api.send("POST", pods, { metadata: { name: "p" }, spec })).code).toBe(201);
    const marked = await api.send("DELETE", `${pods}/p`);
    expect(marked.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    const sooner = await api.send("DELETE", `${pods}/p`, { gracePeriodSeconds: 5 });
    expect(sooner.body.metadata.deletionGracePeriodSeconds).toBe(5);
    await api.send("DELETE", `${pods}/p`, { gracePeriodSeconds: 0 });
    expect((await api.send("GET", `${pods}/p`)).code).toBe(404);
    await api.send("POST", pods, { metadata: { name: "q" }, spec: { containers: spec.containers } });
    await api.send("DELETE", `${pods}/q`);
    expect((await api.send("GET", `${pods}/q`)).code).toBe(404);
  });

  it("turns a namespace Terminating, refuses new objects in it, and ends it by finalize", async () => {
    await api.send("POST", "/api/v1/namespaces", { metadata: { name: "ending" } });
    const marked = await api.send("DELETE", "/api/v1/namespaces/ending");
    expect(marked.body).toMatchObject({ status: { phase: "Terminating" }, spec: { finalizers: ["kubernetes"] } });
    const refused = await api.send("POST", "/api/v1/namespaces/ending/configmaps", map("late"));
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'configmaps "late" is forbidden: unable to create new content in namespace ending because it is being terminated',
    ]);
    await api.send("PUT", "/api/v1/namespaces/ending/finalize", { ...marked.body, spec: { finalizers: [] } });
    expect((await api.send("GET", "/api/v1/namespaces/ending")).code).toBe(404);
    expect((await api.send("DELETE", "/api/v1/namespaces/kube-system")).code).toBe(403);
  });

  it("takes a definition's objects with it, and serves its kind no more", async () => {
    const crd = structuredClone(POOL_CRD) as { metadata: { name: string }; spec: { group: string } };
    crd.spec.group = "other.example";
    crd.metadata.name = "ipaddresspools.other.example";
    const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    expect((await api.send("POST", crds, crd)).body.status.conditions.map((c: { type: string }) => c.type)).toEqual([
      "NamesAccepted",
      "Established",
    ]);
    const pools = "/apis/other.example/v1beta1/namespaces/default/ipaddresspools";
    await api.send("POST", pools, { ...pool("x", ["a"]), apiVersion: "other.example/v1beta1" });
    expect((await api.send("GET", pools)).body.items).toHaveLength(1);
    await api.send("DELETE", `${crds}/ipaddresspools.other.example`);
    expect((await api.send("GET", pools)).code).toBe(404);
    await api.send("POST", crds, crd);
    expect((await api.send("GET", pools)).body.items).toEqual([]);
  });
});

describe("subresources of pods and accounts", () => {
  const pods = "/api/v1/namespaces/default/pods";
  const spec = { containers: [{ name: "c", image: "nginx" }] };

  it("binds a pod once, evicts it, and says what it does not serve", async () => {
    await api.send("POST", pods, { metadata: { name: "bind" }, spec });
    const target = { target: { kind: "Node", name: "node-02" } };
    expect((await api.send("POST", `${pods}/bind/binding`, target)).code).toBe(201);
    expect((await api.send("GET", `${pods}/bind`)).body.spec.nodeName).toBe("node-02");
    expect((await api.send("POST", `${pods}/bind/binding`, target)).code).toBe(409);
    expect((await api.send("POST", `${pods}/bind/exec?command=ls`, "")).body.message).toContain(
      'does not serve "exec" on pods',
    );
    await api.send("POST", `${pods}/bind/eviction`, { deleteOptions: { gracePeriodSeconds: 0 } });
    expect((await api.send("GET", `${pods}/bind`)).code).toBe(404);
  });
});
