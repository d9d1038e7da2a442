import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import { type Selector, selectorMatches } from "#core/selector";
import { obj } from "#sandbox/kinds/json";
import { readSelector } from "#sandbox/kinds/workload-validate";
import type { Objects } from "../port.ts";
import { controllerOf, ownerReference } from "./owners.ts";

/** The selector of a Deployment, ReplicaSet or DaemonSet. */
export function selectorOf(owner: KubeObject): Selector {
  return readSelector(obj(obj(owner).spec).selector);
}

/** Whether `child` has no controller and would be `owner`'s by its labels. */
export function isOrphanOf(owner: KubeObject, child: KubeObject): boolean {
  return (
    controllerOf(child) === undefined &&
    child.metadata.deletionTimestamp === undefined &&
    owner.metadata.deletionTimestamp === undefined &&
    child.metadata.namespace === owner.metadata.namespace &&
    selectorMatches(selectorOf(owner), child.metadata.labels)
  );
}

/** Whether `child` is `owner`'s and still has the labels for it; one that is going away stays its. */
export function isClaimedBy(owner: KubeObject, child: KubeObject): boolean {
  if (controllerOf(child)?.uid !== owner.metadata.uid) return false;
  return child.metadata.deletionTimestamp !== undefined || selectorMatches(selectorOf(owner), child.metadata.labels);
}

/**
 * Takes in those of `children` that have no controller and match the owner's selector, and lets go of its own that do
 * not match any more (`kubectl label pod … app=debug`), as every workload controller does. Objects that have changed
 * meanwhile are left for the next look.
 */
export async function claim<T extends KubeObject>(
  objects: Objects,
  resources: { readonly owner: ResourceRef; readonly child: ResourceRef<T> },
  owner: KubeObject,
  children: readonly T[],
): Promise<void> {
  if (owner.metadata.deletionTimestamp !== undefined) return;
  for (const child of children) {
    const { name = "", namespace, uid, resourceVersion, ownerReferences = [] } = child.metadata;
    const own = controllerOf(child)?.uid === owner.metadata.uid;
    const next = isOrphanOf(owner, child)
      ? [...ownerReferences, ownerReference(resources.owner, owner)]
      : own && !isClaimedBy(owner, child)
        ? ownerReferences.filter((one) => one.uid !== owner.metadata.uid)
        : null;
    if (next === null) continue;
    const body = { metadata: { uid, resourceVersion, ownerReferences: next.length === 0 ? null : next } };
    try {
      await objects.patch(resources.child, { name, namespace }, { kind: "merge", body });
    } catch (thrown) {
      if (!["not_found", "conflict"].includes(Fault.from(thrown).code)) throw thrown;
    }
  }
}
