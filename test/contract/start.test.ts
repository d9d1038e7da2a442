import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startApiServer } from "#sandbox/apiserver/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore } from "#sandbox/store/sqlite";
import { startTestApi, TOKENS } from "../support/api-server.ts";

describe("starting and stopping", () => {
  it("names the port that is in use", async () => {
    const api = await startTestApi();
    const store = openStore({ path: ":memory:", log: silentLog });
    try {
      const second = startApiServer({
        host: "127.0.0.1",
        port: api.server.port,
        tls: { key: "", cert: "" },
        ca: "",
        store,
        kinds: builtinKinds(),
        dataDir: api.dir,
        tokens: [],
        signingKey: "k",
        clock: systemClock,
        log: silentLog,
      });
      await expect(second).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining(`port ${api.server.port} of 127.0.0.1 is in use`),
      });
    } finally {
      await store.close();
      await api.close();
    }
  });

  it("ends open watches and closes without waiting for them", async () => {
    const api = await startTestApi();
    const socket = connect({ host: "127.0.0.1", port: api.server.port, ca: api.ca, servername: "localhost" });
    const closed = new Promise((resolve) => socket.on("close", resolve));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => undefined);
    socket.write(`GET /api/v1/pods?watch=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKENS.admin}\r\n\r\n`);
    while (!text.includes("200 OK")) await new Promise((resolve) => setTimeout(resolve, 5));
    // The watch itself would last for five minutes or more, which no test is given.
    await api.close();
    socket.destroy();
    await closed;
  });

  it("survives what is no HTTP", async () => {
    const api = await startTestApi();
    try {
      const socket = connect({ host: "127.0.0.1", port: api.server.port, ca: api.ca, servername: "localhost" });
      socket.on("error", () => undefined);
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.on("data", () => undefined);
      socket.write("\x00\x01 nonsense \r\n\r\n");
      await closed;
      expect((await api.send("GET", "/version")).code).toBe(200);
    } finally {
      await api.close();
    }
  });
});

describe("the API in process", () => {
  it("works like the one over HTTP: same checks, same Faults, caches that follow", async () => {
    const api = await startTestApi();
    try {
      const { objects } = api.server;
      const cache = objects.cache(SERVICES, { namespace: "default" });
      const seen: string[] = [];
      cache.onChange((key, now, before) =>
        seen.push(`${key} ${before === undefined ? "new" : now === undefined ? "gone" : "changed"}`),
      );
      expect(cache.get("default/kubernetes")?.metadata.name).toBe("kubernetes");
      const made = await objects.create(SERVICES, {
        metadata: { name: "web", namespace: "default" },
        spec: { ports: [{ port: 80 }] },
      });
      expect(made.spec?.clusterIP).toMatch(/^10\.96\./);
      const stale = { ...made, metadata: { ...made.metadata, resourceVersion: "1" } };
      await expect(objects.replace(SERVICES, stale)).rejects.toMatchObject({ code: "conflict" });
      await expect(objects.create(SERVICES, made)).rejects.toBeInstanceOf(Fault);
      const bad = objects.create(SERVICES, {
        metadata: { name: "b", namespace: "default" },
        spec: { ports: [{ port: 70000 }] },
      });
      await expect(bad).rejects.toMatchObject({
        code: "invalid",
        fields: { "spec.ports.0.port": expect.any(String) },
      });
      await objects.patch(
        SERVICES,
        { name: "web", namespace: "default" },
        { kind: "merge", body: { metadata: { labels: { a: "b" } } } },
      );
      await objects.remove(SERVICES, { name: "web", namespace: "default" });
      await expect(objects.get(SERVICES, { name: "web", namespace: "default" })).rejects.toMatchObject({
        code: "not_found",
      });
      expect(seen).toEqual(["default/web new", "default/web changed", "default/web gone"]);
    } finally {
      await api.close();
    }
  });
});
