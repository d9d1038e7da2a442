import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLUSTER_ROLE_BINDINGS, IP_ADDRESS_POOLS, LEASES, SERVICES } from "#api/resources";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { readManifests } from "#main/manifests";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";
import { type ControllerProcess, startControllerProcess } from "../support/controller-process.ts";
import { countWrites } from "../support/request-count.ts";
import { NS, pool, service } from "./rig.ts";

/** Two real processes of `berth controller` on one API server; each has a token of its own, so that its writes can be told. */
const DURATION_MS = 8000;
const tokenOf = { a: TOKENS.admin, b: TOKENS.viewer } as const;
type Name = keyof typeof tokenOf;

let api: TestApi;
let user: HttpCluster;
const counter = countWrites();
const running = new Map<Name, ControllerProcess>();
let lives = 0;

async function start(name: Name): Promise<void> {
  const timings = [`lease-duration=${DURATION_MS / 1000}s`, "renew-deadline=6s", "retry-period=500ms"];
  const started = await startControllerProcess({
    root: join(api.dir, name),
    server: { url: api.server.url, ca: api.ca, token: tokenOf[name] },
    namespace: NS,
    name,
    uid: `uid-${++lives}`,
    args: timings.map((each) => `--leader-elect-${each}`),
  });
  running.set(name, started);
  await until(`${name} is ready`, async () => (await started.ask("/readyz")) !== null);
}

async function end(name: Name, signal: NodeJS.Signals): Promise<void> {
  const present = running.get(name);
  running.delete(name);
  await present?.end(signal);
}

const leads = (name: Name) => running.get(name)?.metric("berth_controller_leader");

async function until(what: string, test: () => Promise<boolean>, withinMs = 40_000): Promise<number> {
  const from = performance.now();
  while (!(await test())) {
    if (performance.now() - from > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - from;
}

async function leader(): Promise<string> {
  const lease = await user.get(LEASES, { name: "berth-controller", namespace: NS });
  return (lease.spec?.holderIdentity ?? "").split("_")[0] ?? "";
}

const say = async () => [await leads("a"), await leads("b")];

/** Addresses by Service; every one that was ever seen must stay. */
const seen = new Map<string, string>();
let made = 0;

async function look(): Promise<ReadonlyMap<string, string>> {
  const { items } = await user.list(SERVICES, { namespace: "default" });
  const now = new Map(
    items.map((each) => [each.metadata.name ?? "", each.status?.loadBalancer?.ingress?.[0]?.ip ?? ""]),
  );
  for (const [name, ip] of seen) expect({ name, ip: now.get(name) }).toEqual({ name, ip });
  for (const [name, ip] of now) if (ip !== "") seen.set(name, ip);
  expect(new Set(seen.values()).size).toBe(seen.size);
  return now;
}

async function expose(count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const { metadata, spec } = service(`s${made++}`);
    const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
    await user.create(SERVICES, { apiVersion: "v1", kind: "Service", metadata, spec: rest });
  }
}

const allServed = () =>
  until("every Service has an address", async () => {
    await look();
    return seen.size === made;
  });

beforeAll(async () => {
  api = await startTestApi();
  user = new HttpCluster({
    connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }),
  });
  for (const crd of readManifests("crds"))
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  await api.send("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
  await user.create(CLUSTER_ROLE_BINDINGS, {
    metadata: { name: "b-may-write" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "viewer" }],
  });
  const ref = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
  const object = { ...ref, ...pool("production", "127.77.10.1-127.77.10.254") };
  await until("the pool is accepted", async () =>
    user.create(IP_ADDRESS_POOLS, object).then(
      () => true,
      () => false,
    ),
  );
});

afterAll(async () => {
  counter.stop();
  for (const name of [...running.keys()]) await end(name, "SIGKILL");
  await user?.close();
  await api?.close();
});

describe("two controllers", { timeout: 120_000 }, () => {
  it("let one assign while the other is ready, and says so in its metrics", async () => {
    await start("a");
    await until("a leads", async () => (await leader()) === "a");
    await start("b");
    await expose(10);
    await allServed();
    expect(await leader()).toBe("a");
    await until("both say so", async () => `${await say()}` === "1,0");
    expect(counter.writes.filter(({ token }) => token === tokenOf.b)).toEqual([]);
  });

  it("go on when the leader hangs, and it writes nothing once it is back", async () => {
    const hung = running.get("a")?.child;
    await expose(5);
    hung?.kill("SIGSTOP");
    await expose(5);
    await until("b leads", async () => (await leader()) === "b");
    await allServed();
    const before = counter.writes.length;
    hung?.kill("SIGCONT");
    await expose(5);
    await allServed();
    await until("a answers again", async () => (await running.get("a")?.ask("/readyz")) === "ok\n");
    // Long enough for renewals and retries of whoever believes to lead.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const byA = counter.writes.slice(before).filter(({ token, method, path }) => {
      // The test itself creates Services with a's token.
      return token === tokenOf.a && !(method === "POST" && path.endsWith("/services"));
    });
    expect(byA).toEqual([]);
    expect(await leader()).toBe("b");
  });

  it("go on when the leader is killed", async () => {
    await expose(5);
    await end("b", "SIGKILL");
    await expose(5);
    await until("a leads again", async () => (await leader()) === "a");
    await allServed();
  });

  it("hand over at a graceful stop, well before the Lease would end", async () => {
    await start("b");
    await end("a", "SIGTERM");
    // Given back before it ended, whoever has taken it meanwhile: nobody waits for the end of the Lease.
    expect(await leader()).not.toBe("a");
    await until("b leads", async () => (await leader()) === "b");
    await expose(5);
    await allServed();
  });

  it("leave a sign of every change of hands", async () => {
    const path = "jsonpath={range .items[*]}{.reason}: {.message}\n{end}";
    await until("four signs", async () => {
      const { out } = await api.kubectl("get", "events", "-n", NS, "-o", path);
      const said = out.split("\n").flatMap((line) => /^LeaderElection: (\w) became leader$/.exec(line)?.[1] ?? []);
      // On a busy machine one may lose the Lease and get it back.
      return said.filter((name, index) => name !== said[index - 1]).join(" ") === "a b a b";
    });
  });
});
