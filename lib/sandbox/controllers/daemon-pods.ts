import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { DaemonSet } from "#api/kubernetes/workloads";
import { DAEMON_SETS, PODS } from "#api/resources";
import type { Json } from "#sandbox/kinds/definition";
import { arr, obj, strings } from "#sandbox/kinds/json";
import { asObject } from "./context.ts";
import { ownerReference } from "./owners.ts";
import { selectsNode, tolerates } from "./placement.ts";

export const HASH_LABEL = "controller-revision-hash";
const GENERATION = "deprecated.daemonset.template.generation";

const TOLERATED: readonly (readonly [key: string, effect: string])[] = [
  ["node.kubernetes.io/not-ready", "NoExecute"],
  ["node.kubernetes.io/unreachable", "NoExecute"],
  ["node.kubernetes.io/disk-pressure", "NoSchedule"],
  ["node.kubernetes.io/memory-pressure", "NoSchedule"],
  ["node.kubernetes.io/pid-pressure", "NoSchedule"],
  ["node.kubernetes.io/unschedulable", "NoSchedule"],
];

/** What every daemon's pod tolerates besides what its template says. */
function tolerationsOf(spec: Json): Json[] {
  const network: readonly (readonly [string, string])[] =
    spec.hostNetwork === true ? [["node.kubernetes.io/network-unavailable", "NoSchedule"]] : [];
  const added = [...TOLERATED, ...network].map(([key, effect]) => ({ key, operator: "Exists", effect }));
  const own = arr(spec.tolerations).map((one) => obj(one));
  return [...own, ...added.filter((one) => !own.some((other) => other.key === one.key && other.effect === one.effect))];
}

/** `run`: the node should have a pod; `stay`: one that is there may stay (only NoExecute drives it out). */
export function shouldRun(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = obj(set.spec?.template?.spec);
  if (!selectsNode(spec, node)) return { run: false, stay: false };
  const tolerations = tolerationsOf(spec);
  const blocking = (node.spec?.taints ?? []).filter((taint) => tolerates(tolerations, taint) === undefined);
  return {
    run: !blocking.some((taint) => taint.effect === "NoSchedule" || taint.effect === "NoExecute"),
    stay: !blocking.some((taint) => taint.effect === "NoExecute"),
  };
}

/** The pod of a DaemonSet for one node; the scheduler binds it by its affinity. */
export function daemonPod(set: DaemonSet, node: string, hash: string): Pod {
  const template = obj(set.spec?.template);
  const metadata = obj(template.metadata);
  const spec = obj(template.spec);
  const generation = strings(set.metadata.annotations)[GENERATION] ?? "1";
  const labels = { ...strings(metadata.labels), [HASH_LABEL]: hash, "pod-template-generation": generation };
  const terms = [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }];
  const affinity = obj(spec.affinity);
  const nodeAffinity = {
    ...obj(affinity.nodeAffinity),
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
  };
  return asObject(PODS, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      labels,
      ...(metadata.annotations !== undefined && { annotations: metadata.annotations }),
      ownerReferences: [obj(ownerReference(DAEMON_SETS, set))],
    },
    spec: { ...spec, affinity: { ...affinity, nodeAffinity }, tolerations: tolerationsOf(spec) },
  });
}
