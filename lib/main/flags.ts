import { resolve } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { Fault } from "#core/errors";

/** The flags of `berth up` (and so of `npm start`), each with its environment twin. */
export interface UpFlags {
  readonly port: number;
  readonly apiPort: number;
  readonly dataDir: string;
  readonly nodes: number;
  readonly network: "loopback" | "netns";
  readonly fromScratch: boolean;
  readonly open: boolean;
  readonly dev: boolean;
  /** Set when a real cluster was asked for; the sandbox is not started then. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

export const UP_HELP = `Usage: npm start -- [flags]      (or: berth up [flags])

  --port 3000            dashboard on http://127.0.0.1:<port>                 BERTH_PORT
  --api-port 16443       the sandbox's Kubernetes API                         BERTH_API_PORT
  --data-dir .berth      where the sandbox keeps its state and kubeconfig     BERTH_DATA_DIR
  --nodes 3              number of sandbox nodes, 1 to 9                      BERTH_NODES
  --network loopback     loopback, or netns: real interfaces (Linux)          BERTH_NETWORK
  --from-scratch         an empty cluster; the dashboard's checklist leads    BERTH_FROM_SCRATCH
  --no-open              do not open a browser                                BERTH_NO_OPEN
  --kubeconfig F         use this real cluster, no sandbox                    BERTH_KUBECONFIG
  --context C            the context in that kubeconfig                       BERTH_CONTEXT`;

const OPTIONS = {
  port: { type: "string" },
  "api-port": { type: "string" },
  "data-dir": { type: "string" },
  nodes: { type: "string" },
  network: { type: "string" },
  "from-scratch": { type: "boolean" },
  "no-open": { type: "boolean" },
  open: { type: "boolean" },
  dev: { type: "boolean" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsOptionsConfig;

/** Parses flags of any verb; an unknown or malformed one is a sentence that names it. */
export function parseFlags<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T, positionals = 0) {
  try {
    const parsed = parseArgs({
      args: goBooleans(args, options),
      options,
      strict: true,
      allowPositionals: positionals > 0,
    });
    if (parsed.positionals.length > positionals) {
      throw new Fault("invalid", `"${parsed.positionals[positionals]}" is one argument too many.`);
    }
    return parsed;
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { message } = Fault.from(thrown);
    const flag = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument (?:missing|is ambiguous)/.exec(message)?.[1];
    if (flag !== undefined) {
      throw new Fault("invalid", `${flag} needs a value (one that begins with a dash is written ${flag}=-1).`);
    }
    const [sentence = ""] = message.split(/\.\s|\n/);
    throw new Fault("invalid", `${sentence.replace(/\.$/, "")}.`);
  }
}

/** Manifests written for programs in Go say `--flag=true` or `--flag=false`. */
function goBooleans(args: readonly string[], options: ParseArgsOptionsConfig): string[] {
  return args.flatMap((arg) => {
    const [, name = "", value] = /^--([\w-]+)=(true|false)$/.exec(arg) ?? [];
    if (options[name]?.type !== "boolean") return [arg];
    return value === "true" ? [`--${name}`] : [];
  });
}

/** Prints the help of a verb and is true when `--help` or `-h` asks for it, whatever else is on the line. */
export function asksForHelp(args: readonly string[], help: string): boolean {
  const asked = args.includes("--help") || args.includes("-h");
  if (asked) console.log(help);
  return asked;
}

export function integer(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Fault("invalid", `${name} ${text}: must be a whole number from ${min} to ${max}.`);
  }
  return value;
}

function truthy(text: string | undefined): boolean {
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}

/** `--data-dir` or BERTH_DATA_DIR. An empty flag (a variable that is not set) would mean the current directory. */
export function dataDirFlag(
  value: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (value === "") throw new Fault("invalid", '--data-dir "": must be the path of a directory.');
  return value ?? (env.BERTH_DATA_DIR || undefined);
}

/** Null when help was asked for. */
export function upFlags(args: readonly string[], env: Readonly<Record<string, string | undefined>>): UpFlags | null {
  const { values } = parseFlags(args, OPTIONS);
  if (values.help) return null;
  const network = values.network ?? env.BERTH_NETWORK ?? "loopback";
  if (network !== "loopback" && network !== "netns") {
    throw new Fault("invalid", `--network ${network}: must be "loopback" or "netns".`);
  }
  const port = integer("--port", values.port ?? env.BERTH_PORT, 3000, 1, 65535);
  const apiPort = integer("--api-port", values["api-port"] ?? env.BERTH_API_PORT, 16443, 1, 65535);
  if (port === apiPort) throw new Fault("invalid", `--port and --api-port are both ${port}: they must differ.`);
  const kubeconfig = values.kubeconfig ?? env.BERTH_KUBECONFIG ?? null;
  const context = values.context ?? env.BERTH_CONTEXT ?? null;
  if (context !== null && kubeconfig === null) {
    throw new Fault("invalid", "--context needs --kubeconfig: Berth never uses a cluster that was not named.");
  }
  return {
    port,
    apiPort,
    dataDir: resolve(dataDirFlag(values["data-dir"], env) ?? ".berth"),
    nodes: integer("--nodes", values.nodes ?? env.BERTH_NODES, 3, 1, 9),
    network,
    fromScratch: values["from-scratch"] ?? truthy(env.BERTH_FROM_SCRATCH),
    open: !(values["no-open"] ?? truthy(env.BERTH_NO_OPEN)),
    dev: values.dev ?? false,
    kubeconfig: kubeconfig === null ? null : resolve(kubeconfig),
    context,
  };
}
