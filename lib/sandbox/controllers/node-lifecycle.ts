import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, LEASES, NODES, PODS } from "#api/resources";
import type { Json } from "#sandbox/kinds/definition";
import { objects as jsonObjects, obj, sameJson, str } from "#sandbox/kinds/json";
import { type ControllerContext, enqueueAll, startLoop, timestamp } from "./context.ts";
import { Index } from "./pending.ts";
import { isReady } from "./pods.ts";

const COMPONENT = "node-controller";
const LEASE_NAMESPACE = "kube-node-lease";
const TICK_MS = 250;
const HEARTBEATS = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

/**
 * Declares a node unreachable whose Lease has not been renewed for `graceMs`: conditions Unknown, taints, and its pods
 * not ready at once, so that no traffic is sent to them. Staleness is counted by this process's own clock from the last
 * change it saw, so that a restart of everything does not look like the death of every node.
 */
export function startNodeLifecycle(context: ControllerContext, graceMs: number): Promise<void> {
  const { objects, clock, events } = context;
  const nodes = objects.cache(NODES);
  const leases = objects.cache(LEASES, { namespace: LEASE_NAMESPACE });
  const pods = objects.cache(PODS);
  const onNode = new Index(pods, (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]));
  const registered = new Map<string, Node>();
  const renewed = new Map<string, { readonly time: string; readonly at: number }>();

  const reconcile = async (name: string) => {
    const node = nodes.get(name);
    if (node === undefined) {
      renewed.delete(name);
      const gone = registered.get(name);
      if (gone !== undefined) note(gone, "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
      registered.delete(name);
      return {};
    }
    if (!registered.has(name))
      note(node, "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
    registered.set(name, node);
    const left = graceOf(name) - silence(name);
    if (left <= 0) await declareUnknown(node);
    const current = nodes.get(name) ?? node;
    await keepTaints(current);
    if (readiness(current) !== "True") await markPods(current);
    return left > 0 ? { requeueAfterMs: Math.max(20, left) } : {};
  };

  const note = (node: Node, reason: string, message: string) =>
    events.record({ resource: NODES, object: node, reason, message, component: COMPONENT });

  /** A Lease that says it lasts longer is believed (hollow nodes renew seldom). */
  const graceOf = (name: string): number => {
    const seconds = obj(leases.get(`${LEASE_NAMESPACE}/${name}`)?.spec).leaseDurationSeconds;
    return typeof seconds === "number" ? Math.max(graceMs, seconds * 1000) : graceMs;
  };

  /** Milliseconds since the node's Lease, or before it has one its own heartbeat, was seen to change. */
  const silence = (name: string): number => {
    const lease = leases.get(`${LEASE_NAMESPACE}/${name}`);
    const heartbeat = nodes.get(name)?.status?.conditions?.find((condition) => condition.type === "Ready");
    const time = str(obj(lease?.spec).renewTime) || str(obj(heartbeat).lastHeartbeatTime);
    const now = clock.monotonic();
    const known = renewed.get(name);
    if (known?.time === time) return now - known.at;
    renewed.set(name, { time, at: now });
    return 0;
  };

  const declareUnknown = async (node: Node): Promise<void> => {
    const known = jsonObjects(obj(node.status).conditions);
    const now = timestamp(clock.now());
    const next = HEARTBEATS.map((type): Json => {
      const before = known.find((condition) => condition.type === type);
      const never = before === undefined;
      return {
        ...before,
        type,
        status: "Unknown",
        reason: never ? "NodeStatusNeverUpdated" : "NodeStatusUnknown",
        message: never ? "Kubelet never posted node status." : "Kubelet stopped posting node status.",
        lastHeartbeatTime: str(before?.lastHeartbeatTime) || now,
        lastTransitionTime: before?.status === "Unknown" ? str(before.lastTransitionTime) || now : now,
      };
    });
    if (next.every((one) => known.some((before) => before.type === one.type && before.status === "Unknown"))) return;
    const wasReady = readiness(node) === "True";
    const conditions = [...next, ...known.filter((condition) => !HEARTBEATS.includes(str(condition.type)))];
    const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, status: { conditions } };
    await objects.patch(NODES, { name: node.metadata.name ?? "" }, { kind: "merge", body, subresource: "status" });
    if (!wasReady) return;
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
    note(node, "NodeNotReady", message);
  };

  /** The taints that follow from conditions and from cordoning; others are left alone. */
  const keepTaints = async (node: Node): Promise<void> => {
    const taints = jsonObjects(obj(node.spec).taints);
    const wanted = wantedTaints(node);
    const ours = (taint: Json) => OURS.includes(str(taint.key));
    const kept = taints.filter((taint) => !ours(taint) || wanted.some((one) => sameTaint(one, taint)));
    const missing = wanted.filter((one) => !taints.some((taint) => sameTaint(one, taint)));
    const timeAdded = timestamp(clock.now());
    const next = [...kept, ...missing.map((taint) => (taint.effect === "NoExecute" ? { ...taint, timeAdded } : taint))];
    if (missing.length === 0 && kept.length === taints.length) return;
    const body = {
      metadata: { resourceVersion: node.metadata.resourceVersion },
      spec: { taints: next.length === 0 ? null : next },
    };
    await objects.patch(NODES, { name: node.metadata.name ?? "" }, { kind: "merge", body });
  };

  const markPods = async (node: Node): Promise<void> => {
    for (const pod of onNode.of(node.metadata.name ?? "")) {
      if (!isReady(pod)) continue;
      const { name = "", namespace } = pod.metadata;
      const conditions = [{ type: "Ready", status: "False", lastTransitionTime: timestamp(clock.now()) }];
      await objects.patch(
        PODS,
        { name, namespace },
        { kind: "strategic", body: { status: { conditions } }, subresource: "status" },
      );
      const about = { resource: PODS, object: pod, component: COMPONENT };
      events.record({ ...about, type: "Warning", reason: "NodeNotReady", message: "Node is not ready" });
    }
  };

  // When this process itself was held up, renewals wait unread in its sockets: that time is nobody's silence.
  let last = clock.monotonic();
  const tick = () => {
    const lag = clock.monotonic() - last - TICK_MS;
    last = clock.monotonic();
    if (lag > TICK_MS) for (const [name, { time, at }] of renewed) renewed.set(name, { time, at: at + lag });
    if (!context.signal.aborted) cancelTick = clock.schedule(TICK_MS, tick);
  };
  let cancelTick = clock.schedule(TICK_MS, tick);
  context.signal.addEventListener("abort", () => cancelTick(), { once: true });

  const loop = startLoop(context, "node-lifecycle", reconcile, 2);
  enqueueAll(nodes, loop.queue);
  enqueueAll(leases, loop.queue, (lease) => [lease.metadata.name ?? ""]);
  pods.onChange((_key, now: Pod | undefined) => {
    const name = now?.spec?.nodeName;
    // A pod that turns ready on a node given up for lost.
    if (now !== undefined && name !== undefined && isReady(now)) {
      const node = nodes.get(name);
      if (node !== undefined && readiness(node) !== "True") loop.queue.add(keyOf(node));
    }
  });
  return loop.done;
}

const UNREACHABLE = "node.kubernetes.io/unreachable";
const NOT_READY = "node.kubernetes.io/not-ready";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
const OURS = [UNREACHABLE, NOT_READY, UNSCHEDULABLE];

/** A node that has not reported yet is not ready, but nobody has lost it. */
function readiness(node: Node): string {
  return node.status?.conditions?.find((condition) => condition.type === "Ready")?.status ?? "False";
}

function wantedTaints(node: Node): readonly Json[] {
  const ready = readiness(node);
  const key = ready === "True" ? null : ready === "False" ? NOT_READY : UNREACHABLE;
  return [
    ...(node.spec?.unschedulable === true ? [{ key: UNSCHEDULABLE, effect: "NoSchedule" }] : []),
    ...(key === null
      ? []
      : [
          { key, effect: "NoSchedule" },
          { key, effect: "NoExecute" },
        ]),
  ];
}

const sameTaint = (a: Json, b: Json) => sameJson([a.key, a.effect], [b.key, b.effect]);
