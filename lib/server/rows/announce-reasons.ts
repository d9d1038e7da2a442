import type { Diagnosis } from "#api/dashboard/diagnosis";
import type { Service } from "#api/kubernetes/services";
import { explainAnnounce } from "#core/explain";
import { addressesOf } from "../objects-to-facts.ts";
import { poolNameOf } from "../pool-of.ts";
import type { View } from "../view.ts";
import { announcersFor, electionFor } from "./services.ts";

/** For every node whether it announces the Service, and why not: candidates first, in the order of their election. */
export function announceReasons(service: Service, view: View): Pick<Diagnosis, "nodes" | "order"> {
  const election = electionFor(service, view);
  const address = addressesOf(service)[0];
  const pool = address === undefined ? null : poolNameOf(address, view);
  const announcing = new Set(announcersFor(service, view).map((one) => one.node));
  const facts = { ...(address !== undefined && { address }), ...(pool !== null && { pool }) };
  const nodes = view.nodes.map((node) => {
    const announces = announcing.has(node.name);
    const elected = election.reasons.get(node.name) ?? "no_candidate";
    const reason = announces ? "announced" : elected;
    const own = reason === "announced" && !announces;
    const clause = own
      ? `${node.name} is elected and does not report the announcement yet`
      : explainAnnounce(reason, { ...facts, node: node.name });
    return { node: node.name, announces, reason, sentence: `${clause}.` };
  });
  const rank = (name: string) => {
    const at = election.order.indexOf(name);
    return at < 0 ? election.order.length : at;
  };
  nodes.sort((a, b) => rank(a.node) - rank(b.node) || (a.node < b.node ? -1 : 1));
  return { nodes, order: [...election.order] };
}
