import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Berth, eventually, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { normalise, type Outcome, readSteps, runCommand, type Transcript } from "../support/transcripts.ts";
import { DIFFERENCES } from "./kubectl/differences.ts";

const FOLDER = join(import.meta.dirname, "kubectl");
const STEPS = readSteps(FOLDER);

const dataDir = scratchDir();
let berth: Berth | undefined;

function running(): Berth {
  if (berth === undefined) throw new Error("the sandbox did not start");
  return berth;
}

const say = (command: string): Promise<Outcome> =>
  runCommand(command, { folder: FOLDER, kubeconfig: running().kubeconfig, cacheDir: join(dataDir, "kubectl-cache") });

beforeAll(async () => {
  berth = await startBerth({ dataDir, args: ["--from-scratch"] });
  // The cluster of the transcripts had upstream's definitions and no kube-proxy.
  await berth.kubectl("apply", "-f", "deploy/crds");
  await berth.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=25s");
  await berth.kubectl("delete", "daemonset,configmap", "kube-proxy", "-n", "kube-system");
}, 120_000);

afterAll(async () => {
  await berth?.stop();
  removeDir(dataDir);
});

/** The Deployment has exactly the pods it wants, all available, and nothing is on its way out. */
async function settled(): Promise<void> {
  await eventually("nginx-app to settle", 60_000, async () => {
    const { items } = JSON.parse(
      await running().kubectl("get", "deployments,pods", "-l", "app=my-cool-application", "-o", "json"),
    );
    const deployment = items.find((item: { kind: string }) => item.kind === "Deployment");
    const pods = items.filter((item: { kind: string }) => item.kind === "Pod");
    const { status, spec, metadata } = deployment;
    const wanted = [status.replicas, status.updatedReplicas, status.availableReplicas, pods.length];
    const stays = pods.every((pod: { metadata: { deletionTimestamp?: string } }) => !pod.metadata.deletionTimestamp);
    return stays && status.observedGeneration === metadata.generation && wanted.every((n) => n === spec.replicas)
      ? true
      : null;
  });
}

function differenceOf({ number }: Transcript) {
  return DIFFERENCES.find(({ commands }) => commands.includes(number));
}

function comparable(of: Transcript, outcome: Outcome): Outcome {
  const { rewrites, distinct } = differenceOf(of) ?? {};
  const [stdout, stderr] = [outcome.stdout, outcome.stderr].map((text) => normalise(text, rewrites));
  const lines = distinct === true ? [...new Set(stdout?.split("\n"))].sort().join("\n") : stdout;
  return { stdout: lines ?? "", stderr: stderr ?? "", exit: outcome.exit };
}

describe("kubectl prints what it prints against a real cluster", () => {
  const rows = STEPS.flatMap((step, index) =>
    step.kind === "command"
      ? [{ ...step.expected, name: step.expected.command, settles: STEPS[index - 1]?.kind === "settle" }]
      : [],
  );

  it.each(rows)("$number $name", { timeout: 120_000 }, async ({ settles, ...expected }) => {
    if (settles) await settled();
    const wanted = comparable(expected, expected);
    const difference = differenceOf(expected);
    const outcome = await say(expected.command);
    if (difference?.says === undefined) {
      expect(comparable(expected, outcome)).toEqual(wanted);
      return;
    }
    expect(outcome.stdout + outcome.stderr).toMatch(difference.says);
    expect(comparable(expected, outcome), "it matches now: take it off the list of differences").not.toEqual(wanted);
  });

  it("lists every difference once, none that is no command, and no more causes than ever before", () => {
    expect(DIFFERENCES.length).toBeLessThanOrEqual(9);
    const listed = DIFFERENCES.flatMap(({ commands }) => commands).sort((a, b) => a - b);
    expect(listed).toEqual([...new Set(listed)]);
    expect(listed.filter((number) => !rows.some((row) => row.number === number))).toEqual([]);
  });
});
