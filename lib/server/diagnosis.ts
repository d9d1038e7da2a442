import type { Diagnosis } from "#api/dashboard/diagnosis";
import type { Service } from "#api/kubernetes/services";
import { keyOf } from "#api/resources";
import { advertisementsOf } from "#core/election";
import { explainAnnounce } from "#core/explain";
import { serviceView } from "#core/service-view";
import type { WireFinding } from "#core/who-has";
import { addressesOf } from "./objects-to-facts.ts";
import { poolNameOf } from "./pool-of.ts";
import { announceReasons } from "./rows/announce-reasons.ts";
import { endpointsOf } from "./rows/endpoints.ts";
import { announcersFor, electionFor, findingOf } from "./rows/services.ts";
import { plural } from "./rows/words.ts";
import type { View } from "./view.ts";

type Check = Diagnosis["checks"][number];
type State = Check["state"];

/** Works through why a Service is, or is not, reachable: every node, every pool, and the checklist of ux.md flow E. */
export function diagnose(service: Service, view: View): Diagnosis {
  const finding = findingOf(service, view);
  const { nodes, order } = announceReasons(service, view);
  const checks = checklist(service, view);
  return {
    service: keyOf(service),
    sentence: finding.sentence,
    refusals: [...finding.refusals],
    nodes,
    order,
    endpoints: endpointsOf(view.slicesOf(keyOf(service))).map((one) => ({ ...one })),
    checks,
    text: asText(keyOf(service), finding.sentence, checks, nodes),
  };
}

/** Top to bottom; what comes after the first failure is skipped, because it cannot be judged. */
function checklist(service: Service, view: View): Check[] {
  const list: Check[] = [];
  let stopped = false;
  const add = (id: string, title: string, state: State, evidence: string, fix: string | null = null) => {
    list.push(
      stopped
        ? { id, title, state: "skipped", evidence: "An earlier check stopped here.", fix: null }
        : { id, title, state, evidence, fix: state === "passed" ? null : fix },
    );
    if (state === "failed") stopped = true;
  };
  const { spec = {} } = service;
  const facts = serviceView(service);
  const plan = view.plan(service);
  const isOurs = facts.isLoadBalancer && plan.kind !== "ignore";
  const oursEvidence = facts.isLoadBalancer
    ? spec.loadBalancerClass === undefined
      ? "type LoadBalancer, no class"
      : `loadBalancerClass ${spec.loadBalancerClass}`
    : `type ${spec.type ?? "ClusterIP"}`;
  add("ours", "It is a LoadBalancer of ours", isOurs ? "passed" : "failed", oursEvidence, "Expose it.");
  const running = view.facts.controllerReady;
  add(
    "controller",
    "The controller runs",
    running ? "passed" : "warning",
    running ? "a controller pod is ready" : "no controller pod is ready",
    "Look at Health.",
  );

  const addresses = addressesOf(service);
  const has = addresses.length > 0;
  const assigned = has
    ? `status has ${addresses.join(", ")}`
    : plan.kind === "refuse"
      ? plan.sentence
      : "not assigned yet";
  const assignFix = plan.kind === "refuse" ? fixFor(plan.reason) : "Wait a moment.";
  add(
    "address",
    "It has an address",
    has ? "passed" : plan.kind === "refuse" || !running ? "failed" : "warning",
    assigned,
    assignFix,
  );

  const endpoints = endpointsOf(view.slicesOf(keyOf(service)));
  const ready = endpoints.filter((one) => one.ready).length;
  add(
    "endpoints",
    "A pod is ready",
    ready > 0 ? "passed" : "failed",
    `${ready} of ${plural(endpoints.length, "pod")} ready`,
    "Look at the workload: its pods must run and pass their readiness probes.",
  );

  const poolName = addresses[0] === undefined ? null : poolNameOf(addresses[0], view);
  const pool = view.pools.find((one) => one.name === poolName);
  const ads = pool === undefined ? [] : advertisementsOf(pool, view.advertisements);
  add(
    "advertisement",
    "Its pool is advertised",
    ads.length > 0 ? "passed" : "failed",
    ads.length > 0
      ? `pool ${poolName}: ${ads.map((ad) => ad.name).join(", ")}`
      : `no advertisement covers pool ${poolName ?? "of the address"}`,
    `Create an advertisement for pool ${poolName ?? ""}.`,
  );

  const election = electionFor(service, view);
  add(
    "candidate",
    "A node may announce it",
    election.winner === null ? "failed" : "passed",
    election.winner === null
      ? explainAnnounce(election.reason)
      : `${plural(election.order.length, "candidate")}: ${election.order.join(", ")}`,
    "See the reason at each node below.",
  );

  const announcers = announcersFor(service, view);
  add(
    "announced",
    "A node announces it",
    announcers.length > 0 ? "passed" : "warning",
    announcers.length > 0 ? announcers.map((one) => one.node).join(", ") : "no speaker reports it yet",
    "Look at the speakers under Health.",
  );

  const macs = addresses.flatMap((one) => view.conflicts.get(one) ?? []);
  const found = addresses.flatMap((one) => view.wire.get(one) ?? []);
  const seen = macs.length > 0 ? `${macs.join(", ")} answer` : "no second MAC was seen";
  add(
    "one-mac",
    "One machine answers for it",
    macs.length > 0 ? "failed" : found.length > 0 ? "warning" : "passed",
    found.length > 0 ? found.map(({ message }) => message).join("; ") : seen,
    fixOnWire(found[0]?.kind),
  );

  const dead = view.facts.unreachable.has(keyOf(service));
  add(
    "reachable",
    "It answers",
    dead ? "failed" : "unknown",
    dead ? "the running probe gets no answer" : "start a probe to find out",
    "Start a probe under Traffic.",
  );
  return list;
}

function fixOnWire(kind: WireFinding | undefined): string {
  switch (kind) {
    case "conflict":
      return "Give that machine another address, or ask for another address for the Service.";
    case "proxy_arp":
      return "Switch proxy ARP off on that machine, unless it is meant.";
    default:
      return "Run the preflight checks under Health.";
  }
}

function fixFor(reason: string): string {
  switch (reason) {
    case "no_pool":
      return "Create a pool.";
    case "pool_not_found":
      return "Create that pool, or correct the annotation metallb.io/address-pool.";
    case "exhausted":
      return "Add a range to the pool, or give addresses back.";
    case "auto_assign_off":
      return "Name the pool in the annotation metallb.io/address-pool, or switch automatic assignment on.";
    case "held":
      return "Ask for another address, or for none; or delete the AddressHold.";
    case "outside_pools":
    case "already_assigned":
      return "Ask for another address, or for none.";
    default:
      return "Change the Service or the pool as the sentence says.";
  }
}

const MARK: Record<State, string> = {
  passed: "ok  ",
  warning: "warn",
  failed: "FAIL",
  unknown: "?   ",
  skipped: "-   ",
};

function asText(key: string, sentence: string, checks: readonly Check[], nodes: Diagnosis["nodes"]): string {
  const lines = checks.map((check) => `[${MARK[check.state]}] ${check.title}: ${check.evidence}`);
  return [
    `Service ${key}: ${sentence}`,
    "",
    ...lines,
    "",
    ...nodes.map((node) => `${node.node}: ${node.sentence}`),
  ].join("\n");
}
