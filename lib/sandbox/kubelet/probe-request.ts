import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "#runtime/clock";
import { type ExecPlace, execIn, NO_SUCH_COMMAND } from "./exec.ts";
import type { ContainerView } from "./pod-view.ts";
import type { ProbeView } from "./probe-view.ts";
import type { PodPorts } from "./runtime.ts";

export type ProbeResult =
  | { readonly kind: "success" }
  | { readonly kind: "failure"; readonly message: string }
  /** The question cannot be asked here; counts neither way. */
  | { readonly kind: "unknown"; readonly message: string };

/** Whom to ask. */
export interface ProbeTarget {
  readonly container: ContainerView;
  readonly podAddress: string;
  readonly ports: PodPorts;
  readonly clock: Clock;
  /** Where exec probes run; null: nowhere. */
  readonly place: ExecPlace | null;
}

/** Asks one probe's question. Never rejects; takes no longer than the probe's time-out. */
export function askProbe(probe: ProbeView, target: ProbeTarget): Promise<ProbeResult> {
  const { action } = probe;
  if (action.kind === "unsupported") {
    return Promise.resolve({
      kind: "unknown",
      message: `${action.what} probes are not supported in the Berth sandbox: use exec, httpGet or tcpSocket`,
    });
  }
  if (action.kind === "exec") return askExec(action.command, probe.timeoutMs, target);
  const port = portNumber(action.port, target.container);
  if (port === null) return Promise.resolve({ kind: "unknown", message: `couldn't find port: ${action.port}` });
  const address = action.host ?? target.podAddress;
  const at = target.ports.lookup(address, port, "TCP");
  if (at === null)
    return Promise.resolve({ kind: "failure", message: `dial tcp ${address}:${port}: connect: no route to host` });
  return action.kind === "tcp"
    ? askTcp({ address, port, at, timeoutMs: probe.timeoutMs })
    : askHttp({ address, port, at, timeoutMs: probe.timeoutMs, action });
}

async function askExec(command: readonly string[], timeoutMs: number, target: ProbeTarget): Promise<ProbeResult> {
  if (target.place === null) return { kind: "unknown", message: "the container is not running" };
  const result = await execIn(command, target.place, timeoutMs, new AbortController().signal);
  if (result.kind === "timeout") {
    const message = `command timed out: "${command.join(" ")}" timed out after ${timeoutMs / 1000}s`;
    return { kind: "failure", message };
  }
  if (result.exitCode === 0) return { kind: "success" };
  if (result.exitCode === NO_SUCH_COMMAND) return { kind: "unknown", message: result.output };
  return { kind: "failure", message: result.output };
}

interface Question {
  readonly address: string;
  readonly port: number;
  readonly at: { readonly address: string; readonly port: number };
  readonly timeoutMs: number;
}

function askTcp({ address, port, at, timeoutMs }: Question): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: at.address, port: at.port });
    const end = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    const message = (why: string) => `dial tcp ${address}:${port}: ${why}`;
    socket.setTimeout(timeoutMs, () => end({ kind: "failure", message: message("i/o timeout") }));
    socket.once("connect", () => end({ kind: "success" }));
    socket.once("error", (error) => end({ kind: "failure", message: message(`connect: ${words(error)}`) }));
  });
}

function askHttp(
  question: Question & { readonly action: Extract<ProbeView["action"], { kind: "http" }> },
): Promise<ProbeResult> {
  const { address, port, at, timeoutMs, action } = question;
  const url = `${action.scheme}://${address}:${port}${action.path.startsWith("/") ? "" : "/"}${action.path}`;
  return new Promise((resolve) => {
    const ask = action.scheme === "https" ? httpsRequest : httpRequest;
    const headers: Record<string, string> = {
      Host: `${address}:${port}`,
      "User-Agent": "kube-probe/1.36",
      Accept: "*/*",
    };
    for (const header of action.headers) headers[header.name] = header.value;
    let request: ReturnType<typeof httpRequest>;
    const end = (result: ProbeResult) => {
      cancel();
      request?.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      end({
        kind: "failure",
        message: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      });
    }, timeoutMs);
    const cancel = () => clearTimeout(timer);
    try {
      request = ask(
        {
          host: at.address,
          port: at.port,
          path: url.slice(url.indexOf("/", 8)),
          headers,
          agent: false,
          rejectUnauthorized: false,
        },
        (response) => {
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 400) end({ kind: "success" });
          else end({ kind: "failure", message: `HTTP probe failed with statuscode: ${status}` });
        },
      );
    } catch (error) {
      cancel();
      resolve({ kind: "unknown", message: `probe cannot be sent: ${String(error)}` });
      return;
    }
    request.on("error", (error) => {
      end({ kind: "failure", message: `Get "${url}": dial tcp ${address}:${port}: connect: ${words(error)}` });
    });
    request.end();
  });
}

function portNumber(port: number | string, container: ContainerView): number | null {
  if (typeof port === "number") return port > 0 && port < 65_536 ? port : null;
  if (/^\d+$/.test(port)) return portNumber(Number(port), container);
  return container.ports.find(({ name }) => name === port)?.port ?? null;
}

function words(error: NodeJS.ErrnoException): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connection refused",
    ECONNRESET: "connection reset by peer",
    EHOSTUNREACH: "no route to host",
    ENETUNREACH: "network is unreachable",
  };
  return known[error.code ?? ""] ?? error.message;
}
