import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, NODES, PODS } from "#api/resources";
import { Fault } from "#core/errors";
import { obj, sameJson, str } from "#sandbox/kinds/json";
import { type ControllerContext, startLoop, timestamp } from "./context.ts";
import { controllerOf } from "./owners.ts";
import { blockingTaint, lacking, podLimit, type Requests, requestsOf, selectsNode } from "./placement.ts";
import { isFinished, isTerminating, podCondition } from "./pods.ts";

const COMPONENT = "default-scheduler";
const RETRY_MS = 5_000;
/** Nodes that arrive a moment after a pod, as when a whole cluster starts, are not worth a refusal. */
const PATIENCE_MS = 2_000;
const TOPOLOGY = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/**
 * Binds pods to nodes: among those that may run a pod, the one with the fewest pods of the same owner, then with the
 * fewest pods, then by name. One at a time, so that each decision sees the one before.
 */
export function startScheduler(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const pods = objects.cache(PODS);
  const nodes = objects.cache(NODES);
  // Bound by us, not yet seen bound in the cache.
  const assumed = new Map<string, Pod>();

  const reconcile = async (key: string) => {
    const pod = pods.get(key);
    if (pod === undefined || !wantsNode(pod) || assumed.has(pod.metadata.uid ?? "")) return {};
    const all = nodes.list();
    const placed = pods.list().map((one) => assumed.get(one.metadata.uid ?? "") ?? one);
    const verdict = chooseNode(pod, all, placed);
    const about = { resource: PODS, object: pod, component: COMPONENT };
    if (verdict.kind === "none") {
      const age = clock.now() - Date.parse(str(pod.metadata.creationTimestamp));
      if (age < PATIENCE_MS) return { requeueAfterMs: PATIENCE_MS - age };
      await refuse(pod, verdict.message);
      const before = podCondition(pod, "PodScheduled")?.message;
      if (before !== verdict.message) {
        events.record({ ...about, type: "Warning", reason: "FailedScheduling", message: verdict.message });
      }
      return { requeueAfterMs: RETRY_MS };
    }
    await bind(pod, verdict.node);
    const message = `Successfully assigned ${key} to ${verdict.node.metadata.name}`;
    events.record({ ...about, reason: "Scheduled", message });
    return {};
  };

  const bind = async (pod: Pod, node: Node): Promise<void> => {
    const { uid = "", name = "", namespace } = pod.metadata;
    const nodeName = node.metadata.name ?? "";
    assumed.set(uid, { ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName } });
    try {
      await setScheduled(pod, { status: "True" });
      const labels = Object.fromEntries(
        TOPOLOGY.flatMap((label) => {
          const value = node.metadata.labels?.[label];
          return value === undefined ? [] : [[label, value]];
        }),
      );
      const body = { metadata: { uid, labels }, spec: { nodeName } };
      await objects.patch(PODS, { name, namespace }, { kind: "merge", body });
    } catch (thrown) {
      assumed.delete(uid);
      if (Fault.from(thrown).code !== "not_found") throw thrown;
    }
  };

  const refuse = (pod: Pod, message: string) =>
    setScheduled(pod, { status: "False", reason: "Unschedulable", message });

  const setScheduled = async (pod: Pod, condition: object): Promise<void> => {
    const { name = "", namespace } = pod.metadata;
    const {
      lastTransitionTime,
      lastProbeTime: _probe,
      observedGeneration: _generation,
      ...known
    } = obj(podCondition(pod, "PodScheduled"));
    const next = { type: "PodScheduled", ...condition };
    if (lastTransitionTime !== undefined && sameJson(known, next)) return;
    const conditions = [{ lastTransitionTime: timestamp(clock.now()), ...next }];
    const body = { status: { conditions } };
    await objects.patch(PODS, { name, namespace }, { kind: "strategic", body, subresource: "status" });
  };

  const loop = startLoop(context, "scheduler", reconcile);
  const consider = (pod: Pod | undefined, key: string) => {
    if (pod !== undefined && wantsNode(pod)) loop.queue.add(key);
  };
  pods.onChange((key, now, before) => {
    const uid = (now ?? before)?.metadata.uid ?? "";
    if (now === undefined || now.spec?.nodeName !== undefined) assumed.delete(uid);
    consider(now, key);
  });
  for (const pod of pods.list()) consider(pod, keyOf(pod));
  nodes.onChange((_key, now, before) => {
    if (now !== undefined && before !== undefined && sameJson(now.spec, before.spec)) return;
    for (const pod of pods.list()) consider(pod, keyOf(pod));
  });
  return loop.done;
}

function wantsNode(pod: Pod): boolean {
  const named = obj(pod.spec).schedulerName;
  const ours = named === undefined || named === COMPONENT;
  return ours && pod.spec?.nodeName === undefined && !isTerminating(pod) && !isFinished(pod);
}

type Placement =
  | { readonly kind: "node"; readonly node: Node }
  /** `message` in the real scheduler's words: how many nodes were refused for what. */
  | { readonly kind: "none"; readonly message: string };

/** Where a pod should run; `placed` are all pods, bound ones with their nodeName. Pure. */
function chooseNode(pod: Pod, nodes: readonly Node[], placed: readonly Pod[]): Placement {
  const owner = controllerOf(pod)?.uid;
  const [total, own] = [new Map<string, number>(), new Map<string, number>()];
  for (const one of placed) {
    const node = one.spec?.nodeName;
    if (node === undefined || isFinished(one)) continue;
    total.set(node, (total.get(node) ?? 0) + 1);
    // What is going away needs no balance.
    const sibling = owner !== undefined && controllerOf(one)?.uid === owner && !isTerminating(one);
    if (sibling) own.set(node, (own.get(node) ?? 0) + 1);
  }
  const reasons = new Map<string, number>();
  const wanted = requestsOf(pod);
  const used = wanted.cpu + wanted.memory > 0 ? requestsPerNode(placed) : new Map<string, Requests>();
  let full = 0;
  const fitting = nodes.filter((node) => {
    const name = node.metadata.name ?? "";
    const reason = refusal(pod, node);
    const crowded = (total.get(name) ?? 0) >= podLimit(node) ? ["Too many pods"] : [];
    const short = reason === null ? [...crowded, ...lacking(wanted, used.get(name) ?? NOTHING, node)] : [];
    if (short.length > 0) full += 1;
    for (const one of reason === null ? short : [reason]) reasons.set(one, (reasons.get(one) ?? 0) + 1);
    return reason === null && short.length === 0;
  });
  const rank = (node: Node) => {
    const name = node.metadata.name ?? "";
    return [own.get(name) ?? 0, total.get(name) ?? 0] as const;
  };
  const [best] = fitting.sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left[0] - right[0] || left[1] - right[1] || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
  });
  return best === undefined
    ? { kind: "none", message: explain(nodes.length, reasons, full) }
    : { kind: "node", node: best };
}

const NOTHING: Requests = { cpu: 0, memory: 0 };

function requestsPerNode(placed: readonly Pod[]): ReadonlyMap<string, Requests> {
  const sums = new Map<string, Requests>();
  for (const one of placed) {
    const node = one.spec?.nodeName;
    if (node === undefined || isFinished(one)) continue;
    const [sum, own] = [sums.get(node) ?? NOTHING, requestsOf(one)];
    sums.set(node, { cpu: sum.cpu + own.cpu, memory: sum.memory + own.memory });
  }
  return sums;
}

function refusal(pod: Pod, node: Node): string | null {
  const spec = obj(pod.spec);
  const taint = blockingTaint(spec.tolerations, node);
  const cordoned = node.spec?.unschedulable === true && !toleratesCordon(pod);
  if (cordoned) return "node(s) were unschedulable";
  if (taint !== undefined) return `node(s) had untolerated taint(s) {${taint.key}: ${taint.value ?? ""}}`;
  return selectsNode(spec, node) ? null : "node(s) didn't match Pod's node affinity/selector";
}

function toleratesCordon(pod: Pod): boolean {
  const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
  return blockingTaint(obj(pod.spec).tolerations, { metadata: {}, spec: { taints: [taint] } }) === undefined;
}

/** `full`: nodes that would do if they had room, which removing other pods could give them. */
function explain(total: number, reasons: ReadonlyMap<string, number>, full: number): string {
  if (total === 0) return "no nodes available to schedule pods";
  const list = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  const hopes = [
    ...(full > 0 ? [`${full} No preemption victims found for incoming pod`] : []),
    ...(total > full ? [`${total - full} Preemption is not helpful for scheduling`] : []),
  ];
  const preemption = `preemption: 0/${total} nodes are available: ${hopes.sort().join(", ")}.`;
  return `0/${total} nodes are available: ${list.join(", ")}. ${preemption}`;
}
