import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { DaemonSet } from "#api/kubernetes/workloads";
import { DAEMON_SETS, keyOf, NODES, PODS } from "#api/resources";
import { Fault } from "#core/errors";
import { num, obj, sameJson, str } from "#sandbox/kinds/json";
import { claim, isClaimedBy, isOrphanOf } from "./claim.ts";
import { asObject, type ControllerContext, enqueueAll, removeIfThere, startLoop } from "./context.ts";
import { daemonPod, HASH_LABEL, shouldRun } from "./daemon-pods.ts";
import { startRevisions } from "./daemon-revisions.ts";
import { resolveAmount } from "./deployment-math.ts";
import { controllerOf, controllerUid, ownerKeys } from "./owners.ts";
import { Index, Pending } from "./pending.ts";
import { targetNode } from "./placement.ts";
import { isAvailable, isFinished, isReady, isTerminating, untilAvailable } from "./pods.ts";

const COMPONENT = "daemonset-controller";

/** Keeps one pod of each DaemonSet on every node that may run it. */
export function startDaemonSets(context: ControllerContext): Promise<void> {
  const { objects, clock, events } = context;
  const sets = objects.cache(DAEMON_SETS);
  const pods = objects.cache(PODS);
  const nodes = objects.cache(NODES);
  const owned = new Index(pods, controllerUid);
  const inNamespace = new Index(pods, (pod) => [pod.metadata.namespace ?? ""]);
  const pending = new Pending(pods, clock);
  const revisions = startRevisions(context);
  const deleted = new Set<string>();

  const reconcile = async (key: string) => {
    const set = sets.get(key);
    if (set === undefined) return {};
    const uid = set.metadata.uid ?? "";
    const hash = await revisions.current(set);
    await claim(objects, { owner: DAEMON_SETS, child: PODS }, set, inNamespace.of(set.metadata.namespace ?? ""));
    const mine = [
      ...owned.of(uid).filter((pod) => isClaimedBy(set, pod)),
      ...pending.missing((pod) => controllerOf(pod)?.uid === uid),
    ];
    const live = mine.filter((pod) => !deleted.has(pod.metadata.uid ?? ""));
    const perNode = byNode(live);
    const active = set.metadata.deletionTimestamp === undefined;
    if (active) {
      await place(set, perNode, hash);
      if (strategyOf(set) === "RollingUpdate") await (hasSurge(set) ? surge : update)(set, perNode, hash);
      await revisions.forget(set, new Set(live.map((pod) => pod.metadata.labels?.[HASH_LABEL] ?? "")), hash);
    }
    return updateStatus(set, perNode, hash);
  };

  /** Creates what is missing; removes what is failed, doubled or on a node that should not run it. */
  const place = async (set: DaemonSet, perNode: ReadonlyMap<string, readonly Pod[]>, hash: string) => {
    const known = new Map(nodes.list().map((node) => [node.metadata.name ?? "", node]));
    for (const node of known.values()) {
      const here = perNode.get(node.metadata.name ?? "") ?? [];
      const living = here.filter((pod) => !isTerminating(pod));
      for (const pod of living.filter(isFinished)) await remove(set, pod);
      const good = living.filter((pod) => !isFinished(pod));
      const { run, stay } = shouldRun(set, node);
      // A terminating pod still holds its node's ports: its successor waits for it to be gone.
      if (run && here.length === 0) await create(set, node, hash);
      const keep = hasSurge(set) ? onePerTemplate(good, hash) : good.sort(oldestFirst).slice(0, 1);
      const surplus = stay ? good.filter((pod) => !keep.includes(pod)) : good;
      for (const pod of surplus) await remove(set, pod);
    }
    for (const [name, here] of perNode) {
      if (known.has(name)) continue;
      for (const pod of here.filter((one) => !isTerminating(one))) await remove(set, pod);
    }
  };

  /** With maxSurge: a pod of the new template beside the old one, which goes when the new one is available. */
  const surge = async (set: DaemonSet, perNode: ReadonlyMap<string, readonly Pod[]>, hash: string) => {
    const wanted = nodes.list().filter((node) => shouldRun(set, node).run);
    const minReady = num(obj(set.spec).minReadySeconds);
    const allowed = resolveAmount(surgeOf(set), wanted.length, "up");
    const waiting: Node[] = [];
    let surging = 0;
    for (const node of wanted) {
      const here = (perNode.get(node.metadata.name ?? "") ?? []).filter((one) => !isTerminating(one));
      const [fresh] = here.filter((pod) => pod.metadata.labels?.[HASH_LABEL] === hash);
      const [old] = here.filter((pod) => pod.metadata.labels?.[HASH_LABEL] !== hash);
      if (old === undefined) continue;
      if (fresh === undefined) waiting.push(node);
      else if (isAvailable(fresh, minReady, clock.now())) await remove(set, old);
      else surging += 1;
    }
    for (const node of waiting.slice(0, Math.max(0, allowed - surging))) await create(set, node, hash);
  };

  /** Replaces pods of an older template, as many at once as may be unavailable. */
  const update = async (set: DaemonSet, perNode: ReadonlyMap<string, readonly Pod[]>, hash: string) => {
    const wanted = nodes.list().filter((node) => shouldRun(set, node).run);
    const amount = obj(obj(obj(set.spec).updateStrategy).rollingUpdate).maxUnavailable ?? 1;
    const allowed = Math.max(1, resolveAmount(amount, wanted.length, "up"));
    const minReady = num(obj(set.spec).minReadySeconds);
    const outdated: Pod[] = [];
    let unavailable = 0;
    for (const node of wanted) {
      const [pod] = (perNode.get(node.metadata.name ?? "") ?? []).filter((one) => !isTerminating(one));
      if (pod === undefined) {
        unavailable += 1;
        continue;
      }
      const available = isAvailable(pod, minReady, clock.now());
      const current = pod.metadata.labels?.[HASH_LABEL] === hash;
      if (!available) unavailable += 1;
      // What does not work anyway is replaced first and costs nothing.
      if (!current && !available) await remove(set, pod);
      else if (!current) outdated.push(pod);
    }
    for (const pod of outdated.slice(0, Math.max(0, allowed - unavailable))) await remove(set, pod);
  };

  const create = async (set: DaemonSet, node: Node, hash: string) => {
    const about = { resource: DAEMON_SETS, object: set, component: COMPONENT };
    try {
      const created = await objects.create(PODS, daemonPod(set, node.metadata.name ?? "", hash));
      pending.add(created);
      events.record({ ...about, reason: "SuccessfulCreate", message: `Created pod: ${created.metadata.name}` });
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (/being terminated/.test(fault.message)) return;
      events.record({ ...about, type: "Warning", reason: "FailedCreate", message: `Error creating: ${fault.message}` });
      throw fault.retryable ? fault : new Fault("unavailable", fault.message, { cause: fault });
    }
  };

  const remove = async (set: DaemonSet, pod: Pod) => {
    await removeIfThere(objects, PODS, pod);
    deleted.add(pod.metadata.uid ?? "");
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.record({ resource: DAEMON_SETS, object: set, reason: "SuccessfulDelete", message, component: COMPONENT });
  };

  const updateStatus = async (set: DaemonSet, perNode: ReadonlyMap<string, readonly Pod[]>, hash: string) => {
    const minReady = num(obj(set.spec).minReadySeconds);
    const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
    let soonest = Number.POSITIVE_INFINITY;
    for (const node of nodes.list()) {
      const { run } = shouldRun(set, node);
      const here = (perNode.get(node.metadata.name ?? "") ?? []).filter((pod) => !isTerminating(pod));
      // While two run beside each other the new one is counted.
      const [pod] = [...here].sort((a, b) => newestTemplate(a, b, hash) || oldestFirst(a, b));
      if (!run) {
        if (pod !== undefined) counts.misscheduled += 1;
        continue;
      }
      counts.desired += 1;
      if (pod === undefined) continue;
      counts.current += 1;
      if (pod.metadata.labels?.[HASH_LABEL] === hash) counts.updated += 1;
      if (!isReady(pod)) continue;
      counts.ready += 1;
      const wait = untilAvailable(pod, minReady, clock.now()) ?? 0;
      if (wait === 0) counts.available += 1;
      else soonest = Math.min(soonest, wait);
    }
    const status = {
      currentNumberScheduled: counts.current,
      desiredNumberScheduled: counts.desired,
      ...(counts.available > 0 && { numberAvailable: counts.available }),
      numberMisscheduled: counts.misscheduled,
      numberReady: counts.ready,
      ...(counts.desired > counts.available && { numberUnavailable: counts.desired - counts.available }),
      observedGeneration: set.metadata.generation ?? 1,
      ...(counts.updated > 0 && { updatedNumberScheduled: counts.updated }),
    };
    if (!sameJson(status, set.status)) {
      await objects.replace(DAEMON_SETS, asObject(DAEMON_SETS, { ...obj(set), status }), { subresource: "status" });
    }
    return Number.isFinite(soonest) ? { requeueAfterMs: soonest } : {};
  };

  const loop = startLoop(context, "daemonset", reconcile, 2);
  pods.onChange((_key, now, before) => {
    if (now === undefined && before !== undefined) deleted.delete(before.metadata.uid ?? "");
  });
  enqueueAll(sets, loop.queue);
  enqueueAll(pods, loop.queue, (pod) => {
    if (controllerOf(pod) !== undefined) return ownerKeys(pod, "DaemonSet");
    return sets
      .list()
      .filter((set) => isOrphanOf(set, pod))
      .map(keyOf);
  });
  nodes.onChange((_key, now, before) => {
    if (now !== undefined && before !== undefined && samePlace(now, before)) return;
    for (const set of sets.list()) loop.queue.add(keyOf(set));
  });
  return loop.done;
}

// Heartbeats change nodes all the time; only what decides about placement matters here.
function samePlace(now: Node, before: Node): boolean {
  return sameJson(now.metadata.labels, before.metadata.labels) && sameJson(now.spec, before.spec);
}

const surgeOf = (set: DaemonSet) => obj(obj(obj(set.spec).updateStrategy).rollingUpdate).maxSurge ?? 0;
const hasSurge = (set: DaemonSet) => resolveAmount(surgeOf(set), 100, "up") > 0;

function onePerTemplate(pods: readonly Pod[], hash: string): readonly Pod[] {
  const current = (pod: Pod) => pod.metadata.labels?.[HASH_LABEL] === hash;
  const sorted = [...pods].sort(oldestFirst);
  return [sorted.find(current), sorted.find((pod) => !current(pod))].filter((pod) => pod !== undefined);
}

const strategyOf = (set: DaemonSet) => str(obj(obj(set.spec).updateStrategy).type) || "RollingUpdate";

function byNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const found = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName ?? targetNode(pod) ?? "";
    found.set(node, [...(found.get(node) ?? []), pod]);
  }
  return found;
}

function newestTemplate(a: Pod, b: Pod, hash: string): number {
  const current = (pod: Pod) => Number(pod.metadata.labels?.[HASH_LABEL] === hash);
  return current(b) - current(a);
}

// Scheduled before unscheduled, then the older one.
function oldestFirst(a: Pod, b: Pod): number {
  const bound = Number(b.spec?.nodeName !== undefined) - Number(a.spec?.nodeName !== undefined);
  return bound || (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "");
}
