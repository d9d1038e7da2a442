import type { CheckRow } from "#api/dashboard/preflight";
import type { ConfigurationState } from "#api/metallb";
import { advertisementsOf } from "#core/election";
import { speakerPodOf } from "../rows/pods.ts";
import { findingsOf } from "../rows/pools.ts";
import { listed, plural } from "../rows/words.ts";
import type { View } from "../view.ts";

interface CheckFacts {
  readonly view: View;
  /** Names of the CRDs that are there; null when they may not be listed. */
  readonly crds: ReadonlySet<string> | null;
  readonly installed: { readonly controller: boolean; readonly speaker: boolean };
  readonly configStates: readonly ConfigurationState[];
  /** "list services" for each kind that the API server refuses. */
  readonly forbidden: readonly string[];
}

type Judged = Pick<CheckRow, "id" | "title" | "state" | "evidence" | "explanation">;

const CRDS = ["ipaddresspools.metallb.io", "l2advertisements.metallb.io", "servicel2statuses.metallb.io"];

/** Every check that can be judged from what the dashboard already watches. Pure. */
export function judgedChecks(facts: CheckFacts): readonly Judged[] {
  return [
    rights(facts),
    crds(facts),
    controller(facts),
    speakers(facts),
    configuration(facts),
    heartbeats(facts),
    advertised(facts),
    nodeAddresses(facts),
    wire(facts),
  ];
}

function rights({ forbidden }: CheckFacts): Judged {
  const base = { id: "rights", title: "API rights", explanation: "The dashboard shows what its account may list." };
  if (forbidden.length === 0) return { ...base, state: "passed", evidence: "Every kind can be listed" };
  return { ...base, state: "warning", evidence: `Refused: ${forbidden.join(", ")}` };
}

function crds({ crds: known }: CheckFacts): Judged {
  const base = {
    id: "crds",
    title: "Custom resources",
    explanation: "Pools and advertisements are custom resources; installing a component creates their definitions.",
  };
  if (known === null) return { ...base, state: "unknown", evidence: "CustomResourceDefinitions may not be listed" };
  const missing = CRDS.filter((name) => !known.has(name));
  if (missing.length > 0) return { ...base, state: "failed", evidence: `Missing: ${missing.join(", ")}` };
  return { ...base, state: "passed", evidence: `${CRDS.length} of ${CRDS.length} definitions are there` };
}

function controller({ view, installed }: CheckFacts): Judged {
  const base = {
    id: "controller",
    title: "Controller",
    explanation: "It assigns addresses. Those already assigned keep working without it.",
  };
  if (!installed.controller) return { ...base, state: "failed", evidence: "Not installed" };
  return view.facts.controllerReady
    ? { ...base, state: "passed", evidence: "A controller pod is ready" }
    : { ...base, state: "failed", evidence: "No controller pod is ready" };
}

function speakers({ view, installed }: CheckFacts): Judged {
  const base = {
    id: "speakers",
    title: "A speaker on every node",
    explanation: "Only nodes with a ready speaker can announce addresses.",
  };
  if (!installed.speaker) return { ...base, state: "failed", evidence: "Not installed" };
  const without = view.nodes
    .filter((node) => speakerPodOf(view.facts.pods, node.name)?.ready !== true)
    .map((node) => node.name);
  const evidence = `Ready on ${view.nodes.length - without.length} of ${plural(view.nodes.length, "node")}`;
  if (without.length === 0) return { ...base, state: "passed", evidence };
  const state = without.length === view.nodes.length ? "failed" : "warning";
  return { ...base, state, evidence: `${evidence}; not on ${listed(without)}` };
}

function configuration({ configStates }: CheckFacts): Judged {
  const base = {
    id: "configuration",
    title: "Configuration valid",
    explanation:
      "With an invalid configuration everything goes on with the last valid one; changes wait until it is corrected.",
  };
  if (configStates.length === 0) return { ...base, state: "unknown", evidence: "Not reported" };
  const invalid = configStates.filter((one) => one.status?.result === "Invalid");
  if (invalid.length === 0)
    return { ...base, state: "passed", evidence: `Valid for ${plural(configStates.length, "component")}` };
  const first = invalid[0];
  const names = invalid
    .map((one) => one.metadata.name ?? "")
    .sort()
    .join(", ");
  return { ...base, state: "failed", evidence: `Invalid for ${names}: ${first?.status?.errorSummary ?? "no message"}` };
}

/** Every running speaker should see every other one. */
function heartbeats({ view, installed }: CheckFacts): Judged {
  const base = {
    id: "heartbeats",
    title: "Heartbeats between speakers",
    explanation:
      "Speakers elect announcers among those they hear over UDP 7946. A pair that does not hear each other may both announce.",
  };
  const states = view.facts.speakerStates.filter(
    (one) => speakerPodOf(view.facts.pods, one.metadata.name ?? "")?.ready === true,
  );
  if (!installed.speaker) return { ...base, state: "not_applicable", evidence: "No speakers are installed" };
  if (states.length === 0) return { ...base, state: "unknown", evidence: "Speakers report no members" };
  const ready = new Set(states.map((one) => one.metadata.name ?? ""));
  const silent = states.flatMap((state) =>
    [...ready]
      .filter((other) => other !== state.metadata.name)
      .filter((other) => state.status?.members?.find((member) => member.node === other)?.alive !== true)
      .map((other) => `${state.metadata.name} does not hear ${other}`),
  );
  if (silent.length === 0)
    return { ...base, state: "passed", evidence: `${plural(states.length, "speaker")} hear each other` };
  return { ...base, state: "failed", evidence: silent.slice(0, 5).join("; ") };
}

function advertised({ view }: CheckFacts): Judged {
  const base = {
    id: "advertised",
    title: "Pools are advertised",
    explanation: "Addresses of a pool that no advertisement covers are assigned but reachable for nobody.",
  };
  const pools = view.facts.pools;
  if (pools.length === 0) return { ...base, state: "not_applicable", evidence: "There are no pools yet" };
  const bare = pools
    .filter(
      (pool) =>
        advertisementsOf({ name: pool.metadata.name ?? "", labels: pool.metadata.labels ?? {} }, view.advertisements)
          .length === 0,
    )
    .map((pool) => pool.metadata.name ?? "");
  if (bare.length === 0) return { ...base, state: "passed", evidence: `${plural(pools.length, "pool")} advertised` };
  return { ...base, state: "failed", evidence: `Advertised by nobody: ${bare.join(", ")}` };
}

function nodeAddresses({ view }: CheckFacts): Judged {
  const base = {
    id: "node-addresses",
    title: "Pools leave node addresses alone",
    explanation: "An address of a node given to a Service cuts that node off.",
  };
  if (view.facts.pools.length === 0) return { ...base, state: "not_applicable", evidence: "There are no pools yet" };
  const clashes = view.facts.pools.flatMap((pool) =>
    findingsOf(pool.metadata.name ?? "", view)
      .filter(({ reason }) => reason === "contains_node")
      .map((finding) => `${pool.metadata.name}: ${finding.message}`),
  );
  if (clashes.length === 0) return { ...base, state: "passed", evidence: "No pool contains a node's address" };
  return { ...base, state: "failed", evidence: clashes.slice(0, 3).join("; ") };
}

/** What the speakers' own watch over the wire says, all the time and not only while preflight runs. */
function wire({ view }: CheckFacts): Judged {
  const base = {
    id: "wire",
    title: "One machine for each address",
    explanation:
      "Each speaker asks the wire who has what it announces. Another machine with the address, or a second node, takes requests that are lost.",
  };
  const watching = view.facts.speakerStates.filter(({ status }) => status?.findings !== undefined);
  if (watching.length === 0) return { ...base, state: "unknown", evidence: "No speaker watches the wire" };
  const found = [...view.wire.values()];
  if (found.length === 0)
    return { ...base, state: "passed", evidence: `${plural(watching.length, "speaker")} watching` };
  const state = found.some(({ kind }) => kind !== "proxy_arp") ? "failed" : "warning";
  const more = found.length > 3 ? `; and ${found.length - 3} more` : "";
  return {
    ...base,
    state,
    evidence: `${found
      .slice(0, 3)
      .map(({ message }) => message)
      .join("; ")}${more}`,
  };
}
