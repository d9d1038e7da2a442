import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createServerCertificate } from "#main/certificates";
import { fc } from "../../support/random.ts";
import { freePort } from "../../support/traffic.ts";

const SERVER = join(import.meta.dirname, "crash-server.ts");
const MAPS = "/api/v1/namespaces/default/configmaps";
const KEYS = ["c0", "c1", "c2", "c3"] as const;

interface Counter {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: { readonly n: string };
}

/** A write that was answered with 200 or 201. */
interface Acknowledged {
  readonly key: string;
  /** The version it was decided on; 0 for a creation. */
  readonly base: number;
  readonly version: number;
  readonly n: number;
}

/** What one watch saw from its list on, until it broke off or was told that its version is gone. */
type Seen = { readonly key: string; readonly version: number; readonly n: number; readonly listed: boolean }[];

class Cluster {
  readonly dir = mkdtempSync(join(tmpdir(), "berth-crash-"));
  port = 0;
  #tls = { ca: "", key: "", cert: "" };
  #child: ChildProcess | undefined;
  over = false;

  async prepare(): Promise<void> {
    this.port = await freePort();
    this.#tls = await createServerCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
    writeFileSync(join(this.dir, "tls.json"), JSON.stringify(this.#tls));
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [SERVER, this.dir, `${this.port}`], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit").then(() => Promise.reject(new Error("the server did not start"))),
    ]);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** The reply; undefined when the connection broke, so that nobody knows whether a write was done. */
  send(method: string, path: string, body?: unknown): Promise<{ code: number; body: unknown } | undefined> {
    return new Promise((resolve) => {
      const outgoing = this.#request(method, path, body);
      outgoing.on("error", () => resolve(undefined));
      outgoing.on("response", (reply) => {
        let text = "";
        reply.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        reply.on("error", () => resolve(undefined));
        reply.on("close", () =>
          resolve(reply.complete ? { code: reply.statusCode ?? 0, body: JSON.parse(text) } : undefined),
        );
      });
    });
  }

  /** Lines of a watch until its connection ends. */
  lines(path: string, line: (text: string) => void): Promise<void> {
    return new Promise((resolve) => {
      const outgoing = this.#request("GET", path);
      outgoing.on("error", () => resolve());
      outgoing.on("response", (reply) => {
        let rest = "";
        reply.setEncoding("utf8").on("data", (chunk: string) => {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          lines.forEach(line);
        });
        reply.on("error", () => resolve());
        reply.on("close", () => resolve());
      });
    });
  }

  #request(method: string, path: string, body?: unknown) {
    const outgoing = httpsRequest({
      host: "127.0.0.1",
      port: this.port,
      path,
      method,
      ca: this.#tls.ca,
      agent: false,
      timeout: 10_000,
      headers: { authorization: "Bearer crash", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return outgoing;
  }
}

/** Counts the shared counters up, reading before each write, and notes what was acknowledged. */
async function write(cluster: Cluster, keys: readonly number[], acknowledged: Acknowledged[]): Promise<void> {
  for (let turn = 0; !cluster.over; turn++) {
    const key = KEYS[(keys[turn % keys.length] ?? 0) % KEYS.length] ?? "c0";
    const read = await cluster.send("GET", `${MAPS}/${key}`);
    if (read === undefined) {
      await sleep(20);
      continue;
    }
    const now = read.body as Counter;
    const base = read.code === 200 ? Number(now.metadata.resourceVersion) : 0;
    const n = base === 0 ? 1 : Number(now.data?.n) + 1;
    const metadata = { name: key, labels: { set: "counted" }, ...(base === 0 ? {} : { resourceVersion: `${base}` }) };
    const body = { metadata, data: { n: `${n}` } };
    const reply = await cluster.send(base === 0 ? "POST" : "PUT", base === 0 ? MAPS : `${MAPS}/${key}`, body);
    if (reply === undefined || reply.code >= 300) continue;
    acknowledged.push({ key, base, version: Number((reply.body as Counter).metadata.resourceVersion), n });
  }
}

/** Lists and watches as an informer does: from the last version it saw, anew after 410. */
async function watch(cluster: Cluster, all: Seen[]): Promise<void> {
  let seen: Seen = [];
  let version = "";
  while (!cluster.over) {
    if (version === "") {
      const list = await cluster.send("GET", `${MAPS}?labelSelector=set%3Dcounted`);
      if (list?.code !== 200) {
        await sleep(20);
        continue;
      }
      const { items, metadata } = list.body as { items: Counter[]; metadata: { resourceVersion: string } };
      version = metadata.resourceVersion;
      seen = items.map((item) => entry(item, true));
      all.push(seen);
    }
    await cluster.lines(
      `${MAPS}?watch=1&labelSelector=set%3Dcounted&timeoutSeconds=5&resourceVersion=${version}`,
      (text) => {
        const { type, object } = JSON.parse(text);
        if (type === "ERROR") {
          version = "";
          return;
        }
        seen.push(entry(object, false));
        version = object.metadata.resourceVersion;
      },
    );
    await sleep(20);
  }
}

function entry({ metadata, data }: Counter, listed: boolean): Seen[number] {
  return { key: metadata.name, version: Number(metadata.resourceVersion), n: Number(data?.n), listed };
}

function checkWrites(acknowledged: readonly Acknowledged[], last: ReadonlyMap<string, Counter>): void {
  const won = acknowledged.filter(({ base }) => base !== 0).map(({ key, base }) => `${key} at ${base}`);
  expect(won.length, "two writers of one version never both win").toBe(new Set(won).size);
  const versions = acknowledged.map(({ version }) => version);
  expect(versions.length, "no version is given out twice").toBe(new Set(versions).size);
  for (const key of KEYS) {
    const own = acknowledged.filter((one) => one.key === key).sort((a, b) => a.version - b.version);
    expect(
      own.map(({ n }) => n),
      `${key}: a later version counts on`,
    ).toEqual(own.map(({ n }) => n).toSorted((a, b) => a - b));
    const newest = own.at(-1);
    if (newest === undefined) continue;
    const stored = last.get(key);
    expect(Number(stored?.data?.n), `${key}: nothing acknowledged is lost`).toBeGreaterThanOrEqual(newest.n);
    expect(Number(stored?.metadata.resourceVersion)).toBeGreaterThanOrEqual(newest.version);
  }
}

function checkWatch(seen: Seen): void {
  const events = seen.filter(({ listed }) => !listed).map(({ version }) => version);
  expect(events, "versions only grow").toEqual([...new Set(events)].toSorted((a, b) => a - b));
  for (const key of KEYS) {
    const counts = seen.filter((one) => one.key === key).map(({ n }) => n);
    const first = counts[0] ?? 1;
    expect(counts, `${key}: every change once, in order`).toEqual(counts.map((_, index) => first + index));
  }
}

it("loses, repeats and reorders nothing under concurrent writers, watchers and kill -9", {
  timeout: 240_000,
}, async () => {
  const plan = fc.record({
    writers: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 5 }),
    watchers: fc.integer({ min: 1, max: 3 }),
    killsAfter: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ writers, watchers, killsAfter }) => {
      const cluster = new Cluster();
      const acknowledged: Acknowledged[] = [];
      const seen: Seen[] = [];
      try {
        await cluster.prepare();
        await cluster.start();
        const busy = [
          ...writers.map((keys) => write(cluster, keys, acknowledged)),
          ...Array.from({ length: watchers }, () => watch(cluster, seen)),
        ];
        for (const more of killsAfter) {
          const wanted = acknowledged.length + more;
          for (let waited = 0; acknowledged.length < wanted && waited < 3_000; waited++) await sleep(10);
          expect(acknowledged.length).toBeGreaterThanOrEqual(wanted);
          await cluster.kill();
          await cluster.start();
        }
        const watched = () => seen.flat().some(({ listed }) => !listed);
        for (let waited = 0; !watched() && waited < 3_000; waited++) await sleep(10);
        expect(watched()).toBe(true);
        cluster.over = true;
        await cluster.kill();
        await Promise.all(busy);
        await cluster.start();
        const end = (await cluster.send("GET", `${MAPS}?labelSelector=set%3Dcounted`))?.body as { items: Counter[] };
        checkWrites(acknowledged, new Map(end.items.map((item) => [item.metadata.name, item])));
        for (const one of seen) checkWatch(one);
      } finally {
        cluster.over = true;
        await cluster.kill();
        rmSync(cluster.dir, { recursive: true, force: true });
      }
    }),
    { numRuns: Number(process.env.BERTH_CRASH_RUNS ?? 2), endOnFailure: true },
  );
});
