import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Problem } from "#api/dashboard/problem";
import { fillSlot } from "#server/context";
import { SHAPES } from "#server/shapes/all";
import * as openapi from "../../app/api/openapi.json/route.ts";
import * as poolYaml from "../../app/api/pools/[name]/yaml/route.ts";
import * as pools from "../../app/api/pools/route.ts";
import { call, start, stop } from "./calls.ts";
import { request } from "./fixtures.ts";

afterEach(stop);

describe("every route", () => {
  it("has a file that exports its method, and every file is described", () => {
    const root = join(import.meta.dirname, "../../app");
    const described = new Map<string, Set<string>>();
    for (const key of Object.keys(SHAPES)) {
      const [method = "", path = ""] = key.split(" ");
      const file = `${path.replaceAll("{", "[").replaceAll("}", "]")}/route.ts`;
      expect(existsSync(join(root, file)), file).toBe(true);
      const source = readFileSync(join(root, file), "utf8").replaceAll(/[A-Z]+_SHAPES/g, "SHAPES");
      expect(source).toContain(`export const ${method} = route(SHAPES["${key}"]`);
      described.set(file, (described.get(file) ?? new Set()).add(method));
    }
    const files = readdirSync(join(root, "api"), { recursive: true, encoding: "utf8" }).filter((one) =>
      one.endsWith("route.ts"),
    );
    expect(files.map((one) => `/api/${one}`).filter((one) => !described.has(one))).toEqual(["/api/stream/route.ts"]);
  });

  it("is in the OpenAPI document, with what it takes and answers", async () => {
    await start();
    const { body } = await call(openapi.GET, request("GET", "/api/openapi.json"));
    const { paths } = body as {
      paths: Record<string, Record<string, { parameters?: unknown[]; requestBody?: unknown; responses: object }>>;
    };
    for (const key of Object.keys(SHAPES)) {
      const [method = "", path = ""] = key.split(" ");
      expect(paths[path]?.[method.toLowerCase()]?.responses, key).toBeDefined();
    }
    expect(paths["/api/pools"]?.post?.requestBody).toBeDefined();
    expect(paths["/api/pools/{name}/addresses"]?.get?.parameters).toMatchObject([
      { name: "name", in: "path", required: true },
      { name: "offset", required: false },
      { name: "limit" },
      { name: "state" },
    ]);
  });

  it("is a problem, not a crash, before the dashboard has started", async () => {
    fillSlot(undefined);
    const { status, body, type } = await call(pools.GET, request("GET", "/api/pools"));
    expect(status).toBe(503);
    expect(type).toBe("application/problem+json");
    expect(Problem.parse(body).code).toBe("unavailable");
  });

  it.each([
    ["a foreign Host", request("GET", "/api/pools", undefined, { host: "evil.example" }), 403],
    ["no Host", request("GET", "/api/pools", undefined, { host: "" }), 403],
    ["the name of this machine's loopback", request("GET", "/api/pools", undefined, { host: "localhost:9999" }), 200],
    ["IPv6 loopback", request("GET", "/api/pools", undefined, { host: "[::1]:3000" }), 200],
  ])("judges the Host: %s", async (_name, sent, status) => {
    await start();
    expect((await call(pools.GET, sent)).status).toBe(status);
  });

  it.each([
    ["a foreign Origin", { origin: "http://evil.example" }, 403],
    ["another port of this machine", { origin: "http://127.0.0.1:4000" }, 403],
    ["an opaque Origin", { origin: "null" }, 403],
    ["a cross-site fetch", { "sec-fetch-site": "cross-site" }, 403],
    ["its own Origin", { origin: "http://127.0.0.1:3000" }, 422],
    ["no Origin (curl)", {}, 422],
  ])("judges the Origin of a write: %s", async (_name, headers, status) => {
    await start();
    expect((await call(pools.POST, request("POST", "/api/pools", {}, headers as Record<string, string>))).status).toBe(
      status,
    );
  });

  it.each([
    ["not JSON", request("POST", "/api/pools", "{nope"), 400],
    ["another media type", request("POST", "/api/pools", "{}", { "content-type": "text/plain" }), 415],
    ["too large", request("POST", "/api/pools", `"${"x".repeat(70_000)}"`), 413],
    ["an array", request("POST", "/api/pools", []), 422],
    ["an unknown field", request("POST", "/api/pools", { name: "a", addresses: ["192.0.2.0/24"], colour: "red" }), 422],
  ])("refuses a bad body: %s", async (_name, sent, status) => {
    await start();
    const { status: got, body, type } = await call(pools.POST, sent);
    expect(got).toBe(status);
    expect(type).toBe("application/problem+json");
    expect(Problem.parse(body).detail).not.toMatch(/ at .*\.ts/);
  });

  it("never shows the message of an internal failure", async () => {
    const cluster = await start();
    cluster.before = () => {
      throw new TypeError("secret detail");
    };
    const { status, body } = await call(poolYaml.GET, request("GET", "/x"), { name: "production" });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("secret");
  });
});
