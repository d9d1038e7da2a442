import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { IP_ADDRESS_POOLS, NODES, PODS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { connectionFromServiceAccount, tokenFile } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { connectionFromKubeconfig } from "#kube/kubeconfig";
import type { Cluster } from "#kube/port";
import { createServerCertificate } from "#main/certificates";
import type { Objects } from "#sandbox/port";
import { type Handler, listOf, pool, scriptedServer, sendJson, sendStatus } from "./scripted-server.ts";

const cleanups: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function setUp(handler: Handler) {
  const server = await scriptedServer(handler);
  const cluster = new HttpCluster({ connection: { server: server.url, token: () => "t1" } });
  cleanups.push(
    () => server.close(),
    () => cluster.close(),
  );
  return { server, cluster };
}

const NAME = { namespace: "default", name: "nginx" };
const SERVICE = { metadata: { ...NAME, resourceVersion: "1" } };

describe("HttpCluster", () => {
  const calls: ReadonlyArray<[string, (cluster: Cluster) => Promise<unknown>, string, string | undefined]> = [
    ["gets an object", (c) => c.get(SERVICES, NAME), "GET /api/v1/namespaces/default/services/nginx", undefined],
    ["gets a cluster-scoped object", (c) => c.get(NODES, { name: "node-01" }), "GET /api/v1/nodes/node-01", undefined],
    [
      "lists with selectors",
      (c) => c.list(IP_ADDRESS_POOLS, { namespace: "m", labelSelector: "a=b" }),
      "GET /apis/metallb.io/v1beta1/namespaces/m/ipaddresspools?limit=500&labelSelector=a%3Db",
      undefined,
    ],
    [
      "creates with kind and version",
      (c) => c.create(SERVICES, SERVICE, { dryRun: true }),
      "POST /api/v1/namespaces/default/services?dryRun=All application/json",
      '{"apiVersion":"v1","kind":"Service","metadata":{"namespace":"default","name":"nginx","resourceVersion":"1"}}',
    ],
    [
      "replaces a status",
      (c) => c.replace(SERVICES, SERVICE, { subresource: "status" }),
      "PUT /api/v1/namespaces/default/services/nginx/status application/json",
      undefined,
    ],
    [
      "sends a merge patch",
      (c) => c.patch(SERVICES, NAME, { kind: "merge", body: { a: 1 } }),
      "PATCH /api/v1/namespaces/default/services/nginx application/merge-patch+json",
      '{"a":1}',
    ],
    [
      "sends a JSON patch",
      (c) => c.patch(SERVICES, NAME, { kind: "json", body: [], fieldManager: "x" }),
      "PATCH /api/v1/namespaces/default/services/nginx?fieldManager=x application/json-patch+json",
      "[]",
    ],
    [
      "sends a strategic patch",
      (c) => c.patch(SERVICES, NAME, { kind: "strategic", body: {}, subresource: "scale" }),
      "PATCH /api/v1/namespaces/default/services/nginx/scale application/strategic-merge-patch+json",
      "{}",
    ],
    [
      "deletes with preconditions",
      (c) => c.remove(SERVICES, NAME, { uid: "u", propagation: "Background" }),
      "DELETE /api/v1/namespaces/default/services/nginx application/json",
      '{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background","preconditions":{"uid":"u"}}',
    ],
    [
      "reads a log",
      (c) => c.podLog(NAME, { tailLines: 5, previous: true }),
      "GET /api/v1/namespaces/default/pods/nginx/log?tailLines=5&previous=true",
      undefined,
    ],
    ["asks for the version", (c) => c.version(), "GET /version", undefined],
  ];
  it.each(calls)("%s", async (_name, call, line, body) => {
    const { server, cluster } = await setUp((_seen, response) =>
      sendJson(response, { gitVersion: "v1.36.2", items: [], metadata: {} }),
    );
    await call(cluster);
    const [seen] = server.seen;
    const query = seen?.query.size ? `?${seen.query}` : "";
    const type = seen?.headers["content-type"];
    expect(`${seen?.method} ${seen?.path}${query}${type === undefined ? "" : ` ${type}`}`).toBe(line);
    expect(seen?.headers.authorization).toBe("Bearer t1");
    if (body !== undefined) expect(seen?.body).toBe(body);
  });

  it.each([
    [400, "BadRequest", "invalid"],
    [401, "Unauthorized", "unauthorized"],
    [403, "Forbidden", "forbidden"],
    [404, "NotFound", "not_found"],
    [409, "Conflict", "conflict"],
    [409, "AlreadyExists", "already_exists"],
    [410, "Expired", "gone"],
    [415, "UnsupportedMediaType", "invalid"],
    [422, "Invalid", "invalid"],
    [429, "TooManyRequests", "unavailable"],
    [500, "InternalError", "unavailable"],
    [503, "ServiceUnavailable", "unavailable"],
  ])("turns %i %s into the fault %s", async (status, reason, code) => {
    const { cluster } = await setUp((_seen, response) => sendStatus(response, status, reason, "a sentence"));
    const failure = await cluster.get(SERVICES, NAME).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(Fault);
    expect(failure).toMatchObject({ code, message: "a sentence", context: { status, reason } });
  });

  it("names the wrong fields by dotted path, joining what is said twice", async () => {
    const causes = [
      { field: "spec.addresses[0]", message: "not a range" },
      { field: "spec.addresses[0]", message: "too long" },
      { field: "metadata.name", message: "required" },
    ];
    const { cluster } = await setUp((_seen, response) => sendStatus(response, 422, "Invalid", "no", { causes }));
    const failure = await cluster.create(IP_ADDRESS_POOLS, pool("a", "1") as never).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      fields: { "spec.addresses.0": "not a range; too long", "metadata.name": "required" },
    });
  });

  it.each<[string, Handler]>([
    ["a page of HTML", (_seen, response) => void response.writeHead(200).end("<html>")],
    ["an HTML error", (_seen, response) => void response.writeHead(502).end("<html>bad gateway")],
    ["a reset", (_seen, response) => void response.socket?.resetAndDestroy()],
    [
      "half a body",
      (_seen, response) => {
        response.writeHead(200, { "content-length": "100" }).write("{");
        setTimeout(() => response.socket?.destroy(), 5);
      },
    ],
  ])("turns %s into the fault unavailable", async (_name, handler) => {
    const { cluster } = await setUp(handler);
    await expect(cluster.get(SERVICES, NAME)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("turns a refused connection into the fault unavailable, with the reason", async () => {
    const { server, cluster } = await setUp(() => undefined);
    await server.close();
    await expect(cluster.get(SERVICES, NAME)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("sends a read once more when its kept connection turns out dead, but never a write", async () => {
    let requests = 0;
    const { cluster } = await setUp((_seen, response) => {
      requests += 1;
      if (requests === 1) response.socket?.resetAndDestroy();
      else sendJson(response, SERVICE);
    });
    expect(await cluster.get(SERVICES, NAME)).toEqual(SERVICE);
    requests = 0;
    await expect(cluster.create(SERVICES, SERVICE)).rejects.toMatchObject({ code: "unavailable" });
    expect(requests).toBe(1);
  });

  it("uses few connections for many requests", async () => {
    const ports = new Set<number | undefined>();
    const { cluster } = await setUp((_seen, response, request) => {
      ports.add(request.socket.remotePort);
      sendJson(response, listOf([], "1"));
    });
    for (let n = 0; n < 50; n++) await cluster.list(PODS);
    expect(ports.size).toBeLessThan(3);
  });

  it("refuses an address that is no URL", () => {
    expect(() => new HttpCluster({ connection: { server: "localhost:6443" } })).toThrow(/https:\/\/host:6443/);
  });

  it("is what the sandbox's controllers and kubelets need of an API", () => {
    const objects: Objects = new HttpCluster({ connection: { server: "http://127.0.0.1:1" } });
    expect(objects).toBeDefined();
  });
});

describe("HttpCluster over TLS", () => {
  it("trusts the authority it was given, and nobody without one", async () => {
    const { ca, cert, key } = await createServerCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
    const server = createServer({ cert, key }, (_request, response) => sendJson(response, { gitVersion: "v1.36.2" }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const clusters = [{ ca }, {}, { insecure: true }].map(
      (trust) => new HttpCluster({ connection: { server: url, ...trust } }),
    );
    const [right, none, insecure] = clusters;
    expect(await right?.version()).toBe("v1.36.2");
    await expect(none?.version()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("certificate"),
    });
    expect(await insecure?.version()).toBe("v1.36.2");
    await Promise.all(clusters.map((cluster) => cluster.close()));
    server.closeAllConnections();
    server.close();
  });
});

describe("connections", () => {
  function folder(): string {
    const dir = mkdtempSync(join(tmpdir(), "berth-kube-"));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    return dir;
  }

  it("reads a pod's service account below its root", () => {
    const root = folder();
    const dir = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
    mkdirSync(dir, { recursive: true });
    for (const [file, text] of [
      ["token", "abc\n"],
      ["ca.crt", "PEM"],
      ["namespace", "metallb-system"],
    ] as const)
      writeFileSync(join(dir, file), text);
    const connection = connectionFromServiceAccount({
      BERTH_ROOT: root,
      KUBERNETES_SERVICE_HOST: "fd00::1",
      KUBERNETES_SERVICE_PORT: "443",
    });
    expect(connection).toMatchObject({ server: "https://[fd00::1]:443", ca: "PEM", namespace: "metallb-system" });
    expect(typeof connection.token === "function" ? connection.token() : "").toBe("abc");
  });

  it("says what is missing outside a pod", () => {
    expect(() => connectionFromServiceAccount({})).toThrow(/not in a pod/);
    expect(() =>
      connectionFromServiceAccount({
        BERTH_ROOT: folder(),
        KUBERNETES_SERVICE_HOST: "a",
        KUBERNETES_SERVICE_PORT: "1",
      }),
    ).toThrow(/cannot read .*token/);
  });

  it("reads a token again after a minute, and keeps the last one while the file is away", () => {
    const file = join(folder(), "token");
    let now = 0;
    writeFileSync(file, "one");
    const token = tokenFile(file, () => now);
    expect(token()).toBe("one");
    writeFileSync(file, "two");
    now = 59_000;
    expect(token()).toBe("one");
    now = 61_000;
    expect(token()).toBe("two");
    rmSync(file);
    now = 130_000;
    expect(token()).toBe("two");
  });

  const KUBECONFIG = JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "dev",
    clusters: [
      {
        name: "c",
        cluster: {
          server: "https://10.0.0.1:6443/",
          "certificate-authority-data": Buffer.from("PEM").toString("base64"),
        },
      },
    ],
    users: [{ name: "u", user: { token: "tok" } }],
    contexts: [{ name: "dev", context: { cluster: "c", user: "u", namespace: "ns" } }],
  });

  it("reads server, CA, token and namespace from a kubeconfig", async () => {
    const file = join(folder(), "config");
    writeFileSync(file, KUBECONFIG);
    expect(await connectionFromKubeconfig(file)).toMatchObject({
      server: "https://10.0.0.1:6443",
      ca: "PEM",
      token: "tok",
      context: "dev",
      cluster: "c",
      namespace: "ns",
    });
    await expect(connectionFromKubeconfig(file, "prod")).rejects.toThrow(/no context "prod": it has dev/);
  });

  it("says what is wrong with a kubeconfig that is missing or unreadable", async () => {
    const file = join(folder(), "config");
    await expect(connectionFromKubeconfig(file)).rejects.toThrow(/does not exist/);
    writeFileSync(file, "{{{");
    await expect(connectionFromKubeconfig(file)).rejects.toMatchObject({ code: "invalid" });
    writeFileSync(file, "kind: Config");
    await expect(connectionFromKubeconfig(file)).rejects.toMatchObject({ code: "invalid" });
  });
});
