import { constants, existsSync, openSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "#runtime/clock";
import { runCommand } from "#runtime/command";
import type { ChildRegistry } from "../kubelet/children.ts";
import type { ContainerRuntime, Running, StartContext } from "../kubelet/runtime.ts";
import { berthVerbs, startProcess } from "../kubelet/runtimes/berth.ts";
import { LINGER_MS, nginxImage } from "../kubelet/runtimes/nginx.ts";
import type { Lab } from "./lab.ts";
import { API_SERVICE } from "./plan.ts";
import type { PodServerJob } from "./pod-server.ts";
import { inNamespace } from "./tools.ts";

interface RuntimeDeps {
  readonly lab: Lab;
  readonly clock: Clock;
  readonly nodePath: string;
  readonly berthBin: string;
  readonly children: ChildRegistry;
}

const POD_SERVER = fileURLToPath(new URL("./pod-server.ts", import.meta.url));
const COMPILE_CACHE = fileURLToPath(new URL("../../../node_modules/.cache/berth", import.meta.url));
const NGINX = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
const IPV6 = existsSync("/proc/net/if_inet6");
const HTML = "/usr/share/nginx/html";

/** `berth controller` and `berth speaker` as processes in the namespace of their pod or node: on real interfaces. */
export function berthInNamespace(deps: RuntimeDeps): ContainerRuntime {
  return {
    async start(context) {
      const env = {
        ...context.env,
        BERTH_ROOT: context.fs.root,
        KUBERNETES_SERVICE_HOST: API_SERVICE.address,
        KUBERNETES_SERVICE_PORT: String(API_SERVICE.port),
        BERTH_BIND_ADDRESS: context.podAddress,
        BERTH_LIFELINE: "3",
      };
      return startIn(context, deps, [deps.nodePath, deps.berthBin, ...berthVerbs(context)], env);
    },
  };
}

/**
 * The image `nginx` as a process in the pod's namespace: the system's nginx
 * with a configuration that serves the container's files, or where it is not
 * installed the sandbox's static file server.
 */
export function nginxInNamespace(deps: RuntimeDeps): ContainerRuntime {
  const installed = NGINX.find((file) => existsSync(file));
  return nginxImage(deps.clock, async (context) => {
    if (installed === undefined) return startPodServer(context, deps);
    const { configuration, accessLog } = await configureNginx(context);
    const flags = ["-c", configuration, "-p", context.fs.root, "-e", "stderr"];
    // No lifeline: the kernel ends it when this process ends. One process, so that none is left behind.
    const words = ["setpriv", "--pdeathsig", "KILL", "--", installed, ...flags];
    const stopReading = readAccessLog(accessLog, context);
    try {
      const running = await startIn(context, deps, words, context.env, "SIGQUIT");
      void running.done.then(stopReading);
      // As the static server: a request on its way while the endpoint is being removed must not fail.
      return { ...running, terminate: () => void deps.clock.schedule(LINGER_MS, () => running.terminate()) };
    } catch (error) {
      stopReading();
      throw error;
    }
  });
}

function startPodServer(context: StartContext, deps: RuntimeDeps): Promise<Running> {
  const { container, podAddress, fs } = context;
  const job: PodServerJob = {
    podAddress,
    root: fs.root,
    ports: container.ports.map(({ port, protocol }) => ({ port, protocol })),
    mounts: container.mounts.map(({ path: at }) => ({ path: at })),
  };
  const env = {
    ...context.env,
    BERTH_LIFELINE: "3",
    BERTH_POD_SERVER: JSON.stringify(job),
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    NODE_OPTIONS: "",
  };
  const flags = ["--no-warnings", "--max-semi-space-size=1", "--no-opt"];
  return startIn(context, deps, [deps.nodePath, ...flags, POD_SERVER], env);
}

async function startIn(
  context: StartContext,
  deps: RuntimeDeps,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  stopSignal: NodeJS.Signals = "SIGTERM",
): Promise<Running> {
  const { pod, node, podAddress } = context;
  const namespace = pod.hostNetwork
    ? node
    : await deps.lab.podNamespace({ uid: pod.uid, key: pod.key, node, address: podAddress });
  const [command = "", ...args] = [...inNamespace(namespace), ...words];
  return startProcess(context, deps.children, { command, args, env: { NODE_ENV: "production", ...env }, stopSignal });
}

/** nginx opens its access log by name, which it cannot with the socket that its stdout is: it writes into a FIFO. */
function readAccessLog(file: string, { log }: StartContext): () => void {
  // Open for writing too: without another writer it would be at its end at once.
  const fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
  const reader = new Socket({ fd, readable: true, writable: false });
  reader.on("data", (data) => log.write("stdout", data));
  reader.on("error", () => undefined);
  // What it wrote last may still be in there.
  return () => void setTimeout(() => reader.destroy(), 100);
}

/** Writes nginx.conf beside the container's root; what is below /etc/nginx of the container is not read. */
async function configureNginx({
  container,
  fs,
}: StartContext): Promise<{ readonly configuration: string; readonly accessLog: string }> {
  const wanted = container.ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
  const ports = wanted.length === 0 ? [80] : wanted;
  const scratch = `${fs.root}.nginx`;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const accessLog = path.join(scratch, "access.log");
  await runCommand("mkfifo", [accessLog]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${quoted(path.join(scratch, name))};`,
  );
  const text = `daemon off;
master_process off;
user root;
pid ${quoted(path.join(scratch, "nginx.pid"))};
error_log stderr notice;
events { worker_connections 512; }
http {
  access_log ${quoted(accessLog)} combined;
${temporary.join("\n")}
  types { text/html html htm; text/css css; application/javascript js; application/json json; text/plain txt; image/svg+xml svg; image/png png; }
  default_type application/octet-stream;
  keepalive_timeout 65;
  server {
${ports.map((port) => `    listen ${port};${IPV6 ? `\n    listen [::]:${port};` : ""}`).join("\n")}
    root ${quoted(path.join(fs.root, HTML))};
    index index.html index.htm;
  }
}
`;
  const configuration = path.join(scratch, "nginx.conf");
  await writeFile(configuration, text);
  return { configuration, accessLog };
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&")}"`;
}
