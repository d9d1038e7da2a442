import { spawn } from "node:child_process";
import path from "node:path";
import { Fault } from "#core/errors";
import type { ChildRegistry } from "../children.ts";
import { shadowOf } from "../pod-addresses.ts";
import type { ContainerRuntime, Exit, PodPorts, Running, StartContext } from "../runtime.ts";

interface BerthDeps {
  readonly nodePath: string;
  readonly berthBin: string;
  readonly apiPort: number;
  readonly children: ChildRegistry;
  readonly ports: PodPorts;
  /** The virtual LAN port of a node (`BERTH_LINK`). */
  readonly linkUrl: (node: string) => string;
}

/** How one process is started. */
interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What `terminate` sends; SIGTERM unless given. */
  readonly stopSignal?: NodeJS.Signals;
  /** Called once it runs; what it returns, once it has ended. */
  readonly started?: () => () => void;
}

/** `berth controller` and `berth speaker` as real processes on this machine's loopback. */
export function berthRuntime(deps: BerthDeps): ContainerRuntime {
  return {
    start: (context) =>
      startProcess(context, deps.children, {
        command: deps.nodePath,
        args: [deps.berthBin, ...berthVerbs(context)],
        env: environment(context, deps),
        started: () => announcePorts(context, deps.ports),
      }),
  };
}

/**
 * Starts a container's process: its own session, stdout and stderr in the
 * container's log, a lifeline on fd 3 that closes when this process ends,
 * however it ends. Fault `unavailable` when it cannot be started.
 */
export function startProcess(context: StartContext, children: ChildRegistry, spec: ProcessSpec): Promise<Running> {
  return new Promise<Running>((resolve, reject) => {
    const child = spawn(spec.command, spec.args, {
      cwd: context.fs.root,
      env: spec.env,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    child.stdout?.on("data", (data: Buffer) => context.log.write("stdout", data));
    child.stderr?.on("data", (data: Buffer) => context.log.write("stderr", data));
    for (const stream of child.stdio) stream?.on("error", () => undefined);
    child.once("error", (cause) => {
      reject(new Fault("unavailable", `failed to start ${spec.command}: ${cause.message}`, { cause }));
    });
    child.once("spawn", () => {
      const { pid } = child;
      if (pid === undefined) return;
      children.add(pid);
      const close = spec.started?.();
      const signal = (name: NodeJS.Signals) => {
        if (child.exitCode === null && child.signalCode === null) child.kill(name);
      };
      const done = new Promise<Exit>((settle) => {
        child.once("exit", (code, name) => {
          children.remove(pid);
          close?.();
          // What it wrote last may still be in the pipes.
          const ended = () => settle(exitOf(code, name));
          const late = setTimeout(ended, 200);
          child.once("close", () => {
            clearTimeout(late);
            ended();
          });
        });
      });
      resolve({ done, terminate: () => signal(spec.stopSignal ?? "SIGTERM"), kill: () => signal("SIGKILL") });
    });
  });
}

/** The image's entry point is `berth`; a command that names it is the same as none. */
export function berthVerbs({ command, args }: StartContext): readonly string[] {
  const words = [...command, ...args];
  return command.length > 0 && /^berth(\.mjs)?$/.test(path.posix.basename(words[0] ?? "")) ? words.slice(1) : words;
}

function environment(context: StartContext, deps: BerthDeps): NodeJS.ProcessEnv {
  const { pod, node, nodeAddress, podAddress } = context;
  const link: Record<string, string> = pod.hostNetwork ? { BERTH_LINK: deps.linkUrl(node) } : {};
  return {
    NODE_ENV: "production",
    ...context.env,
    BERTH_ROOT: context.fs.root,
    KUBERNETES_SERVICE_HOST: "127.0.0.1",
    KUBERNETES_SERVICE_PORT: String(deps.apiPort),
    BERTH_BIND_ADDRESS: pod.hostNetwork ? nodeAddress : shadowOf(podAddress),
    BERTH_LIFELINE: "3",
    ...link,
  };
}

function announcePorts({ container, podAddress }: StartContext, ports: PodPorts): () => void {
  const open = container.ports.filter(({ protocol }) => protocol === "TCP" || protocol === "UDP");
  const kind = (protocol: string) => (protocol === "UDP" ? "UDP" : "TCP");
  for (const { port, protocol } of open) {
    ports.open(podAddress, port, kind(protocol), { address: shadowOf(podAddress), port });
  }
  return () => {
    for (const { port, protocol } of open) ports.close(podAddress, port, kind(protocol));
  };
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

function exitOf(code: number | null, name: NodeJS.Signals | null): Exit {
  if (name === null) return { exitCode: code ?? 1 };
  const signal = SIGNALS[name] ?? 0;
  return { exitCode: 128 + signal, signal };
}
