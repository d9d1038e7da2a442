import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { Fault } from "#core/errors";
import type { ContainerRuntime, Exit, Running, StartContext } from "../runtime.ts";
import { SIGKILL_EXIT } from "../runtime.ts";

const DEFAULT_CONFIG = "/var/lib/kube-proxy/config.conf";
const MODES = ["iptables", "ipvs", "nftables"] as const;

/** What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) says of the node's network. */
export interface ProxySettings {
  readonly mode: (typeof MODES)[number];
  readonly strictArp: boolean;
}

/**
 * kube-proxy as a container: it reads its configuration once, at its start,
 * and sets the node's proxy accordingly. Stopping it leaves everything as it
 * was, as kernel rules stay; a changed ConfigMap needs a restart. A bad
 * configuration ends the container with 1 and a sentence in its log.
 */
export function kubeProxyRuntime(apply: (node: string, settings: ProxySettings) => void): ContainerRuntime {
  return {
    async start(context) {
      const { log, node } = context;
      const file = configFile(context);
      try {
        const text = await readFile(await context.fs.resolve(file), "utf8");
        const settings = readProxyConfig(text);
        apply(node, settings);
        log.line("stderr", `using configuration ${file}`);
        log.line("stderr", `node ${node}: mode ${settings.mode}, strictARP ${settings.strictArp}`);
        if (settings.mode === "ipvs" && !settings.strictArp) {
          log.line("stderr", "strictARP is false: this node's kernel answers ARP for every LoadBalancer address");
        }
        return untilStopped();
      } catch (error) {
        log.line("stderr", `failed to read ${file}: ${Fault.from(error).message}`);
        return { done: Promise.resolve({ exitCode: 1 }), terminate: () => undefined, kill: () => undefined };
      }
    },
  };
}

/** Fault `invalid` with a sentence that names the field and what would be right. */
export function readProxyConfig(text: string): ProxySettings {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new Fault("invalid", `not valid YAML: ${(Fault.from(error).message.split("\n")[0] ?? "").trim()}`);
  }
  if (!isRecord(value)) throw new Fault("invalid", "a KubeProxyConfiguration is expected");
  if (value.kind !== "KubeProxyConfiguration") {
    throw new Fault("invalid", `kind: expected KubeProxyConfiguration, not ${JSON.stringify(value.kind ?? null)}`);
  }
  const wanted = value.mode ?? "";
  const mode = wanted === "" ? "iptables" : MODES.find((known) => known === wanted);
  if (mode === undefined) {
    throw new Fault("invalid", `mode: ${JSON.stringify(wanted)} is not one of ${MODES.join(", ")}`);
  }
  const ipvs = value.ipvs ?? {};
  if (!isRecord(ipvs)) throw new Fault("invalid", "ipvs: a mapping is expected");
  const strictArp = ipvs.strictARP ?? false;
  if (typeof strictArp !== "boolean") {
    throw new Fault("invalid", `ipvs.strictARP: true or false is expected, not ${JSON.stringify(strictArp)}`);
  }
  return { mode, strictArp };
}

function configFile({ command, args }: StartContext): string {
  const words = [...command, ...args];
  for (const [index, word] of words.entries()) {
    if (word.startsWith("--config=")) return word.slice("--config=".length);
    if (word === "--config") return words[index + 1] ?? DEFAULT_CONFIG;
  }
  return DEFAULT_CONFIG;
}

function untilStopped(): Running {
  let resolve: (exit: Exit) => void = () => undefined;
  const done = new Promise<Exit>((settle) => {
    resolve = settle;
  });
  return { done, terminate: () => resolve({ exitCode: 0 }), kill: () => resolve(SIGKILL_EXIT), inProcess: true };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
