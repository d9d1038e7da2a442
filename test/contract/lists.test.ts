import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";
import { startTestApi, type TestApi } from "../support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MERGE = { type: "application/merge-patch+json" };
const map = (name: string, labels: Record<string, string> = {}) => ({ metadata: { name, labels } });
// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
const names = (body: any) => body.items.map((item: { metadata: { name: string } }) => item.metadata.name);

let api: TestApi;
/** A server whose store remembers 20 changes. */
let forgetful: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  forgetful = await startTestApi({ store: openStore({ path: ":memory:", log: silentLog, historyEvents: 20 }) });
  for (const one of [api, forgetful]) {
    for (const name of ["a", "b", "c", "d", "e"]) await one.send("POST", MAPS, map(name));
  }
});
afterAll(() => Promise.all([api.close(), forgetful.close()]));

async function churn(at: TestApi, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await at.send("PATCH", `${MAPS}/a`, { data: { i: `${i}` } }, MERGE);
}

describe("a list in pages", () => {
  it("shows the state at its first page, whatever happens in between", async () => {
    const first = await api.send("GET", `${MAPS}?limit=2`);
    expect(names(first.body)).toEqual(["a", "b"]);
    expect(first.body.metadata.remainingItemCount).toBe(4);
    await api.send("DELETE", `${MAPS}/c`);
    await api.send("POST", MAPS, map("ca"));
    await api.send("PATCH", `${MAPS}/d`, { data: { now: "changed" } }, MERGE);
    const next = (token: string) => api.send("GET", `${MAPS}?limit=2&continue=${encodeURIComponent(token)}`);
    const second = await next(first.body.metadata.continue);
    const third = await next(second.body.metadata.continue);
    expect([names(second.body), names(third.body)]).toEqual([
      ["c", "d"],
      ["e", "kube-root-ca.crt"],
    ]);
    expect(second.body.items[1].data).toBeUndefined();
    expect(third.body.metadata.continue).toBeUndefined();
    const versions = [first, second, third].map(({ body }) => body.metadata.resourceVersion);
    expect(new Set(versions).size).toBe(1);
    expect(names((await api.send("GET", MAPS)).body)).toContain("ca");
    await api.send("POST", MAPS, map("c"));
    await api.send("DELETE", `${MAPS}/ca`);
  });

  it("says nothing of what remains when a selector decides it", async () => {
    const { body } = await api.send("GET", `${MAPS}?limit=2&labelSelector=${encodeURIComponent("!x")}`);
    expect(body.metadata.continue).toBeTypeOf("string");
    expect(body.metadata.remainingItemCount).toBeUndefined();
  });

  it("is 410 once its state is forgotten, with a token that goes on without it", async () => {
    const first = await forgetful.send("GET", `${MAPS}?limit=2`);
    await churn(forgetful, 25);
    const gone = await forgetful.send("GET", `${MAPS}?limit=2&continue=${first.body.metadata.continue}`);
    expect(gone.body).toMatchObject({ code: 410, reason: "Expired" });
    expect(gone.body.message).toContain("too old to display a consistent list result");
    const rest = await forgetful.send("GET", `${MAPS}?limit=10&continue=${gone.body.metadata.continue}`);
    expect(names(rest.body)).toEqual(["c", "d", "e", "kube-root-ca.crt"]);
  });

  it("is what kubectl reads with --chunk-size", async () => {
    const { out } = await api.kubectl("get", "configmaps", "--chunk-size=2", "-o", "name");
    expect(out.trim().split("\n")).toHaveLength(6);
  });
});

describe("a list of a version", () => {
  it("Exact: is the state of then", async () => {
    const { body } = await api.send("GET", MAPS);
    const version = body.metadata.resourceVersion;
    await api.send("POST", MAPS, map("later"));
    await churn(api, 2);
    const then = await api.send("GET", `${MAPS}?resourceVersion=${version}&resourceVersionMatch=Exact`);
    expect(names(then.body)).toEqual(names(body));
    expect(then.body.metadata.resourceVersion).toBe(version);
    const newer = await api.send("GET", `${MAPS}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`);
    expect(names(newer.body)).toContain("later");
    const any = await api.send("GET", `${MAPS}?resourceVersion=0&limit=1`);
    expect(any.body.items.length).toBeGreaterThan(1);
    await api.send("DELETE", `${MAPS}/later`);
  });

  it("Exact: is 410 when it is forgotten", async () => {
    const { body } = await forgetful.send("GET", MAPS);
    await churn(forgetful, 25);
    const path = `${MAPS}?resourceVersion=${body.metadata.resourceVersion}&resourceVersionMatch=Exact`;
    const gone = await forgetful.send("GET", path);
    expect(gone.body).toMatchObject({ code: 410, message: "The resourceVersion for the provided list is too old." });
  });

  it.each([
    ["a match without a version", "resourceVersionMatch=Exact", 422, "is forbidden unless resourceVersion is provided"],
    [
      "an unknown match",
      "resourceVersion=1&resourceVersionMatch=Near",
      422,
      'Unsupported value: "Near": supported values: ',
    ],
    [
      "Exact of any version",
      "resourceVersion=0&resourceVersionMatch=Exact",
      422,
      'is forbidden for resourceVersion "0"',
    ],
    [
      "a match and a token",
      "resourceVersion=1&resourceVersionMatch=Exact&continue=x",
      422,
      "forbidden when continue is",
    ],
    [
      "a version and a token",
      "resourceVersion=1&continue=x",
      400,
      "resource version is not allowed when using continue",
    ],
    ["initial events of a list", "sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"],
    ["a version that is no number", "resourceVersion=x", 400, 'strconv.ParseUint: parsing "x": invalid syntax'],
    ["a token of another server", "continue=abc", 400, "continue key is not valid"],
    ["a version to come", "resourceVersion=99999999", 504, "Too large resource version: 99999999, current: "],
    [
      "a watch with a match alone",
      "watch=1&resourceVersion=1&resourceVersionMatch=Exact",
      422,
      "forbidden for watch unless",
    ],
    [
      "initial events without a match",
      "watch=1&sendInitialEvents=true",
      422,
      "requires setting resourceVersionMatch to",
    ],
    ["a field it has no label for", "fieldSelector=data.x%3D1", 400, "not a known field selector: only"],
  ])("refuses %s", async (_name, query, code, message) => {
    const reply = await api.send("GET", `${MAPS}?${query}`);
    expect(reply.body).toMatchObject({ kind: "Status", code, message: expect.stringContaining(message) });
  });
});

describe("field selectors", () => {
  it.each([
    ["pods", "spec.nodeName=x,status.phase!=Running,metadata.name=p", 200],
    ["events", "involvedObject.kind=Pod,involvedObject.name=p,reason=x,type=Normal,source=y,reportingComponent=z", 200],
    ["services", "spec.type=LoadBalancer,spec.clusterIP!=None", 200],
    ["secrets", "type=Opaque", 200],
    ["pods", "spec.containers=x", 400],
    ["services", "spec.ports=x", 400],
  ])("on %s, %s: %i", async (plural, selector, code) => {
    const path = `/api/v1/namespaces/default/${plural}?fieldSelector=${encodeURIComponent(selector)}`;
    const reply = await api.send("GET", path);
    expect(reply.code).toBe(code);
    if (code === 400) expect(reply.body.message).toMatch(/^field label not supported: spec\.\w+$/);
  });

  it("may name what a definition lists as selectable", async () => {
    const version = (name: string, more: object) => ({
      name,
      served: true,
      storage: name === "v1",
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: { spec: { type: "object", properties: { color: { type: "string" } } } },
        },
      },
      ...more,
    });
    const made = await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "shirts.example.org" },
      spec: {
        group: "example.org",
        scope: "Namespaced",
        names: { plural: "shirts", kind: "Shirt" },
        versions: [version("v1", { selectableFields: [{ jsonPath: ".spec.color" }] })],
      },
    });
    expect(made.code).toBe(201);
    const shirts = "/apis/example.org/v1/namespaces/default/shirts";
    for (const [name, color] of [
      ["one", "red"],
      ["two", "blue"],
    ] as const) {
      const body = { apiVersion: "example.org/v1", kind: "Shirt", metadata: { name }, spec: { color } };
      expect((await api.send("POST", shirts, body)).code).toBe(201);
    }
    expect(names((await api.send("GET", `${shirts}?fieldSelector=spec.color%3Dblue`)).body)).toEqual(["two"]);
    expect((await api.send("GET", `${shirts}?fieldSelector=spec.size%3D1`)).body.message).toBe(
      "field label not supported: spec.size",
    );
  });
});
