import { mkdir, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { ContainerFs } from "../container-fs.ts";
import { shadowOf } from "../pod-addresses.ts";
import {
  type ContainerRuntime,
  type Exit,
  type PodPorts,
  type Running,
  SIGKILL_EXIT,
  type StartContext,
} from "../runtime.ts";
import type { Program } from "../shell/state.ts";
import { runArgv } from "./busybox.ts";
import { HttpFiles } from "./http-files.ts";

const HTML = "/usr/share/nginx/html";
/**
 * After SIGTERM new connections are still taken for this long: Kubernetes
 * removes an endpoint and stops its pod at the same time, and a request on its way must not fail.
 */
export const LINGER_MS = 1_000;

const WELCOME = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page is served by the static file server that stands in for nginx in Berth's sandbox.</p>
</body>
</html>
`;

interface NginxDeps {
  readonly clock: Clock;
  readonly ports: PodPorts;
}

/**
 * A static file server over the container's /usr/share/nginx/html, in this
 * process, at the pod's shadow address. Configuration files are not read; a
 * mount that brings some is said in the log. `sh -c "… && nginx …"` works too.
 */
export function nginxRuntime(deps: NginxDeps): ContainerRuntime {
  const place = (context: StartContext) => shadowOf(context.podAddress);
  return nginxImage(deps.clock, (context) => serveFiles(context, { ...deps, host: place(context) }));
}

/** The image `nginx`, with the server that `serve` starts: by itself, or from the container's small shell. */
export function nginxImage(clock: Clock, serve: (context: StartContext) => Promise<Running>): ContainerRuntime {
  return {
    async start(context) {
      await writeWelcome(context);
      const argv = [...context.command, ...context.args];
      if (context.command.length === 0 || path.posix.basename(argv[0] ?? "") === "nginx") return serve(context);
      const nginx: Program = async ({ host }) => {
        const server = await serve(context);
        const stop = () => (host.signal.reason === "killed" ? server.kill() : server.terminate());
        if (host.signal.aborted) stop();
        host.signal.addEventListener("abort", stop);
        return (await server.done).exitCode;
      };
      return runArgv(argv, context, clock, new Map([["nginx", nginx]]));
    },
  };
}

/** What the static file server needs of a container. */
interface Served {
  readonly container: {
    readonly ports: readonly { readonly port: number; readonly protocol: string }[];
    readonly mounts: readonly { readonly path: string }[];
  };
  readonly podAddress: string;
  readonly fs: Pick<ContainerFs, "resolve">;
  readonly log: { line(stream: "stdout" | "stderr", text: string): void };
}

/** The static file server, listening on `host`. Fault `unavailable` when it cannot. */
export async function serveFiles(context: Served, deps: NginxDeps & { readonly host: string }): Promise<Running> {
  const { clock, ports, host } = deps;
  const { container, log, podAddress } = context;
  const wanted = container.ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
  const files = new HttpFiles(context.fs, HTML);
  const life = { stopping: false };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // A connection that is being wound up must not be used for one more request.
    if (life.stopping) response.shouldKeepAlive = false;
    const headers = { Server: "nginx (Berth sandbox)" };
    void files.serve(request, response, headers).then((served) => {
      log.line("stdout", accessLine(request, served, clock.now()));
      if (served.problem !== undefined) log.line("stderr", errorLine(request, served.problem, clock.now()));
    });
  };

  const open: { readonly server: Server; readonly port: number }[] = [];
  try {
    for (const port of wanted.length === 0 ? [80] : wanted) {
      const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, handle);
      // As nginx: who has said all it has to say (`nc -N`) still gets the answer. Node's types do not know the switch.
      Object.assign(server, { httpAllowHalfOpen: true });
      server.on("clientError", (_error, socket) => {
        if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      });
      const real = await listen(server, host, port);
      server.on("error", (error) => log.line("stderr", `${stamp(clock.now())} [error] ${error.message}`));
      ports.open(podAddress, port, "TCP", real);
      open.push({ server, port });
      log.line("stderr", `${stamp(clock.now())} [notice] 1#1: Berth sandbox: static file server for ${HTML}`);
      log.line(
        "stderr",
        `${stamp(clock.now())} [notice] 1#1: listening on ${podAddress}:${port} (${real.address}:${real.port} on this machine)`,
      );
    }
  } catch (error) {
    for (const { server, port } of open) shut(server, () => ports.close(podAddress, port, "TCP"));
    throw error;
  }
  if (container.mounts.some((mount) => mount.path.startsWith("/etc/nginx"))) {
    log.line("stderr", `${stamp(clock.now())} [warn] 1#1: Berth sandbox: files below /etc/nginx are not read`);
  }
  return new NginxProcess(open, life, context, { clock, ports });
}

class NginxProcess implements Running {
  readonly done: Promise<Exit>;
  readonly inProcess = true;
  readonly #open: readonly { readonly server: Server; readonly port: number }[];
  readonly #life: { stopping: boolean };
  readonly #context: Served;
  readonly #deps: NginxDeps;
  #resolve: (exit: Exit) => void = () => undefined;

  constructor(
    open: readonly { readonly server: Server; readonly port: number }[],
    life: { stopping: boolean },
    context: Served,
    deps: NginxDeps,
  ) {
    this.#open = open;
    this.#life = life;
    this.#context = context;
    this.#deps = deps;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Serve on for a moment, then finish what is in flight. */
  terminate(): void {
    if (this.#life.stopping) return;
    this.#life.stopping = true;
    const { clock } = this.#deps;
    this.#context.log.line(
      "stderr",
      `${stamp(clock.now())} [notice] 1#1: signal 15 (SIGTERM) received, gracefully shutting down`,
    );
    clock.schedule(LINGER_MS, () => {
      let left = this.#open.length;
      for (const { server, port } of this.#open) {
        server.close(() => {
          if (--left === 0) this.#resolve({ exitCode: 0 });
        });
        server.closeIdleConnections();
        this.#deps.ports.close(this.#context.podAddress, port, "TCP");
      }
    });
  }

  kill(): void {
    this.#life.stopping = true;
    for (const { server, port } of this.#open) {
      shut(server, () => this.#deps.ports.close(this.#context.podAddress, port, "TCP"));
    }
    this.#resolve(SIGKILL_EXIT);
  }
}

function shut(server: Server, forget: () => void): void {
  forget();
  server.close();
  server.closeAllConnections();
}

/** Listens on the wanted port, or on an ephemeral one where that is not allowed or taken. */
async function listen(server: Server, host: string, port: number): Promise<{ address: string; port: number }> {
  const first = await tryListen(server, host, port);
  if (typeof first === "number") return { address: host, port: first };
  if (first.code !== "EACCES" && first.code !== "EADDRINUSE") throw cannotListen(host, port, first);
  const second = await tryListen(server, host, 0);
  if (typeof second === "number") return { address: host, port: second };
  throw cannotListen(host, port, second);
}

function tryListen(server: Server, host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error);
    server.once("error", failed);
    server.listen({ host, port }, () => {
      server.removeListener("error", failed);
      const at = server.address();
      resolve(typeof at === "object" && at !== null ? at.port : port);
    });
  });
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): Fault {
  return new Fault("unavailable", `bind() to ${host}:${port} failed (${cause.code ?? cause.message})`, { cause });
}

/** The image's own page, where no volume covers it. */
async function writeWelcome({ fs }: StartContext): Promise<void> {
  const at = path.join(fs.root, HTML);
  if ((await stat(at).catch(() => null)) !== null) return;
  await mkdir(at, { recursive: true });
  await writeFile(path.join(at, "index.html"), WELCOME);
}

/** nginx's log format "combined". */
function accessLine(
  request: IncomingMessage,
  served: { readonly status: number; readonly bytes: number },
  now: number,
): string {
  // Quotes, backslashes and control characters, as nginx's escape=default writes them.
  const quoted = (text: string | undefined) => (text === undefined ? "-" : text.replace(/["\\]|\p{Cc}/gu, escaped));
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  const client = request.socket.remoteAddress ?? "-";
  const { referer, "user-agent": agent } = request.headers;
  return `${client} - - [${commonTime(now)}] "${quoted(line)}" ${served.status} ${served.bytes} "${quoted(referer)}" "${quoted(agent)}"`;
}

function errorLine(request: IncomingMessage, problem: string, now: number): string {
  return `${stamp(now)} [error] 1#1: ${problem}, client: ${request.socket.remoteAddress ?? "-"}, request: "${request.method} ${JSON.stringify(request.url).slice(1, -1)}"`;
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 01/Jan/2026:00:00:00 +0000 */
function commonTime(now: number): string {
  const iso = new Date(now).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** 2026/01/01 00:00:00 */
function stamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
}
