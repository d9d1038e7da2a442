import type { z } from "zod";
import type { PortRow, ServiceRow, ServiceStatus } from "#api/dashboard/services";
import type { Service, ServicePort } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION, WEBHOOKS } from "#api/names";
import { keyOf } from "#api/resources";
import { type AnnounceAnswer, advertisementsOf, electAnnouncer } from "#core/election";
import { explain, explainAnnounce } from "#core/explain";
import type { AllocationReason } from "#core/reasons";
import { serviceView } from "#core/service-view";
import { addressesOf } from "../objects-to-facts.ts";
import { poolNameOf } from "../pool-of.ts";
import { parseReachableAt } from "../target.ts";
import type { View } from "../view.ts";
import { endpointCounts, endpointsOf } from "./endpoints.ts";
import { ALLOCATION_CAUSE, ANNOUNCE_CAUSE, plural, sentence } from "./words.ts";

/** What the chip says, and why. */
interface Finding {
  readonly status: ServiceStatus;
  readonly cause: string;
  readonly sentence: string;
  readonly reason: AllocationReason | null;
  readonly refusals: readonly ServiceRow["refusals"][number][];
}

export function serviceRow(service: Service, view: View): ServiceRow {
  const { metadata, spec = {} } = service;
  const facts = serviceView(service);
  const addresses = addressesOf(service);
  const first = addresses[0];
  const finding = findingOf(service, view);
  return {
    key: keyOf(service),
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    type: typeOf(spec.type),
    headless: spec.clusterIP === "None",
    ...finding,
    refusals: [...finding.refusals],
    addresses: [...addresses],
    reachableAt: [...parseReachableAt(metadata.annotations?.[ANNOTATION.reachableAt]).values()],
    shared: addresses.some((address) => (view.holders.get(address)?.length ?? 0) > 1),
    ports: (spec.ports ?? []).map(portRow),
    clusterIPs: (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter(
      (ip) => ip !== "None" && ip !== "",
    ),
    pool: first === undefined ? null : (poolNameOf(first, view) ?? facts.allocatedFrom),
    requestedPool: facts.requestedPool,
    requestedAddresses: [...facts.requestedAddresses],
    announcedBy: announcersFor(service, view).map((one) => one.node),
    endpoints: endpointCounts(view.slicesOf(keyOf(service))),
    externalTrafficPolicy: policyOf(spec.externalTrafficPolicy),
    sessionAffinity: spec.sessionAffinity === "ClientIP" ? "ClientIP" : "None",
    selector: { ...spec.selector },
    loadBalancerClass: spec.loadBalancerClass ?? null,
    exposeBlockedBy: exposeBlockedBy(service),
    createdAt: metadata.creationTimestamp ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
  };
}

/** Null when "Expose" may be pressed. */
export function exposeBlockedBy({ metadata, spec = {} }: Service): string | null {
  if (metadata.deletionTimestamp !== undefined) return "It is being deleted.";
  if (spec.type === "LoadBalancer") {
    return spec.loadBalancerClass === undefined
      ? "It is a LoadBalancer already."
      : `It belongs to another load balancer (class ${spec.loadBalancerClass}).`;
  }
  if (spec.type === "ExternalName")
    return "An ExternalName Service is only a DNS name: nothing in the cluster answers for it.";
  if (spec.clusterIP === "None") return "A headless Service has no cluster IP, which load balancing needs.";
  if (metadata.namespace === "default" && metadata.name === "kubernetes") {
    return "This is the API server's own Service.";
  }
  if (metadata.name === WEBHOOKS.service) return "It is how the API server reaches the controller's webhooks.";
  return (spec.ports ?? []).length === 0 ? "It has no ports." : null;
}

/** The one function behind every status chip (ux.md 4.5), worst finding first. */
export function findingOf(service: Service, view: View): Finding {
  const { spec = {} } = service;
  if (spec.type !== "LoadBalancer") return notExposed(service);
  const base = { reason: null, refusals: [] } as const;
  if (spec.loadBalancerClass !== undefined) {
    const clause = explain("class_not_ours", { loadBalancerClass: spec.loadBalancerClass });
    const refusals = [{ pool: null, reason: "class_not_ours" as const, sentence: clause }];
    const words = sentence("Not ours: ", clause);
    return { status: "not_ours", cause: "Other controller", sentence: words, reason: "class_not_ours", refusals };
  }
  const addresses = addressesOf(service);
  const address = addresses[0];
  if (address === undefined) return pending(service, view);

  const macs = addresses.flatMap((one) => view.conflicts.get(one) ?? []);
  if (macs.length > 0) {
    const found = addresses.flatMap((one) => view.wire.get(one) ?? [])[0];
    const foreign = found?.kind === "conflict";
    const words =
      found === undefined
        ? `${plural(new Set(macs).size, "machine")} answer for ${address}: ${macs.join(", ")}. One must.`
        : sentence(found.message.charAt(0).toUpperCase(), found.message.slice(1));
    const cause = foreign ? "Another machine uses it" : "Several MACs answer";
    return { ...base, status: "conflict", cause, sentence: words };
  }
  const endpoints = endpointCounts(view.slicesOf(keyOf(service)));
  const announcers = announcersFor(service, view);
  if (endpoints.ready === 0 && announcers.length === 0) {
    const why = endpoints.total === 0 ? "it selects no pod" : `none of its ${plural(endpoints.total, "pod")} is ready`;
    const words = `It has ${address}, but ${why}: an address is announced only while a pod is ready.`;
    return { ...base, status: "no_ready_pods", cause: "No ready pods", sentence: words };
  }
  if (announcers.length === 0) return { ...base, ...notAnnounced(service, view, address) };
  const where = `${addresses.join(" and ")}${poolWords(address, view)}, announced by ${announcers.map((one) => one.node).join(", ")}`;
  if (view.facts.unreachable.has(keyOf(service))) {
    const words = `${where}, but the probe gets no answer.`;
    return { ...base, status: "not_reachable", cause: "Probe gets no answer", sentence: words };
  }
  const note = unmetWish(service, view);
  const also = note === null ? "" : ` A wish is not met: ${note.sentence}.`;
  const words = `${where}, served by ${plural(endpoints.ready, "ready pod")}.${also}`;
  return { status: "ready", cause: "", sentence: words, reason: "satisfied", refusals: note === null ? [] : [note] };
}

/** Only a few requests can be unmet while the address stays; the others never ask the allocator. */
function unmetWish(service: Service, view: View): ServiceRow["refusals"][number] | null {
  const { requestProblem, dualStack } = serviceView(service);
  if (requestProblem === null && dualStack !== "prefer") return null;
  const plan = view.plan(service);
  return plan.kind === "keep" ? plan.note : null;
}

function notExposed({ spec = {} }: Service): Finding {
  const why =
    spec.type === "ExternalName"
      ? `A DNS name for ${spec.externalName ?? "another host"}; nothing to expose.`
      : spec.clusterIP === "None"
        ? "Headless: its pods are found by DNS, inside the cluster only."
        : spec.type === "NodePort"
          ? "Reachable on a port of every node; not on an address of its own."
          : "Reachable inside the cluster only.";
  return { status: "not_exposed", cause: "", sentence: why, reason: null, refusals: [] };
}

function pending(service: Service, view: View): Finding {
  const plan = view.plan(service);
  if (plan.kind === "refuse") {
    const words = sentence("Waiting for an address: ", plan.sentence);
    const refusals = plan.refusals.map((one) => ({ ...one }));
    return { status: "pending", cause: ALLOCATION_CAUSE[plan.reason], sentence: words, reason: plan.reason, refusals };
  }
  const base = { reason: null, refusals: [] } as const;
  if (!view.facts.controllerReady) {
    const words = "Waiting for an address: the controller is not running.";
    return { ...base, status: "pending", cause: "Controller not running", sentence: words };
  }
  // What the controller alone knows (an address held back, a write that failed) is in its condition.
  const said = service.status?.conditions?.find(
    (one) => one.type === CONDITION.addressAssigned && one.status === "False",
  );
  const words =
    said?.message === undefined ? "An address is being assigned." : sentence("Waiting for an address: ", said.message);
  return { ...base, status: "in_progress", cause: "Assigning", sentence: words };
}

function notAnnounced(service: Service, view: View, address: string): Pick<Finding, "status" | "cause" | "sentence"> {
  const answer = electionFor(service, view);
  if (answer.winner !== null) {
    const words = `It has ${address}; ${answer.winner} is about to announce it.`;
    return { status: "in_progress", cause: "Announcing", sentence: words };
  }
  const pool = poolNameOf(address, view) ?? undefined;
  const clause = explainAnnounce(answer.reason, { address, ...(pool !== undefined && { pool }) });
  const words = sentence(`It has ${address}, but nobody announces it: `, clause);
  return { status: "not_announced", cause: ANNOUNCE_CAUSE[answer.reason], sentence: words };
}

/** The election as every speaker makes it, over what the dashboard knows. */
export function electionFor(service: Service, view: View): AnnounceAnswer {
  const facts = serviceView(service);
  const addresses = addressesOf(service);
  const name = addresses[0] === undefined ? null : poolNameOf(addresses[0], view);
  const pool = view.pools.find((one) => one.name === name);
  return electAnnouncer({
    service: {
      key: facts.key,
      labels: facts.labels,
      isLoadBalancer: facts.isLoadBalancer,
      addresses,
      policyLocal: facts.policyLocal,
      sharedKeyPresent: facts.sharedKeyPresent,
    },
    pool: name,
    advertisements: pool === undefined ? [] : advertisementsOf(pool, view.advertisements),
    nodes: view.nodes,
    endpoints: endpointsOf(view.slicesOf(facts.key)).map(({ node, ready, serving }) => ({
      nodeName: node,
      serving: ready || serving,
    })),
  });
}

/** As reported; where nothing reports, as elected. */
export function announcersFor(service: Service, view: View): readonly { readonly node: string }[] {
  if (view.facts.announcersKnown) return view.announcersOf(keyOf(service));
  if (addressesOf(service).length === 0) return [];
  const { winner } = electionFor(service, view);
  return winner === null ? [] : [{ node: winner }];
}

function poolWords(address: string, view: View): string {
  const pool = poolNameOf(address, view);
  return pool === null ? "" : ` from pool ${pool}`;
}

function portRow(port: ServicePort): z.infer<typeof PortRow> {
  return {
    name: port.name ?? null,
    port: port.port,
    protocol: port.protocol ?? "TCP",
    targetPort: String(port.targetPort ?? port.port),
    nodePort: port.nodePort ?? null,
  };
}

function typeOf(type: string | undefined): ServiceRow["type"] {
  return type === "NodePort" || type === "LoadBalancer" || type === "ExternalName" ? type : "ClusterIP";
}

function policyOf(policy: string | undefined): ServiceRow["externalTrafficPolicy"] {
  return policy === "Cluster" || policy === "Local" ? policy : null;
}
