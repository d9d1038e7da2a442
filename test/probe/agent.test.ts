import { createServer as createHttpServer, type Server } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ProbeMessage } from "#api/probe";
import { runAgent } from "#probe/agent";
import { sendRequest } from "#probe/request";
import { parseTarget } from "#probe/target";
import { runTerminal } from "#probe/terminal";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { soon } from "../support/soon.ts";
import { freePort, listenOn, podServer } from "../support/traffic.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(server: Server | ReturnType<typeof createServer>): Promise<string> {
  const port = await listenOn(server, "127.0.0.1");
  closing.push(() => {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
  return `http://127.0.0.1:${port}/`;
}

function ask(url: string, options: { timeoutMs?: number; host?: string } = {}) {
  return sendRequest(parseTarget(url, { literal: true }), {
    clock: systemClock,
    connectTimeoutMs: 1_000,
    timeoutMs: options.timeoutMs ?? 2_000,
    host: options.host,
    signal: new AbortController().signal,
  });
}

describe("one request", () => {
  it("says who answered, with which line, and how long it took", async () => {
    const answer = await ask(await serve(podServer("nginx-1", "node-01")));
    expect(answer).toMatchObject({
      outcome: "ok",
      pod: "nginx-1",
      node: "node-01",
      status: 200,
      text: "POD: nginx-1 NODE: node-01",
    });
    expect(answer?.totalMs).toBeGreaterThan(0);
  });

  it("uses a connection of its own each time", async () => {
    let connections = 0;
    const server = podServer("a", "n").on("connection", () => {
      connections += 1;
    });
    const url = await serve(server);
    for (let n = 0; n < 3; n++) await ask(url);
    expect(connections).toBe(3);
  });

  it("carries the Host header it was told to", async () => {
    const url = await serve(createHttpServer((request, reply) => reply.end(request.headers.host)));
    expect(await ask(url, { host: "shop.example" })).toMatchObject({ outcome: "ok", text: "shop.example" });
    expect((await ask(url))?.text).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it("does not follow a redirect", async () => {
    const url = await serve(createHttpServer((_request, reply) => reply.writeHead(302, { location: "/b" }).end()));
    expect(await ask(url)).toMatchObject({ outcome: "ok", status: 302, pod: null, text: "HTTP 302 Found" });
  });

  it("reads at most 64 KB of an endless reply", async () => {
    const url = await serve(
      createHttpServer((_request, reply) => {
        reply.write("POD: a NODE: n\n");
        const more = setInterval(() => reply.write("x".repeat(32_768)), 1);
        reply.on("close", () => clearInterval(more));
      }),
    );
    expect(await ask(url)).toMatchObject({ outcome: "ok", pod: "a" });
  });

  it.each([
    ["refused when nothing listens", null, "refused", "connection refused"],
    ["reset when the connection is cut", "reset", "reset", "connection reset"],
    ["timeout when no answer comes", "silence", "timeout", "no answer within 0.2 s"],
    ["bad_reply when it is not HTTP", "SSH-2.0-OpenSSH\r\n", "bad_reply", "the reply is not HTTP"],
    [
      "bad_reply when it ends too early",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
      "bad_reply",
      "the reply ended too early",
    ],
    ["http_4xx for 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "http_4xx", "HTTP 404 Not Found"],
    ["http_5xx for 503", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "http_5xx", "HTTP 503 Busy"],
  ])("is %s", async (_guarantee, behaviour, outcome, text) => {
    const url =
      behaviour === null
        ? `http://127.0.0.1:${await freePort("127.0.0.1")}/`
        : await serve(
            createServer((socket) => {
              socket.on("error", () => undefined);
              socket.once("data", () => {
                if (behaviour === "reset") socket.resetAndDestroy();
                else if (behaviour !== "silence") socket.end(behaviour);
              });
              closing.push(() => socket.destroy());
            }),
          );
    // What is told does not depend on how quickly: only silence has a short time to end in.
    const timeoutMs = behaviour === "silence" ? 200 : 30_000;
    expect(await ask(url, { timeoutMs })).toMatchObject({ outcome, text });
  });
});

/** Lines that are written one by one, as to a pipe. */
function pipe() {
  const lines: string[] = [];
  let wake = () => undefined as unknown;
  let ended = false;
  return {
    write(command: unknown) {
      lines.push(typeof command === "string" ? command : JSON.stringify(command));
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) yield line;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}

function agent() {
  const input = pipe();
  const messages: ProbeMessage[] = [];
  const done = runAgent({
    input,
    output: (line) => messages.push(ProbeMessage.parse(JSON.parse(line))),
    clock: systemClock,
    log: silentLog,
  });
  closing.push(() => {
    input.end();
    return done;
  });
  const of = <K extends ProbeMessage["kind"]>(kind: K) =>
    messages.filter((message): message is Extract<ProbeMessage, { kind: K }> => message.kind === kind);
  return { input, done, of };
}

const inAMinute = () => Date.now() + 60_000;

describe("the agent", () => {
  it("probes until told to stop, and accounts for every request", async () => {
    const url = await serve(podServer("a", "node-01"));
    const { input, of } = agent();
    input.write({ kind: "start", id: "p", url, rate: 40, stopsAt: inAMinute(), timeoutMs: 30_000 });
    await soon(() => expect(of("second").length).toBeGreaterThanOrEqual(2));
    input.write({ kind: "stop", id: "p" });
    await soon(() => expect(of("stopped")).toHaveLength(1));
    const [stopped] = of("stopped");
    const ticks = of("second");
    expect(stopped).toMatchObject({ reason: "command" });
    const counted = ticks.reduce((sum, { tick }) => sum + (tick.perPod.a ?? 0), 0);
    expect(counted).toBe(stopped?.totals.sent);
    expect(stopped?.totals.pods).toEqual([{ pod: "a", node: "node-01", count: counted }]);
    expect(ticks.reduce((sum, { replies }) => sum + replies.length, 0)).toBe(counted);
    expect(ticks.every(({ tick }) => tick.at % 1_000 === 0)).toBe(true);
  });

  it("stops by itself when its time is up", async () => {
    const url = await serve(podServer("a", "n"));
    const { input, of } = agent();
    input.write({ kind: "start", id: "p", url, rate: 20, stopsAt: Date.now() + 1_000 });
    await soon(() => expect(of("stopped")).toMatchObject([{ reason: "expired" }]));
  });

  it("stops everything when its input ends, without waiting for answers", async () => {
    const url = await serve(createServer(() => undefined));
    const { input, done, of } = agent();
    for (const id of ["a", "b"])
      input.write({ kind: "start", id, url, rate: 5, stopsAt: inAMinute(), timeoutMs: 60_000 });
    await soon(() => expect(of("started")).toHaveLength(2));
    input.end();
    // The requests themselves would take a minute, which no test is given.
    await done;
    expect(of("stopped").map(({ reason }) => reason)).toEqual(["closed", "closed"]);
  });

  it.each([
    ["a line that is not JSON", "{", null, "not JSON"],
    ["an unknown command", { kind: "dance", id: "p" }, "p", "not a command"],
    [
      "a rate above 50",
      { kind: "start", id: "p", url: "http://127.0.0.1/", rate: 51, stopsAt: 1 },
      "p",
      "not a command",
    ],
    [
      "a name instead of an address",
      { kind: "start", id: "p", url: "http://localhost/", rate: 1, stopsAt: 9e15 },
      "p",
      "IP address",
    ],
    [
      "a time that has passed",
      { kind: "start", id: "p", url: "http://127.0.0.1/", rate: 1, stopsAt: 1 },
      "p",
      "has passed",
    ],
    ["stopping what does not run", { kind: "stop", id: "q" }, "q", "no probe q"],
  ])("refuses %s and goes on", async (_what, command, id, message) => {
    const { input, of } = agent();
    input.write(command);
    await soon(() => expect(of("refused")).toHaveLength(1));
    expect(of("refused")[0]).toMatchObject({ id, message: expect.stringContaining(message) });
    input.write({ kind: "stop", id: "still here" });
    await soon(() => expect(of("refused")).toHaveLength(2));
  });

  it("names the field that is wrong", async () => {
    const { input, of } = agent();
    input.write({ kind: "start", id: "p", url: "http://127.0.0.1/", rate: 0, stopsAt: 1 });
    await soon(() => expect(of("refused")[0]?.fields).toEqual({ rate: "at least 0.1 requests per second" }));
  });

  it("runs eight probes and no ninth, and no two of one name", async () => {
    const url = await serve(podServer("a", "n"));
    const { input, of } = agent();
    const start = (id: string) => input.write({ kind: "start", id, url, rate: 1, stopsAt: inAMinute() });
    for (let n = 1; n <= 8; n++) start(`p${n}`);
    start("p1");
    start("p9");
    await soon(() => expect(of("refused").map(({ id }) => id)).toEqual(["p1", "p9"]));
    expect(of("started")).toHaveLength(8);
  });
});

describe("in a terminal", () => {
  it("prints each reply and then who answered how often", async () => {
    let turn = 0;
    const url = await serve(
      createHttpServer((_request, reply) => {
        turn += 1;
        reply.end(`POD: pod-${turn % 2} NODE: node-0${turn % 2}\n`);
      }),
    );
    const lines: string[] = [];
    const enough = new AbortController();
    const replies = () => lines.filter((line) => /ms {2}POD: pod-\d NODE: node-0\d$/.test(line)).length;
    const output = (line: string) => {
      lines.push(line);
      if (replies() === 16) enough.abort();
    };
    const code = await runTerminal({ url, rate: "20", clock: systemClock, signal: enough.signal, output });
    expect(code).toBe(0);
    expect(replies()).toBeGreaterThanOrEqual(16);
    expect(lines).toContain("POD     NODE      REPLIES   SHARE");
    expect(lines.some((line) => /^pod-0 {3}node-00 {3}\d+ +\d\d\.\d %$/.test(line))).toBe(true);
  });

  it("ends with 1 when requests failed, and says how", async () => {
    const lines: string[] = [];
    const url = `http://127.0.0.1:${await freePort("127.0.0.1")}/`;
    const signal = new AbortController().signal;
    const code = await runTerminal({
      url,
      seconds: "1",
      clock: systemClock,
      signal,
      output: (line) => lines.push(line),
    });
    expect(code).toBe(1);
    expect(lines.some((line) => /^failed: \d+ refused$/.test(line))).toBe(true);
  });

  it.each([
    ["no URL", { url: undefined }, "url"],
    ["a rate out of range", { url: "http://127.0.0.1/", rate: "100" }, "rate"],
    ["seconds that are no number", { url: "http://127.0.0.1/", seconds: "soon" }, "seconds"],
  ])("refuses %s by name", async (_what, options, field) => {
    const signal = new AbortController().signal;
    await expect(
      runTerminal({ ...options, clock: systemClock, signal, output: () => undefined }),
    ).rejects.toMatchObject({ code: "invalid", fields: { [field]: expect.any(String) } });
  });
});
