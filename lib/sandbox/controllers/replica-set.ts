import type { Pod } from "#api/kubernetes/pods";
import type { ReplicaSet } from "#api/kubernetes/workloads";
import { keyOf, PODS, REPLICA_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { type Selector, selectorMatches } from "#core/selector";
import { num, obj, objects, sameJson } from "#sandbox/kinds/json";
import { claim, isClaimedBy, isOrphanOf, selectorOf } from "./claim.ts";
import { asObject, type ControllerContext, enqueueAll, removeIfThere, startLoop, timestamp } from "./context.ts";
import { controllerOf, controllerUid, ownerKeys, ownerReference } from "./owners.ts";
import { Index, Pending } from "./pending.ts";
import { byDispensability, isActive, isFinished, isReady, untilAvailable } from "./pods.ts";

const COMPONENT = "replicaset-controller";
const BURST = 500;

/** Keeps as many pods as each ReplicaSet asks for. */
export function startReplicaSets(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const sets = objects.cache(REPLICA_SETS);
  const pods = objects.cache(PODS);
  const owned = new Index(pods, controllerUid);
  const inNamespace = new Index(pods, (pod) => [pod.metadata.namespace ?? ""]);
  const pending = new Pending(pods, clock);
  // Deleted by us, still in the cache: no longer counted.
  const deleted = new Set<string>();
  // Uid of each set whose last pod could not be created, and why.
  const refused = new Map<string, string>();

  const reconcile = async (key: string) => {
    const set = sets.get(key);
    if (set === undefined) return {};
    const uid = set.metadata.uid ?? "";
    if (refused.has(uid) && set.spec?.replicas === 0) refused.delete(uid);
    const near = inNamespace.of(set.metadata.namespace ?? "").filter((pod) => !isFinished(pod));
    await claim(objects, { owner: REPLICA_SETS, child: PODS }, set, near);
    const mine = [
      ...owned.of(uid).filter((pod) => isClaimedBy(set, pod)),
      ...pending.missing((pod) => controllerOf(pod)?.uid === uid),
    ];
    const active = mine.filter((pod) => isActive(pod) && !deleted.has(pod.metadata.uid ?? ""));
    try {
      if (set.metadata.deletionTimestamp === undefined) await scale(set, active);
    } finally {
      if (refused.has(uid)) await updateStatus(context, set, active, refused.get(uid));
    }
    return updateStatus(context, set, active, undefined);
  };

  const scale = async (set: ReplicaSet, active: readonly Pod[]): Promise<void> => {
    const wanted = set.spec?.replicas ?? 1;
    const missing = Math.min(wanted - active.length, BURST);
    for (let index = 0; index < missing; index++) await createPod(set);
    if (missing >= 0) return;
    const siblings = relatedPods(set, pods.list());
    const surplus = [...active].sort(byDispensability(siblings)).slice(0, -missing);
    for (const pod of surplus) {
      await removeIfThere(objects, PODS, pod);
      deleted.add(pod.metadata.uid ?? "");
      const message = `Deleted pod: ${pod.metadata.name}`;
      events.record({ resource: REPLICA_SETS, object: set, reason: "SuccessfulDelete", message, component: COMPONENT });
    }
  };

  const createPod = async (set: ReplicaSet): Promise<void> => {
    const about = { resource: REPLICA_SETS, object: set, component: COMPONENT };
    try {
      const created = await objects.create(PODS, podOf(set));
      pending.add(created);
      refused.delete(set.metadata.uid ?? "");
      events.record({ ...about, reason: "SuccessfulCreate", message: `Created pod: ${created.metadata.name}` });
    } catch (thrown) {
      const fault = Fault.from(thrown);
      // A namespace that is going away wants no new pods: nothing to complain about.
      if (/being terminated/.test(fault.message)) return;
      const message = `Error creating: ${fault.message}`;
      events.record({ ...about, type: "Warning", reason: "FailedCreate", message });
      refused.set(set.metadata.uid ?? "", fault.message);
      throw fault.retryable ? fault : new Fault("unavailable", fault.message, { cause: fault });
    }
  };

  const loop = startLoop(context, "replicaset", reconcile, 4);
  sets.onChange((_key, now, before) => {
    if (now === undefined) refused.delete(before?.metadata.uid ?? "");
  });
  pods.onChange((_key, now, before) => {
    if (now === undefined && before !== undefined) deleted.delete(before.metadata.uid ?? "");
  });
  enqueueAll(sets, loop.queue);
  enqueueAll(pods, loop.queue, (pod) => {
    const keys = ownerKeys(pod, "ReplicaSet");
    return keys.length > 0 || controllerOf(pod) !== undefined ? keys : adopters(pod, sets.list());
  });
  return loop.done;
}

function podOf(set: ReplicaSet): Pod {
  const { name = "", namespace } = set.metadata;
  const { metadata, spec } = set.spec?.template ?? {};
  return asObject(PODS, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...(metadata?.labels !== undefined && { labels: metadata.labels }),
      ...(metadata?.annotations !== undefined && { annotations: metadata.annotations }),
      ...(metadata?.finalizers !== undefined && { finalizers: metadata.finalizers }),
      ownerReferences: [obj(ownerReference(REPLICA_SETS, set))],
    },
    spec: obj(spec),
  });
}

function adopters(pod: Pod, sets: readonly ReplicaSet[]): readonly string[] {
  return isActive(pod) ? sets.filter((set) => isOrphanOf(set, pod)).map(keyOf) : [];
}

// Pods of all ReplicaSets of the same Deployment: crowding is judged over all of them.
function relatedPods(set: ReplicaSet, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(
    (pod) =>
      isActive(pod) &&
      pod.metadata.namespace === set.metadata.namespace &&
      controllerOf(pod)?.kind === "ReplicaSet" &&
      selectorMatches(withoutHash(selectorOf(set)), pod.metadata.labels),
  );
}

function withoutHash(selector: Selector): Selector {
  const { "pod-template-hash": _hash, ...matchLabels } = selector.matchLabels ?? {};
  return { ...selector, matchLabels };
}

/** `refusal`: why the last pod could not be created; shown as condition ReplicaFailure. */
async function updateStatus(
  context: ControllerContext,
  set: ReplicaSet,
  active: readonly Pod[],
  refusal: string | undefined,
) {
  const minReady = num(obj(set.spec).minReadySeconds);
  const now = context.clock.now();
  const waits = active.map((pod) => untilAvailable(pod, minReady, now));
  const template = set.spec?.template?.metadata?.labels ?? {};
  const labelled = active.filter((pod) => selectorMatches({ matchLabels: template }, pod.metadata.labels)).length;
  const ready = active.filter(isReady).length;
  const available = waits.filter((wait) => wait === 0).length;
  const status = {
    replicas: active.length,
    ...(labelled > 0 && { fullyLabeledReplicas: labelled }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    observedGeneration: set.metadata.generation ?? 1,
  };
  const { conditions: known, ...before } = obj(set.status);
  const others = objects(known).filter((one) => one.type !== "ReplicaFailure");
  const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: refusal };
  const since = objects(known).find((one) => one.type === "ReplicaFailure")?.lastTransitionTime ?? timestamp(now);
  const conditions = refusal === undefined ? others : [...others, { ...failure, lastTransitionTime: since }];
  if (!sameJson(status, before) || !sameJson(conditions, objects(known))) {
    const next = { ...set, status: { ...status, ...(conditions.length > 0 && { conditions }) } };
    await context.objects.replace(REPLICA_SETS, asObject(REPLICA_SETS, obj(next)), { subresource: "status" });
  }
  const soonest = Math.min(...waits.filter((wait): wait is number => wait !== null && wait > 0));
  return Number.isFinite(soonest) ? { requeueAfterMs: soonest } : {};
}
