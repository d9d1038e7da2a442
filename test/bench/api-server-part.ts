import { request as httpsRequest } from "node:https";
import { Agent, request } from "undici";

export interface At {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

export type Work =
  | { readonly kind: "count"; readonly at: At; readonly path: string }
  | { readonly kind: "list"; readonly at: At; readonly times: number; readonly path: string }
  | {
      readonly kind: "write" | "update";
      readonly at: At;
      readonly prefix: string;
      readonly count: number;
      readonly parallel: number;
    }
  | { readonly kind: "watch"; readonly at: At; readonly watches: number }
  | { readonly kind: "seen"; readonly count: number };

export interface Answer {
  readonly count?: number;
  readonly ms?: number;
  readonly wrong?: number;
}

const SERVICES = "/api/v1/namespaces/default/services";

const headersOf = (at: At) => ({ authorization: `Bearer ${at.token}` });

let agent: Agent | undefined;

async function send(at: At, method: "GET" | "POST" | "PATCH", path: string, body?: unknown): Promise<string> {
  agent ??= new Agent({ connect: { ca: at.ca }, connections: 32 });
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const reply = await request(`${at.url}${path}`, {
    method,
    dispatcher: agent,
    headers: { ...headersOf(at), ...(body === undefined ? {} : { "content-type": type }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.body.text();
  if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${text}`);
  return text;
}

/** Without a selector: otherwise the controllers write twice for every Service, at the same time. */
function service(name: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels: { app: name }, annotations: { "metallb.io/address-pool": "production" } },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  };
}

async function write(work: Extract<Work, { readonly kind: "write" | "update" }>): Promise<Answer> {
  const { at, prefix, count, parallel } = work;
  const started = performance.now();
  let next = 0;
  const one = async () => {
    for (let i = next++; i < count; i = next++) {
      const name = `${prefix}-${i}`;
      if (work.kind === "write") await send(at, "POST", SERVICES, service(name));
      else await send(at, "PATCH", `${SERVICES}/${name}`, { metadata: { annotations: { at: `${started}-${i}` } } });
    }
  };
  await Promise.all(Array.from({ length: parallel }, one));
  return { count, ms: performance.now() - started };
}

/** How many there are, without reading them. */
async function countOf(at: At, path: string): Promise<Answer> {
  const { items, metadata } = JSON.parse(await send(at, "GET", `${path}?limit=1`));
  return { count: items.length + (metadata.remainingItemCount ?? 0) };
}

async function list(at: At, times: number, path: string): Promise<Answer> {
  const took: number[] = [];
  let count = 0;
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    const text = await send(at, "GET", path);
    took.push(performance.now() - started);
    count = text.split('"kind":"Service",').length - 1;
  }
  return { count, ms: took.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0 };
}

interface Seen {
  count: number;
  last: number;
  wrong: number;
}
const seen: Seen[] = [];

async function watch(at: At, watches: number): Promise<Answer> {
  const revision = JSON.parse(await send(at, "GET", `${SERVICES}?limit=1`)).metadata.resourceVersion;
  const open = Array.from({ length: watches }, () => {
    const state: Seen = { count: 0, last: 0, wrong: 0 };
    seen.push(state);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const outgoing = httpsRequest(`${at.url}${SERVICES}?watch=1&resourceVersion=${revision}`, {
      ca: at.ca,
      headers: headersOf(at),
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (reply) => {
      let rest = "";
      // The server goes away before its watchers do.
      reply.on("error", () => undefined);
      reply.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) note(state, line);
      });
      resolve();
    });
    outgoing.end();
    return promise;
  });
  await Promise.all(open);
  return { count: open.length };
}

function note(state: Seen, line: string): void {
  const version = Number(/"resourceVersion":"(\d+)"/.exec(line)?.[1] ?? 0);
  state.count++;
  if (!line.startsWith('{"type":"MODIFIED"') || version <= state.last) state.wrong++;
  state.last = version;
}

async function all(count: number): Promise<Answer> {
  const started = performance.now();
  while (seen.some((state) => state.count < count) && performance.now() - started < 30_000) {
    await new Promise((next) => setTimeout(next, 5));
  }
  const total = seen.reduce((sum, state) => sum + state.count, 0);
  const wrong = seen.reduce((sum, state) => sum + state.wrong + Math.abs(state.count - count), 0);
  return { count: total, wrong, ms: performance.now() - started };
}

function perform(work: Work): Promise<Answer> {
  switch (work.kind) {
    case "count":
      return countOf(work.at, work.path);
    case "list":
      return list(work.at, work.times, work.path);
    case "write":
    case "update":
      return write(work);
    case "watch":
      return watch(work.at, work.watches);
    case "seen":
      return all(work.count);
  }
}

process.on("message", (work: Work) => {
  perform(work).then(
    (answer) => process.send?.(answer),
    // A server that is not up yet: the answer is nothing.
    (error) => (work.kind === "count" ? process.send?.({}) : fail(work.kind, error)),
  );
});

function fail(kind: string, error: unknown): void {
  console.error(kind, error);
  process.exit(1);
}
process.once("disconnect", () => process.exit(0));
