import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, NODES, PODS } from "#api/resources";
import { Fault } from "#core/errors";
import { obj } from "#sandbox/kinds/json";
import { type ControllerContext, enqueueAll, removeIfThere, startLoop, timestamp } from "./context.ts";
import { type Taint, tolerates } from "./placement.ts";
import { isFinished, isTerminating } from "./pods.ts";

const COMPONENT = "taint-eviction-controller";
/** How long a pod may outlive its Node object (a node that is re-created keeps its pods). */
const ORPHAN_GRACE_MS = 40_000;

/**
 * Deletes pods from nodes whose NoExecute taints they do not tolerate, at once or when their tolerationSeconds are over,
 * and by force those whose node is no longer there.
 */
export function startEviction(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const pods = objects.cache(PODS);
  const nodes = objects.cache(NODES);
  const orphaned = new Map<string, number>();
  // Pods that go when their tolerationSeconds are over.
  const awaited = new Set<string>();

  const reconcile = async (key: string) => {
    const pod = pods.get(key);
    const nodeName = pod?.spec?.nodeName;
    if (pod === undefined || nodeName === undefined) {
      orphaned.delete(key);
      awaited.delete(key);
      return {};
    }
    const node = nodes.get(nodeName);
    if (node === undefined) return orphan(key, pod);
    orphaned.delete(key);
    if (isTerminating(pod) || isFinished(pod)) return {};
    const left = untilEviction(pod, node, clock.now());
    if (left === null) {
      if (awaited.delete(key)) {
        const message = `Cancelling deletion of Pod ${key}`;
        events.record({ resource: PODS, object: pod, reason: "TaintManagerEviction", message, component: COMPONENT });
      }
      return {};
    }
    if (left > 0) {
      awaited.add(key);
      return { requeueAfterMs: left };
    }
    awaited.delete(key);
    const message = `Marking for deletion Pod ${key}`;
    events.record({ resource: PODS, object: pod, reason: "TaintManagerEviction", message, component: COMPONENT });
    await sayWhy(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
    await removeIfThere(objects, PODS, pod);
    return {};
  };

  /** The pod tells by a condition why it goes, as `kubectl describe` shows. */
  const sayWhy = async (pod: Pod, reason: string, message: string): Promise<void> => {
    const { name = "", namespace } = pod.metadata;
    const lastTransitionTime = timestamp(clock.now());
    const conditions = [{ type: "DisruptionTarget", status: "True", reason, message, lastTransitionTime }];
    const body = { metadata: { uid: pod.metadata.uid }, status: { conditions } };
    try {
      await objects.patch(PODS, { name, namespace }, { kind: "strategic", body, subresource: "status" });
    } catch (thrown) {
      // Gone, or another one of that name: nobody to tell.
      if (!["not_found", "conflict"].includes(Fault.from(thrown).code)) throw thrown;
    }
  };

  const orphan = async (key: string, pod: Pod) => {
    const since = orphaned.get(key) ?? clock.monotonic();
    orphaned.set(key, since);
    const left = since + ORPHAN_GRACE_MS - clock.monotonic();
    if (left > 0) return { requeueAfterMs: left };
    await sayWhy(pod, "DeletionByPodGC", "PodGC: node no longer exists");
    await removeIfThere(objects, PODS, pod, { gracePeriodSeconds: 0 });
    return {};
  };

  const loop = startLoop(context, "eviction", reconcile, 2);
  enqueueAll(pods, loop.queue, (pod, key) => (pod.spec?.nodeName === undefined ? [] : [key]));
  const consider = (node: Node) => {
    for (const pod of pods.list()) if (pod.spec?.nodeName === node.metadata.name) loop.queue.add(keyOf(pod));
  };
  nodes.onChange((_key, now, before) => {
    const same = JSON.stringify(now?.spec?.taints) === JSON.stringify(before?.spec?.taints);
    if (now !== undefined && before !== undefined && same) return;
    for (const node of [now ?? before]) if (node !== undefined) consider(node);
  });
  return loop.done;
}

/** Milliseconds until the pod must go because of its node's taints; null: it may stay. Pure. */
function untilEviction(pod: Pod, node: Node, now: number): number | null {
  let soonest: number | null = null;
  for (const taint of (node.spec?.taints ?? []) as readonly Taint[]) {
    if (taint.effect !== "NoExecute") continue;
    const toleration = tolerates(obj(pod.spec).tolerations, taint);
    const seconds = toleration?.tolerationSeconds;
    if (toleration !== undefined && typeof seconds !== "number") continue;
    const added = Date.parse(typeof taint.timeAdded === "string" ? taint.timeAdded : "");
    const from = Number.isNaN(added) ? now : added;
    const left = toleration === undefined ? 0 : Math.max(0, from + Number(seconds) * 1000 - now);
    soonest = soonest === null ? left : Math.min(soonest, left);
  }
  return soonest;
}
