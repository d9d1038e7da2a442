import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import type { Cluster } from "#kube/port";
import { accessCheck } from "#kube/request-access";
import { createServerCertificate } from "#main/certificates";
import { type SecureMetrics, startMetricsServer } from "#main/metrics-server";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** Metrics over HTTPS, judged by the sandbox's API server. */
let api: TestApi;
let cluster: Cluster;
let reviews = 0;
const clock = new VirtualClock();
const agent = new Agent({ connect: { rejectUnauthorized: false } });
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

beforeAll(async () => {
  api = await startTestApi();
  const real = new HttpCluster({
    connection: connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin }),
  });
  cluster = new Proxy(real, {
    get(target, name) {
      if (name === "create") reviews++;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const metadata = { name: "metrics-reader" };
  await api.send("POST", `${RBAC}/clusterroles`, {
    metadata,
    rules: [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }],
  });
  await api.send("POST", `${RBAC}/clusterrolebindings`, {
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "metrics-reader" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "viewer" }],
  });
});

afterAll(async () => {
  await agent.close();
  await cluster.close();
  await api.close();
});

async function serving<T>(secure: SecureMetrics, use: (fetched: Fetched) => Promise<T>): Promise<T> {
  const runner = new Runner(silentLog);
  const metrics = new Metrics();
  metrics.counter("berth_test_total", "Counts.").inc();
  const options = { host: "127.0.0.1", port: 0, metrics, healthy: () => true, ready: () => true };
  const { port } = await startMetricsServer(runner, { ...options, secure, cluster, clock, log: silentLog });
  try {
    return await use((path, authorization) => get(port, path, authorization));
  } finally {
    runner.end("test");
    await runner.run(3000);
  }
}

type Fetched = (path: string, authorization?: string) => ReturnType<typeof get>;

async function get(port: number, path: string, authorization?: string) {
  const reply = await request(`https://127.0.0.1:${port}${path}`, {
    dispatcher: agent,
    headers: authorization === undefined ? {} : { authorization },
  });
  return { status: reply.statusCode, text: await reply.body.text() };
}

describe("metrics over HTTPS", () => {
  it("are for tokens that may get /metrics by the cluster's RBAC; health is for everybody", async () => {
    await serving({ tls: {}, certDir: null }, async (fetched) => {
      const status = async (header?: string) => (await fetched("/metrics", header)).status;
      expect(await status(`Bearer ${TOKENS.viewer}`)).toBe(200);
      expect((await fetched("/metrics", `Bearer ${TOKENS.viewer}`)).text).toContain("berth_test_total 1");
      expect(await status(`Bearer ${TOKENS.nobody}`)).toBe(403);
      expect(await status("Bearer wrong")).toBe(401);
      expect(await status("Basic dTpw")).toBe(401);
      expect(await status()).toBe(401);
      expect(await fetched("/healthz")).toEqual({ status: 200, text: "ok\n" });
    });
  });

  it("show the certificate of --metrics-cert-dir, and refuse to start without one", async () => {
    const dir = mkdtempSync(join(tmpdir(), "berth-metrics-"));
    try {
      const secure = { tls: {}, certDir: dir };
      await expect(serving(secure, async () => undefined)).rejects.toThrowError(/needs tls.crt and tls.key/);
      const pair = await createServerCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
      writeFileSync(join(dir, "tls.crt"), pair.cert);
      writeFileSync(join(dir, "tls.key"), pair.key);
      expect((await serving(secure, (fetched) => fetched("/healthz"))).status).toBe(200);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("an answer about a token", () => {
  const bearer = `Bearer ${TOKENS.viewer}`;

  it("is one question for requests that come at once, and remembered for ten seconds", async () => {
    const check = accessCheck({ cluster, clock, path: "/metrics" });
    reviews = 0;
    expect(await Promise.all([check(bearer), check(bearer), check(bearer)])).toEqual(["allowed", "allowed", "allowed"]);
    clock.advance(9000);
    await check(bearer);
    expect(reviews).toBe(2);
    clock.advance(1001);
    await check(bearer);
    expect(reviews).toBe(4);
  });

  it("changes with the rights, after those ten seconds at the latest", async () => {
    const check = accessCheck({ cluster, clock, path: "/metrics" });
    const other = `Bearer ${TOKENS.nobody}`;
    expect(await check(other)).toBe("forbidden");
    await api.send(
      "PATCH",
      `${RBAC}/clusterrolebindings/metrics-reader`,
      {
        subjects: [
          { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "viewer" },
          { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "nobody" },
        ],
      },
      { type: "application/merge-patch+json" },
    );
    expect(await check(other)).toBe("forbidden");
    clock.advance(10_001);
    expect(await check(other)).toBe("allowed");
  });

  it("is unknown while the API server cannot be asked, and asked again at once", async () => {
    const away = new HttpCluster({ connection: connectionFromToken({ server: "https://127.0.0.1:9", token: "x" }) });
    const check = accessCheck({ cluster: away, clock, path: "/metrics" });
    expect(await check(bearer)).toBe("unknown");
    expect(await check(bearer)).toBe("unknown");
    await away.close();
  });
});
