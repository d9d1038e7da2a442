import { type Loose, number, record, records, text, texts } from "./loose.ts";

interface HttpAction {
  readonly kind: "http";
  readonly scheme: "http" | "https";
  readonly path: string;
  readonly port: number | string;
  readonly host: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}
interface ExecAction {
  readonly kind: "exec";
  readonly command: readonly string[];
}
interface Unsupported {
  readonly kind: "unsupported";
  readonly what: string;
}

/** core/v1 LifecycleHandler */
export type HookView = HttpAction | ExecAction | { readonly kind: "sleep"; readonly ms: number } | Unsupported;

/** core/v1 Probe with every default applied. */
export interface ProbeView {
  readonly action:
    | HttpAction
    | { readonly kind: "tcp"; readonly port: number | string; readonly host: string | null }
    | ExecAction
    | Unsupported;
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** Reads a probe leniently; null when there is none. */
export function viewProbe(value: unknown): ProbeView | null {
  const probe = record(value);
  if (Object.keys(probe).length === 0) return null;
  return {
    action: probeAction(probe),
    initialDelayMs: number(probe.initialDelaySeconds, 0) * 1000,
    periodMs: Math.max(1, number(probe.periodSeconds, 10)) * 1000,
    timeoutMs: Math.max(1, number(probe.timeoutSeconds, 1)) * 1000,
    successThreshold: Math.max(1, number(probe.successThreshold, 1)),
    failureThreshold: Math.max(1, number(probe.failureThreshold, 3)),
  };
}

/** Reads a postStart or preStop hook leniently; null when there is none. */
export function viewHook(value: unknown): HookView | null {
  const hook = record(value);
  if (Object.keys(hook).length === 0) return null;
  if (hook.sleep !== undefined) return { kind: "sleep", ms: Math.max(0, number(record(hook.sleep).seconds, 0)) * 1000 };
  const action = probeAction(hook);
  return action.kind === "tcp" ? { kind: "unsupported", what: "tcpSocket" } : action;
}

function probeAction(probe: Loose): ProbeView["action"] {
  const port = (value: unknown) => (typeof value === "number" || typeof value === "string" ? value : 0);
  if (probe.httpGet !== undefined) {
    const get = record(probe.httpGet);
    return {
      kind: "http",
      scheme: text(get.scheme).toUpperCase() === "HTTPS" ? "https" : "http",
      path: text(get.path) || "/",
      port: port(get.port),
      host: text(get.host) || null,
      headers: records(get.httpHeaders).map((header) => ({ name: text(header.name), value: text(header.value) })),
    };
  }
  if (probe.tcpSocket !== undefined) {
    const socket = record(probe.tcpSocket);
    return { kind: "tcp", port: port(socket.port), host: text(socket.host) || null };
  }
  if (probe.exec !== undefined) return { kind: "exec", command: texts(record(probe.exec).command) };
  return { kind: "unsupported", what: probe.grpc !== undefined ? "grpc" : "empty" };
}
