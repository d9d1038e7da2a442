import { readFileSync } from "node:fs";
import { NAMESPACE } from "#api/names";
import { type ConfigurationInput, compileConfiguration } from "#core/configuration";
import { Fault } from "#core/errors";
import { HttpCluster } from "#kube/http-cluster";
import { connectionFromKubeconfig } from "#kube/kubeconfig";
import { type CheckFinding, classify } from "./check/classify.ts";
import { findingLines, plural, summary } from "./check/print.ts";
import { readCluster } from "./check/read-cluster.ts";
import { readFiles } from "./check/read-files.ts";
import { parseFlags } from "./flags.ts";

const OPTIONS = {
  kubeconfig: { type: "string" },
  context: { type: "string" },
  namespace: { type: "string", short: "n" },
  json: { type: "boolean" },
  strict: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = `Usage: berth check [--json] [--strict] <file, folder or ->…
       berth check [--json] [--strict] --kubeconfig F [--context C]

Checks pools, advertisements, BGP peers, communities and BFD profiles as the
controller and the speakers will: what they would refuse is an error, what is
legal and probably not meant is a warning. Other kinds in the files are passed over.

  --namespace, -n ${NAMESPACE}   where the configuration lives
  --json                       findings as JSON
  --strict                     warnings count as errors
  --kubeconfig F               a running cluster instead of files      BERTH_KUBECONFIG
  --context C                  the context in that kubeconfig          BERTH_CONTEXT

Exit code: 0 nothing, or only warnings · 1 errors · 2 input that cannot be read.`;

const PATHS_MAX = 10_000;
const CLUSTER_MS = 30_000;

interface Outcome {
  readonly findings: readonly CheckFinding[];
  /** What was looked at, in words. */
  readonly looked: string;
  readonly unreadable: readonly string[];
  readonly notes: readonly string[];
}

/** `berth check`: the compiler of the controller and the speakers, as a linter. Never throws: 2 is for what it cannot do. */
export async function run(args: readonly string[]): Promise<number> {
  // `berth check … | head` ends with its reader.
  process.stdout.on("error", () => process.exit(0));
  try {
    const { values, positionals } = parseFlags(args, OPTIONS, PATHS_MAX);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const namespace = values.namespace ?? NAMESPACE;
    const kubeconfig = values.kubeconfig ?? (positionals.length === 0 ? process.env.BERTH_KUBECONFIG : undefined);
    if (kubeconfig !== undefined && positionals.length > 0) {
      throw new Fault("invalid", "--kubeconfig checks a cluster and takes no files.");
    }
    if (kubeconfig === undefined && values.context !== undefined) {
      throw new Fault("invalid", "--context needs --kubeconfig: Berth never uses a cluster that was not named.");
    }
    if (kubeconfig === undefined && positionals.length === 0) {
      console.error(HELP);
      return 2;
    }
    const outcome =
      kubeconfig === undefined
        ? checkFiles(positionals, namespace)
        : await checkCluster(kubeconfig, values.context ?? process.env.BERTH_CONTEXT, namespace);
    print(outcome, values.json === true);
    return exitCode(outcome, values.strict === true);
  } catch (thrown) {
    console.error(`berth check: ${Fault.from(thrown).message}`);
    return 2;
  }
}

function checkFiles(paths: readonly string[], namespace: string): Outcome {
  const { found, files, unreadable } = readFiles(paths, () => readFileSync(0, "utf8"));
  const { input, findings, count, sources } = classify(found);
  const compiled = compile({ ...input, namespace, complete: false }).map((finding) => ({
    ...finding,
    source: sources.get(`${finding.kind} ${finding.object}`),
  }));
  const looked = `${plural(count, "object")} of ${plural(files, "file")}`;
  return { findings: [...findings, ...compiled], looked, unreadable, notes: [] };
}

async function checkCluster(kubeconfig: string, context: string | undefined, namespace: string): Promise<Outcome> {
  const connection = await connectionFromKubeconfig(kubeconfig, context);
  const cluster = new HttpCluster({ connection });
  try {
    const { input, count, notes } = await readCluster(cluster, namespace, AbortSignal.timeout(CLUSTER_MS));
    const looked = `${plural(count, "object")} of namespace ${namespace}`;
    return { findings: compile(input), looked, unreadable: [], notes };
  } finally {
    await cluster.close();
  }
}

function compile(input: ConfigurationInput): readonly CheckFinding[] {
  return compileConfiguration(input).findings;
}

function print({ findings, looked, unreadable, notes }: Outcome, json: boolean): void {
  for (const line of unreadable) console.error(`berth check: ${line}`);
  for (const note of notes) console.error(`note: ${note}`);
  if (json) console.log(JSON.stringify({ findings, unreadable, notes }, null, 2));
  else for (const line of [...findingLines(findings), summary(findings, looked)]) console.log(line);
}

function exitCode({ findings, unreadable }: Outcome, strict: boolean): number {
  if (unreadable.length > 0) return 2;
  return findings.some(({ severity }) => strict || severity === "error") ? 1 : 0;
}
