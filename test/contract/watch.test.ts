import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const map = (name: string, labels: Record<string, string> = {}) => ({ metadata: { name, labels } });
const MERGE = { type: "application/merge-patch+json" };

// biome-ignore lint/suspicious/noExplicitAny: events of any kind
type WatchEvent = { type: string; object: any };

interface Watch {
  readonly events: WatchEvent[];
  /** Resolves when this many events have come (≤ 30 s). */
  until(count: number): Promise<readonly WatchEvent[]>;
  readonly ended: Promise<void>;
  stop(): void;
}

let api: TestApi;
const watches: Watch[] = [];
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  for (const watch of watches) watch.stop();
  await api.close();
});

function watch(path: string, accept = "application/json"): Promise<Watch> {
  return new Promise((resolve, reject) => {
    const events: WatchEvent[] = [];
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const outgoing = request(`${api.server.url}${path}`, {
      ca: api.ca,
      headers: { authorization: `Bearer ${TOKENS.admin}`, accept },
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (reply) => {
      let rest = "";
      reply.on("data", (chunk) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        events.push(...lines.map((line) => JSON.parse(line)));
      });
      reply.on("error", () => end());
      reply.on("close", () => end());
      const found: Watch = {
        events,
        ended,
        stop: () => outgoing.destroy(),
        async until(count) {
          const limit = Date.now() + 30_000;
          while (events.length < count && Date.now() < limit) await new Promise((next) => setTimeout(next, 5));
          expect(events.length).toBeGreaterThanOrEqual(count);
          return events;
        },
      };
      watches.push(found);
      resolve(found);
    });
    outgoing.end();
  });
}

const brief = (events: readonly WatchEvent[]) => events.map(({ type, object }) => `${type} ${object.metadata.name}`);

describe("a watch", () => {
  it("shows what is there first, then every change once and in order", async () => {
    await api.send("POST", MAPS, map("w1", { set: "one" }));
    const seen = await watch(`${MAPS}?watch=true&labelSelector=set%3Done`);
    await api.send("POST", MAPS, map("w2", { set: "one" }));
    await api.send("PATCH", `${MAPS}/w2`, { data: { a: "b" } }, MERGE);
    await api.send("DELETE", `${MAPS}/w1`);
    expect(brief(await seen.until(4))).toEqual(["ADDED w1", "ADDED w2", "MODIFIED w2", "DELETED w1"]);
    const versions = seen.events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });

  it("misses nothing between a list and the watch from its version", async () => {
    const { body } = await api.send("GET", MAPS);
    await api.send("POST", MAPS, map("between", { set: "two" }));
    const seen = await watch(
      `${MAPS}?watch=1&resourceVersion=${body.metadata.resourceVersion}&labelSelector=set%3Dtwo`,
    );
    expect(brief(await seen.until(1))).toEqual(["ADDED between"]);
  });

  it("adds what starts to match and deletes what stops", async () => {
    await api.send("POST", MAPS, map("moves"));
    const { body } = await api.send("GET", MAPS);
    const seen = await watch(`${MAPS}?watch=true&labelSelector=here&resourceVersion=${body.metadata.resourceVersion}`);
    await api.send("PATCH", `${MAPS}/moves`, { metadata: { labels: { here: "yes" } } }, MERGE);
    await api.send("PATCH", `${MAPS}/moves`, { data: { a: "1" } }, MERGE);
    await api.send("PATCH", `${MAPS}/moves`, { metadata: { labels: { here: null } } }, MERGE);
    await api.send("PATCH", `${MAPS}/moves`, { data: { a: "2" } }, MERGE);
    await api.send("PATCH", `${MAPS}/moves`, { metadata: { labels: { here: "again" } } }, MERGE);
    expect(brief(await seen.until(4))).toEqual(["ADDED moves", "MODIFIED moves", "DELETED moves", "ADDED moves"]);
  });

  it("answers a version it no longer knows with 410 Expired, in the stream", async () => {
    const seen = await watch(`${MAPS}?watch=true&resourceVersion=99999999`);
    const [event] = await seen.until(1);
    expect(event).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
    expect(event?.object.message).toContain("too old resource version: 99999999");
    await seen.ended;
  });

  it("marks the end of the initial events when asked", async () => {
    const seen = await watch(
      `${MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=set%3Dtwo`,
    );
    const events = await seen.until(2);
    expect(events.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
    const again = await watch(`${MAPS}?watch=true&resourceVersion=${events[1]?.object.metadata.resourceVersion}`);
    await api.send("POST", MAPS, map("after-bookmark"));
    expect(brief(await again.until(1))).toEqual(["ADDED after-bookmark"]);
  });

  it("ends after timeoutSeconds", async () => {
    const started = Date.now();
    const seen = await watch(`${MAPS}?watch=true&timeoutSeconds=1&resourceVersion=${api.store.revision}`);
    await seen.ended;
    // Not before; how long after depends on who else uses the machine.
    expect(Date.now() - started).toBeGreaterThan(900);
  });

  it("says at its end how far it came, when bookmarks were asked for", async () => {
    const from = `${MAPS}?watch=true&timeoutSeconds=5&allowWatchBookmarks=true&resourceVersion=${api.store.revision}`;
    const seen = await watch(from);
    await api.send("POST", MAPS, map("before-the-end"));
    await seen.ended;
    expect(seen.events.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(seen.events[1]?.object.metadata.resourceVersion).toBe(`${api.store.revision}`);
  });

  it("shows only what changes when it is told not to send what is there", async () => {
    const seen = await watch(`${MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`);
    await api.send("POST", MAPS, map("only-this"));
    expect(brief(await seen.until(1))).toEqual(["ADDED only-this"]);
  });

  it("sends Tables, with columns in the first event only", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const seen = await watch(`${MAPS}?watch=true&labelSelector=set%3Dtable`, accept);
    await api.send("POST", MAPS, map("t1", { set: "table" }));
    await api.send("POST", MAPS, map("t2", { set: "table" }));
    const events = await seen.until(2);
    expect(
      events.map(({ object }) => [object.kind, object.rows[0].cells[0], object.columnDefinitions === null]),
    ).toEqual([
      ["Table", "t1", false],
      ["Table", "t2", true],
    ]);
  });

  it("sees one object by name or by field selector", async () => {
    const one = await watch(`${MAPS}/t1?watch=true`);
    const same = await watch(`${MAPS}?watch=true&fieldSelector=metadata.name%3Dt1`);
    expect(brief(await one.until(1))).toEqual(["ADDED t1"]);
    expect(brief(await same.until(1))).toEqual(["ADDED t1"]);
  });

  it("every watcher of many sees every change of many writers once", async () => {
    const { body } = await api.send("GET", MAPS);
    const from = `${MAPS}?watch=true&labelSelector=set%3Dmany&resourceVersion=${body.metadata.resourceVersion}`;
    const all = await Promise.all(Array.from({ length: 5 }, () => watch(from)));
    await Promise.all(Array.from({ length: 60 }, (_, i) => api.send("POST", MAPS, map(`m${i}`, { set: "many" }))));
    const lists = await Promise.all(all.map(async (seen) => brief(await seen.until(60))));
    for (const list of lists) expect(list).toEqual(lists[0]);
    expect(new Set(lists[0])).toHaveProperty("size", 60);
  });
});
