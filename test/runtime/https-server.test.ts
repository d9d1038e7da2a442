import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServerCertificate, type ServerCertificate } from "#main/certificates";
import { tlsSettings } from "#main/tls-flags";
import type { HttpsServer, TlsSettings } from "#runtime/https-server";
import { startJsonServer } from "#runtime/json-server";

let pair: ServerCertificate;
let server: HttpsServer;
let agent: Agent;

const start = (tls: TlsSettings = {}) =>
  startJsonServer({
    host: "127.0.0.1",
    port: 0,
    tls,
    certificate: pair,
    handle: (path, body) => {
      if (path === "/throws") throw new Error("a bug");
      return path === "/echo" ? { status: 200, body: JSON.stringify({ length: body.length }) } : null;
    },
  });

beforeAll(async () => {
  pair = await createServerCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
  server = await start();
  agent = new Agent({ connect: { rejectUnauthorized: false } });
});

afterAll(async () => {
  await agent.close();
  await server.close();
});

async function send(path: string, body: string | Buffer, method = "POST") {
  const reply = await request(`https://127.0.0.1:${server.port}${path}`, {
    method: method as "POST",
    dispatcher: agent,
    ...(method === "POST" && { body }),
  });
  return { status: reply.statusCode, text: await reply.body.text() };
}

/** What a new connection negotiates. */
function hello(port: number, options: ConnectionOptions = {}): Promise<{ serial: string; protocol: string }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
      const raw = socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
      resolve({ serial: new X509Certificate(raw).serialNumber, protocol: socket.getProtocol() ?? "" });
      socket.destroy();
    });
    socket.on("error", reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error("nothing within 10 s")));
  });
}

describe("the HTTPS server", () => {
  it("answers a POST with what its handler says", async () => {
    expect(await send("/echo?timeout=5s", "abc")).toEqual({ status: 200, text: '{"length":3}' });
  });

  it.each([
    ["a path that nothing is at", "/nowhere", "POST", "", 404],
    ["another method", "/echo", "GET", "", 405],
    ["a handler that throws", "/throws", "POST", "", 500],
    ["a body longer than 7 MB", "/echo", "POST", "x".repeat(8 * 1024 * 1024), 400],
  ])("survives %s, with a reason", async (_name, path, method, body, status) => {
    const reply = await send(path, body, method).catch((thrown) => thrown);
    // The server does not read on: the client may notice while it still writes.
    if (reply instanceof Error) expect(String(reply)).toMatch(/EPIPE|ECONNRESET|other side closed|socket/i);
    else expect(reply).toMatchObject({ status, text: expect.stringContaining("message") });
    expect((await send("/echo", "abc")).status).toBe(200);
  });

  it("survives what is no TLS at all", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => socket.end("GET / HTTP/1.1\r\n\r\n"));
      socket.on("error", () => undefined).on("close", () => resolve());
      socket.resume();
    });
    expect((await send("/echo", "")).status).toBe(200);
  });

  it("shows a new certificate to new connections, and goes on with the old one after a useless one", async () => {
    const before = await hello(server.port);
    const next = await createServerCertificate({ dns: ["localhost"], ip: [] });
    server.renew(next);
    const after = await hello(server.port);
    expect(after.serial).toBe(new X509Certificate(next.cert).serialNumber);
    expect(after.serial).not.toBe(before.serial);
    expect(() => server.renew({ cert: "nonsense", key: pair.key })).toThrowError(/cannot be used/);
    expect((await hello(server.port)).serial).toBe(after.serial);
    server.renew(pair);
  });
});

describe("TLS flags in Go's words", () => {
  it.each([
    ["1.3 is the least by default", {}, "TLSv1.2", "refused"],
    ["1.2 when it is asked for", { "tls-min-version": "VersionTLS12" }, "TLSv1.2", "TLSv1.2"],
    [
      "with the suites of the list",
      { "tls-min-version": "VersionTLS12", "tls-cipher-suites": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
      "TLSv1.2",
      "TLSv1.2",
    ],
    [
      "and no others",
      { "tls-min-version": "VersionTLS12", "tls-cipher-suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
      "TLSv1.2",
      "refused",
    ],
    ["curves by number", { "tls-curve-preferences": "29,23" }, "TLSv1.3", "TLSv1.3"],
  ] as const)("%s", async (_name, flags, maxVersion, expected) => {
    const own = await start(tlsSettings(flags));
    const found = await hello(own.port, { maxVersion, minVersion: "TLSv1.2" }).then(
      ({ protocol }) => protocol,
      () => "refused",
    );
    await own.close();
    expect(found).toBe(expected);
  });

  it.each([
    [{ "tls-min-version": "1.2" }, "--tls-min-version 1.2: must be VersionTLS12 or VersionTLS13."],
    [{ "tls-cipher-suites": "NULL" }, "--tls-cipher-suites NULL: is not a cipher suite that can be used here."],
    [{ "tls-curve-preferences": "1" }, "--tls-curve-preferences 1: must be among 23, 24, 25, 29, 4588."],
  ])("%o is refused in words", (flags, message) => expect(() => tlsSettings(flags)).toThrowError(message));
});
