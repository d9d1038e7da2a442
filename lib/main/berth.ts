import { Fault } from "#core/errors";
import { oneLine } from "./verb.ts";

/**
 * `berth <verb>`: one file per verb, each building its adapters and calling a
 * start function. Loaded lazily, so that a speaker never pays for Next.
 */
const VERBS: Readonly<
  Record<
    string,
    { readonly summary: string; readonly load: () => Promise<{ run(args: readonly string[]): Promise<number> }> }
  >
> = {
  up: { summary: "bring up everything: sandbox (or a cluster you name) and dashboard", load: () => import("./up.ts") },
  sandbox: {
    summary:
      "the sandbox's API server alone, or drills: `sandbox power <node> off|on`, `sandbox foreign-host <address>`",
    load: () => import("./sandbox.ts"),
  },
  nodes: { summary: "the sandbox's nodes (started by up)", load: () => import("./nodes.ts") },
  controller: { summary: "assign addresses (runs in the cluster)", load: () => import("./controller.ts") },
  speaker: { summary: "announce addresses from one node (runs in the cluster)", load: () => import("./speaker.ts") },
  dashboard: { summary: "the web dashboard", load: () => import("./dashboard.ts") },
  probe: { summary: "request a URL in a loop and count who answers", load: () => import("./probe.ts") },
  lab: {
    summary: "run a command on a host of the sandbox's network (--network netns)",
    load: () => import("./lab.ts"),
  },
  check: { summary: "check manifests, or a cluster's configuration", load: () => import("./check.ts") },
};

function usage(): string {
  const width = Math.max(...Object.keys(VERBS).map((verb) => verb.length));
  const lines = Object.entries(VERBS).map(([verb, { summary }]) => `  ${verb.padEnd(width)}  ${summary}`);
  return `Usage: berth <command> [flags]\n\n${lines.join("\n")}\n\nberth up --help lists the flags of up.`;
}

const [name, ...args] = process.argv.slice(2);
const verb = name === undefined ? undefined : VERBS[name];
if (name === undefined || name === "--help" || name === "-h" || name === "help") {
  console.log(usage());
  process.exit(name === undefined ? 2 : 0);
}
if (verb === undefined) {
  console.error(`berth: there is no command "${name}".\n\n${usage()}`);
  process.exit(2);
}
try {
  const { run } = await verb.load();
  process.exit(await run(args));
} catch (thrown) {
  // A Fault is a sentence for people. Anything else is a bug in us, and only then is the trace worth having.
  if (thrown instanceof Fault && thrown.code !== "internal") console.error(`berth ${name}: ${oneLine(thrown.message)}`);
  else
    console.error(
      `berth ${name}: ${thrown instanceof Error ? (process.env.BERTH_DEBUG ? thrown.stack : oneLine(thrown.message)) : String(thrown)}`,
    );
  process.exit(1);
}
