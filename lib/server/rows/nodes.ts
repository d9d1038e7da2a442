import type { NodeRow } from "#api/dashboard/nodes";
import type { Node } from "#api/kubernetes/cluster";
import { ANNOTATION, LABEL } from "#api/names";
import { selectorMatches } from "#core/selector";
import { poolNameOf } from "../pool-of.ts";
import type { View } from "../view.ts";
import { speakerPodOf } from "./pods.ts";

export function nodeRow(node: Node, view: View): NodeRow {
  const name = node.metadata.name ?? "";
  const pod = speakerPodOf(view.facts.pods, name);
  const state = view.stateOf(name)?.status;
  const off = node.metadata.annotations?.[ANNOTATION.power] === "off";
  const facts = view.nodes.find((one) => one.name === name);
  return {
    name,
    ready: node.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false,
    schedulable: node.spec?.unschedulable !== true,
    poweredOff: off,
    addresses: (node.status?.addresses ?? []).filter((one) => one.type !== "Hostname").map((one) => one.address),
    speaker:
      pod === null
        ? null
        : {
            pod: pod.name,
            ready: pod.ready && !off,
            restarts: pod.restarts,
            interfaces: (state?.interfaces ?? []).map(({ name: link, mac, up }) => ({ name: link, mac, up })),
            members: (state?.members ?? []).map(({ node: member, alive }) => ({ node: member, alive })),
            heartbeatAt: state?.heartbeatAt ?? null,
          },
    announces: announcedBy(name, view),
    eligibility: facts === undefined ? "speaker_not_ready" : eligibility(facts, view),
    kubeletVersion: node.status?.nodeInfo?.kubeletVersion ?? null,
    createdAt: node.metadata.creationTimestamp ?? "",
  };
}

function announcedBy(node: string, view: View): NodeRow["announces"] {
  const rows: NodeRow["announces"] = [];
  for (const key of view.announcedOn(node)) {
    const announcer = view.announcersOf(key).find((one) => one.node === node);
    if (announcer === undefined) continue;
    for (const address of view.addressesOf(key)) {
      rows.push({ address, service: key, pool: poolNameOf(address, view), since: announcer.since });
    }
  }
  return rows.sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** Whether the node may announce anything at all: the checks of metallb.md 6.2 that do not depend on a Service. */
function eligibility(facts: View["nodes"][number], view: View): NodeRow["eligibility"] {
  if (facts.networkUnavailable) return "network_unavailable";
  if (LABEL.excludeFromLoadBalancers in facts.labels) return "excluded_by_label";
  if (!facts.alive || !facts.ready) return "speaker_not_ready";
  if (facts.interfaces !== null && facts.interfaces.length === 0) return "no_usable_interface";
  const selected = view.advertisements.some(
    (ad) => ad.nodeSelectors.length === 0 || ad.nodeSelectors.some((one) => selectorMatches(one, facts.labels)),
  );
  if (view.advertisements.length === 0) return "no_matching_advertisement";
  return selected ? "announced" : "node_not_selected";
}
