import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, LEASES, NAMESPACES, NODES, PODS, type ResourceRef, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { type Clock, sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";
import {
  HOLLOW_LABEL,
  hollowLease,
  hollowNamespace,
  hollowNode,
  hollowNodeName,
  hollowPod,
  hollowPodStatus,
  hollowService,
  LEASE_SECONDS,
} from "./objects.ts";

interface HollowSize {
  readonly nodes: number;
  readonly pods: number;
  readonly services: number;
}

/** `--seed large`: what the bars for speed and memory are measured with. */
export const LARGE: HollowSize = { nodes: 200, pods: 5_000, services: 10_000 };

const RENEW_MS = (LEASE_SECONDS * 1000) / 4;
/** Writes under way at once: enough to share commits, few enough that others get their turn. */
const AT_ONCE = 200;

interface HollowDeps {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Hollow {
  /** Resolves when everything is there; rejects with the Fault of the first object that was refused. */
  readonly seeded: Promise<void>;
  /** Stops renewing and waits for what is under way. The objects stay. */
  close(): Promise<void>;
}

/**
 * Fills the cluster with hollow nodes, pods and Services: objects only, nothing runs. Leases are kept fresh, and pods
 * that land on a hollow node are reported running (or gone, when deleted). What exists already is left as it is.
 */
export function startHollow(deps: HollowDeps, size: HollowSize): Hollow {
  const { objects, clock, log } = deps;
  const stop = new AbortController();
  const now = () => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const renewTime = () => new Date(clock.now()).toISOString().replace("Z", "000Z");

  let renewing: Promise<void> = Promise.resolve();
  const seed = async (): Promise<void> => {
    await make(NAMESPACES, 1, hollowNamespace);
    await make(LEASES, size.nodes, (index) => hollowLease(index, renewTime()));
    await make(NODES, size.nodes, (index) => hollowNode(index, now()));
    // The rest may take longer than a Lease lasts.
    renewing = renew();
    await make(PODS, size.pods, (index) => hollowPod(index, size.nodes));
    await make(SERVICES, size.services, hollowService);
    log.info("hollow cluster seeded", { ...size });
  };

  const make = async <T extends KubeObject>(ref: ResourceRef<T>, count: number, object: (index: number) => T) => {
    const known = objects.cache(ref);
    await known.whenSynced(stop.signal);
    const missing = Array.from({ length: count }, (_, index) => object(index)).filter(
      (one) => known.get(keyOf(one)) === undefined,
    );
    await inParallel(missing, (one) => objects.create(ref, one));
  };

  const inParallel = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
    for (let at = 0; at < items.length && !stop.signal.aborted; at += AT_ONCE) {
      await Promise.all(items.slice(at, at + AT_ONCE).map(work));
    }
  };

  const renew = async (): Promise<void> => {
    const names = Array.from({ length: size.nodes }, (_, index) => hollowNodeName(index));
    while (!stop.signal.aborted) {
      await sleep(clock, RENEW_MS, stop.signal).catch(() => undefined);
      const body = { spec: { renewTime: renewTime() } };
      await inParallel(names, (name) =>
        objects
          .patch(LEASES, { namespace: "kube-node-lease", name }, { kind: "merge", body })
          .catch((thrown) => log.debug("hollow lease not renewed", { name, error: Fault.from(thrown).message })),
      );
    }
  };

  const nodes = objects.cache(NODES);
  const pods = objects.cache(PODS);
  const busy = new Set<Promise<void>>();
  const report = async (pod: Pod): Promise<void> => {
    const { name = "", namespace } = pod.metadata;
    try {
      if (pod.metadata.deletionTimestamp !== undefined) {
        await objects.remove(PODS, { name, namespace }, { gracePeriodSeconds: 0, uid: pod.metadata.uid ?? "" });
      } else if (pod.status?.phase === "Pending" || pod.status?.phase === undefined) {
        const body = { status: hollowPodStatus(pod, now()) };
        await objects.patch(PODS, { name, namespace }, { kind: "merge", body, subresource: "status" });
      }
    } catch (thrown) {
      log.debug("hollow pod not reported", { name, error: Fault.from(thrown).message });
    }
  };
  const look = (pod: Pod | undefined) => {
    const node = nodes.get(pod?.spec?.nodeName ?? "");
    if (pod === undefined || node?.metadata.labels?.[HOLLOW_LABEL] !== "true" || stop.signal.aborted) return;
    const work: Promise<void> = report(pod).finally(() => busy.delete(work));
    busy.add(work);
  };
  const unsubscribe = pods.onChange((_key, pod) => look(pod));
  for (const pod of pods.list()) look(pod);

  const seeded = seed();
  return {
    seeded,
    async close() {
      stop.abort(new Fault("unavailable", "stopping"));
      unsubscribe();
      await seeded.catch(() => undefined);
      await Promise.all([renewing, ...busy]);
    },
  };
}
