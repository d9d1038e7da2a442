import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { IP_ADDRESS_POOLS } from "#api/resources";
import type { CacheTimings } from "#kube/cache";
import { HttpCluster } from "#kube/http-cluster";
import { type Clock, systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import {
  event,
  type Handler,
  listOf,
  openWatch,
  pool,
  scriptedServer,
  sendJson,
  sendStatus,
} from "./scripted-server.ts";

const cleanups: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const FAST = { baseDelayMs: 5, maxDelayMs: 40, idleMs: 60_000 };
/** Silence is believed soon. */
const IMPATIENT = { ...FAST, idleMs: 150 };

/** A cache against a server; `watches` are handed to the test in the order they are opened. */
async function setUp(
  lists: Handler,
  watches: Handler = (_seen, response) => void openWatch(response),
  timings: CacheTimings = FAST,
  clock: Clock = systemClock,
) {
  const server = await scriptedServer((seen, response, request) =>
    (seen.query.get("watch") === "true" ? watches : lists)(seen, response, request),
  );
  const cluster = new HttpCluster({
    connection: { server: server.url, token: "secret" },
    clock,
    log: silentLog,
    timings,
  });
  cleanups.push(
    () => server.close(),
    () => cluster.close(),
  );
  const cache = cluster.cache(IP_ADDRESS_POOLS);
  const changes: string[] = [];
  cache.onChange((key, now, before) => {
    const version = now?.metadata.resourceVersion ?? "gone";
    changes.push(`${key.split("/")[1]} ${before?.metadata.resourceVersion ?? "new"}>${version}`);
  });
  const names = () => cache.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  return { server, cluster, cache, changes, names };
}

describe("list-watch cache", () => {
  it("takes a paged list whole and completes what the server leaves out of its items", async () => {
    const { cache, names, server } = await setUp((seen, response) => {
      if (seen.query.get("continue") === "next") sendJson(response, listOf([pool("b", "2")], "9"));
      else sendJson(response, listOf([pool("a", "1")], "9", "next"));
    });
    expect(cache.synced).toBe(false);
    await cache.whenSynced();
    expect(names()).toEqual(["a@1", "b@2"]);
    expect(cache.get("metallb-system/a")).toMatchObject({ apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" });
    await expect.poll(() => server.seen.find(({ query }) => query.get("watch") === "true")).toBeDefined();
    const watch = server.seen.find(({ query }) => query.get("watch") === "true");
    expect(watch?.query.get("resourceVersion")).toBe("9");
    expect(watch?.query.get("allowWatchBookmarks")).toBe("true");
    expect(watch?.headers.authorization).toBe("Bearer secret");
  });

  it("forgets who wrote which field where it is told to be lean", async () => {
    const written = pool("a", "1");
    const server = await scriptedServer((seen, response) => {
      const metadata = { ...written.metadata, managedFields: [{ manager: "kubectl" }] };
      if (seen.query.get("watch") === null) sendJson(response, listOf([{ ...written, metadata }], "1"));
      else
        openWatch(response).write(event("MODIFIED", { ...written, metadata: { ...metadata, resourceVersion: "2" } }));
    });
    const cluster = new HttpCluster({ connection: { server: server.url, token: "secret" }, timings: FAST, lean: true });
    cleanups.push(
      () => server.close(),
      () => cluster.close(),
    );
    const cache = cluster.cache(IP_ADDRESS_POOLS);
    const fields = () => cache.list().flatMap(({ metadata }) => Object.keys(metadata));
    await cache.whenSynced();
    expect(fields()).not.toContain("managedFields");
    await expect.poll(() => cache.list()[0]?.metadata.resourceVersion).toBe("2");
    expect(fields()).not.toContain("managedFields");
  });

  it("lists anew for whoever needs what others wrote until now, and for nobody else", async () => {
    let lists = 0;
    const { cache, names } = await setUp((_seen, response) =>
      sendJson(response, listOf([pool("a", String(++lists))], String(lists))),
    );
    await cache.whenSynced();
    await cache.listedSince(Number.NEGATIVE_INFINITY);
    expect(names()).toEqual(["a@1"]);
    // The watch is well, and stays silent.
    await cache.listedSince(performance.now(), AbortSignal.timeout(30_000));
    expect(names()).toEqual(["a@2"]);
    const stopped = AbortSignal.abort(new Error("enough"));
    await expect(cache.listedSince(performance.now() + 60_000, stopped)).rejects.toThrow("enough");
  });

  it("lists again, without pages, when a continue token has expired", async () => {
    const { cache, names } = await setUp((seen, response) => {
      if (seen.query.get("continue") !== null) sendStatus(response, 410, "Expired", "the continue token is too old");
      else if (seen.query.get("limit") !== null) sendJson(response, listOf([pool("a", "1")], "5", "next"));
      else sendJson(response, listOf([pool("a", "1"), pool("b", "2")], "6"));
    });
    await cache.whenSynced();
    expect(names()).toEqual(["a@1", "b@2"]);
  });

  it("follows events, even when they arrive in pieces, and says nothing about an object that did not change", async () => {
    let watch: ServerResponse | undefined;
    const { cache, changes } = await setUp(
      (_seen, response) => sendJson(response, listOf([pool("a", "1")], "1")),
      (_seen, response) => {
        watch = openWatch(response);
      },
    );
    await cache.whenSynced();
    await expect.poll(() => watch).toBeDefined();
    const text = [
      event("MODIFIED", pool("a", "2")),
      event("ADDED", pool("ü", "3")),
      event("MODIFIED", pool("a", "2")),
      event("DELETED", pool("a", "4")),
    ].join("");
    for (const byte of Buffer.from(text)) watch?.write(Buffer.from([byte]));
    await expect.poll(() => changes).toEqual(["a new>1", "a 1>2", "ü new>3", "a 2>gone"]);
  });

  it.each([
    ["a status", (response: ServerResponse) => sendStatus(response, 410, "Expired", "too old resource version")],
    [
      "an ERROR event",
      (response: ServerResponse) =>
        void openWatch(response).write(event("ERROR", { kind: "Status", code: 410, message: "too old", metadata: {} })),
    ],
  ])("lists again after 410 as %s and tells only the differences", async (_name, refuse) => {
    let lists = 0;
    let watches = 0;
    const { cache, changes } = await setUp(
      (_seen, response) => {
        lists += 1;
        sendJson(
          response,
          lists === 1
            ? listOf([pool("a", "1"), pool("b", "2"), pool("c", "3")], "3")
            : listOf([pool("a", "1"), pool("b", "7"), pool("d", "8")], "9"),
        );
      },
      (_seen, response) => {
        watches += 1;
        if (watches === 1) refuse(response);
        else openWatch(response);
      },
    );
    await expect.poll(() => changes.slice(3)).toEqual(["b 2>7", "d new>8", "c 3>gone"]);
    await expect.poll(() => cache.health.connected).toBe(true);
    expect(lists).toBe(2);
  });

  const failures: ReadonlyArray<[string, (response: ServerResponse) => void]> = [
    ["500", (response) => sendStatus(response, 500, "InternalError", "etcd is slow")],
    ["503", (response) => sendStatus(response, 503, "ServiceUnavailable", "starting")],
    ["429", (response) => sendStatus(response, 429, "TooManyRequests", "later")],
    ["a reset connection", (response) => void response.socket?.resetAndDestroy()],
    [
      "a reset in mid-event",
      (response) => {
        openWatch(response).write('{"type":"ADDED","obj');
        setTimeout(() => response.socket?.resetAndDestroy(), 5);
      },
    ],
    ["a polite end", (response) => void openWatch(response).end()],
    ["silence", (response) => void openWatch(response)],
    ["a line that is not JSON", (response) => void openWatch(response).write("<html>bad gateway</html>\n")],
    ["a line that is no event", (response) => void openWatch(response).write('{"hello":"world"}\n')],
    ["an ERROR event", (response) => void openWatch(response).write(event("ERROR", { code: 500, message: "oops" }))],
  ];
  it.each(failures)("goes on from where it was after %s on the watch", async (name, fail) => {
    const watches: (string | null)[] = [];
    let lists = 0;
    const { changes, cache } = await setUp(
      (_seen, response) => {
        lists += 1;
        sendJson(response, listOf([pool("a", "1")], "1"));
      },
      (seen, response) => {
        watches.push(seen.query.get("resourceVersion"));
        if (watches.length <= 2) fail(response);
        else openWatch(response).write(event("MODIFIED", pool("a", "2")));
      },
      name === "silence" ? IMPATIENT : FAST,
    );
    await expect.poll(() => changes).toEqual(["a new>1", "a 1>2"]);
    expect(watches.slice(0, 3)).toEqual(["1", "1", "1"]);
    expect(lists).toBe(1);
    expect(cache.health.error).toBeUndefined();
  });

  it("survives a server that refuses the list at first, and says why meanwhile", async () => {
    let answer: Handler = (_seen, response) => sendStatus(response, 403, "Forbidden", "ipaddresspools is forbidden");
    const { cache } = await setUp((...request) => answer(...request));
    await expect.poll(() => cache.health.forbidden).toBe(true);
    expect(cache.health.error).toBe("ipaddresspools is forbidden");
    answer = (_seen, response) => sendStatus(response, 500, "InternalError", "no");
    await expect.poll(() => cache.health).toMatchObject({ connected: false, forbidden: false, error: "no" });
    answer = (_seen, response) => sendJson(response, listOf([], "1"));
    await cache.whenSynced();
    await expect.poll(() => cache.health).toMatchObject({ connected: true, forbidden: false });
  });

  it("lists again when a server keeps refusing to resume: its data may be other than before", async () => {
    let lists = 0;
    const { names } = await setUp(
      (_seen, response) => {
        lists += 1;
        sendJson(response, lists === 1 ? listOf([pool("a", "900")], "900") : listOf([pool("a", "3")], "4"));
      },
      (seen, response) => {
        if (seen.query.get("resourceVersion") === "900")
          sendStatus(response, 504, "Timeout", "Too large resource version");
        else openWatch(response);
      },
    );
    await expect.poll(names).toEqual(["a@3"]);
  });

  it("lists at once when a server that was away for long has come back without its history", async () => {
    let refusals = 0;
    const { server, names } = await setUp(
      (_seen, response) => sendJson(response, listOf([pool("a", refusals < 6 ? "1" : "9")], refusals < 6 ? "1" : "9")),
      (seen, response) => {
        if (seen.query.get("resourceVersion") === "9") openWatch(response);
        else if (refusals++ < 6) void response.socket?.destroy();
        else sendStatus(response, 410, "Expired", "too old resource version");
      },
      { ...FAST, baseDelayMs: 20, maxDelayMs: 60_000 },
      {
        ...systemClock,
        // Six refusals in a row: the next pause would be 640 ms at least. It would never end.
        schedule: (ms, task) =>
          refusals === 7 && ms >= 640 && ms < FAST.idleMs ? () => undefined : systemClock.schedule(ms, task),
      },
    );
    await expect.poll(names).toEqual(["a@9"]);
    await expect.poll(() => server.seen.at(-1)?.query.get("resourceVersion")).toBe("9");
    expect(refusals).toBe(7);
    expect(server.seen.at(-2)?.query.get("watch")).toBeNull();
  });

  it("reports a watch that breaks in the middle as a server that is away, naming what was asked", async () => {
    let watch: ServerResponse | undefined;
    const { cache } = await setUp(
      (_seen, response) => sendJson(response, listOf([], "1")),
      (_seen, response) => {
        watch = openWatch(response);
      },
    );
    await expect.poll(() => watch).toBeDefined();
    watch?.write(event("ADDED", pool("a", "2")));
    await expect.poll(() => cache.list().length).toBe(1);
    const problems: (string | undefined)[] = [];
    cache.onChange(() => undefined);
    const { socket } = watch ?? {};
    const looking = setInterval(() => problems.push(cache.health.error), 1);
    socket?.destroy();
    await expect.poll(() => problems.find((problem) => problem !== undefined)).toMatch(/^GET .*ipaddresspools: /);
    clearInterval(looking);
  });

  it("does not hammer a server that answers every watch with 410", async () => {
    const { server } = await setUp(
      (_seen, response) => sendJson(response, listOf([], "1")),
      (_seen, response) => sendStatus(response, 410, "Expired", "no"),
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(server.seen.length).toBeLessThan(60);
  });

  it("keeps serving the last state while the server is away, and catches up when it is back", async () => {
    const { server, cache, names, cluster } = await setUp((_seen, response) =>
      sendJson(response, listOf([pool("a", "1")], "1")),
    );
    await cache.whenSynced();
    server.become((_seen, response) => void response.socket?.destroy());
    await expect.poll(() => cache.health.connected).toBe(false);
    expect(names()).toEqual(["a@1"]);
    expect(cache.synced).toBe(true);
    server.become((seen, response) => {
      if (seen.query.get("watch") === "true") openWatch(response).write(event("ADDED", pool("b", "2")));
      else sendJson(response, listOf([pool("a", "1"), pool("b", "2")], "2"));
    });
    await expect.poll(names).toEqual(["a@1", "b@2"]);
    expect(cluster.cache(IP_ADDRESS_POOLS).synced).toBe(true);
  });

  it("is not stopped by a listener that throws, nor by one that unsubscribes meanwhile", async () => {
    let watch: ServerResponse | undefined;
    const { cache, changes } = await setUp(
      (_seen, response) => sendJson(response, listOf([], "1")),
      (_seen, response) => {
        watch = openWatch(response);
      },
    );
    const stop = cache.onChange(() => {
      stop();
      throw new Error("a bug");
    });
    await expect.poll(() => watch).toBeDefined();
    watch?.write(event("ADDED", pool("a", "2")) + event("ADDED", pool("b", "3")));
    await expect.poll(() => changes).toEqual(["a new>2", "b new>3"]);
  });

  it("shows a listener the whole new state at the first of several changes", async () => {
    const { cache } = await setUp((_seen, response) =>
      sendJson(response, listOf([pool("a", "1"), pool("b", "2")], "2")),
    );
    const sizes: number[] = [];
    cache.onChange(() => sizes.push(cache.list().length));
    await cache.whenSynced();
    await expect.poll(() => sizes).toEqual([2, 2]);
  });

  it("is shared by everyone who asks for the same kind and scope, and ends with the last of them", async () => {
    const { cache, cluster, server } = await setUp((_seen, response) => sendJson(response, listOf([], "1")));
    const second = cluster.cache(IP_ADDRESS_POOLS);
    cluster.cache(IP_ADDRESS_POOLS, { namespace: "other" });
    await second.whenSynced();
    const lists = () => server.seen.filter(({ query, path }) => query.get("watch") === null && !path.includes("other"));
    expect(lists()).toHaveLength(1);
    cache.close();
    cache.close();
    expect(cluster.cache(IP_ADDRESS_POOLS).synced).toBe(true);
    expect(lists()).toHaveLength(1);
  });

  it("stops waiting for the first list when it is told to", async () => {
    const { cache } = await setUp((_seen, response) => sendStatus(response, 500, "InternalError", "no"));
    await expect(cache.whenSynced(AbortSignal.timeout(20))).rejects.toThrow();
  });
});
