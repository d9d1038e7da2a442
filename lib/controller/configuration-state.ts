import { configurationStatus } from "#api/configuration-state";
import type { OwnerReference } from "#api/kubernetes/objects";
import type { ConfigurationState } from "#api/metallb";
import { LABEL } from "#api/names";
import { apiVersionOf, CONFIGURATION_STATES, PODS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Finding } from "#core/findings";
import type { Cluster, ObjectCache } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Reconcile } from "#runtime/loop";
import { timestamp } from "./events.ts";
import { Latest } from "./latest.ts";

const NAME = "controller";

/**
 * Keeps ConfigurationState `controller` (metallb.md 1.7): created when absent,
 * also after somebody deleted it; owned by this pod, so that it goes with it; written only on change.
 */
export function configurationStateReconciler(deps: {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly states: ObjectCache<ConfigurationState>;
  readonly namespace: string;
  readonly podName: string;
  readonly findings: () => readonly Finding[];
}): Reconcile {
  const { cluster, clock, states, namespace, podName, findings } = deps;
  const latest = new Latest(states);
  const at = { name: NAME, namespace };
  const key = `${namespace}/${NAME}`;
  let ownerReferences: readonly OwnerReference[] = [];

  return async (_key, signal) => {
    if (ownerReferences.length === 0) ownerReferences = await podOwner(cluster, { name: podName, namespace }, signal);
    let state = latest.get(key) ?? (await read(cluster, at, signal));
    if (state === null) {
      state = await cluster.create(CONFIGURATION_STATES, blank(at, ownerReferences), { signal });
      latest.put(key, state);
    } else if (ownerReferences.length > 0 && state.metadata.ownerReferences?.[0]?.uid !== ownerReferences[0]?.uid) {
      const body = { metadata: { resourceVersion: state.metadata.resourceVersion, ownerReferences } };
      state = await cluster.patch(CONFIGURATION_STATES, at, { kind: "merge", body, signal });
      latest.put(key, state);
    }
    const status = configurationStatus("poolReconcilerValid", findings(), {
      current: state.status,
      now: timestamp(clock),
    });
    if (status === null) return {};
    const body = { metadata: { resourceVersion: state.metadata.resourceVersion }, status };
    latest.put(
      key,
      await cluster.patch(CONFIGURATION_STATES, at, { kind: "merge", subresource: "status", body, signal }),
    );
    return {};
  };
}

function blank(
  at: { name: string; namespace: string },
  ownerReferences: readonly OwnerReference[],
): ConfigurationState {
  return {
    apiVersion: apiVersionOf(CONFIGURATION_STATES),
    kind: CONFIGURATION_STATES.kind,
    metadata: {
      ...at,
      labels: { [LABEL.componentType]: "controller" },
      ...(ownerReferences.length > 0 && { ownerReferences: [...ownerReferences] }),
    },
  };
}

// The cache may not have seen yet what is there; asking first keeps `create` from failing in a loop.
async function read(cluster: Cluster, at: { name: string; namespace: string }, signal: AbortSignal) {
  try {
    return await cluster.get(CONFIGURATION_STATES, at, signal);
  } catch (thrown) {
    if (Fault.from(thrown).code === "not_found") return null;
    throw thrown;
  }
}

/** Empty when the pod cannot be read (running outside a cluster): the object is then nobody's. */
async function podOwner(cluster: Cluster, at: { name: string; namespace: string }, signal: AbortSignal) {
  try {
    const pod = await cluster.get(PODS, at, signal);
    return [{ apiVersion: "v1", kind: "Pod", name: at.name, uid: pod.metadata.uid ?? "" }];
  } catch {
    return [];
  }
}
