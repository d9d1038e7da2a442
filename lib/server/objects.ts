import type { KubeObject } from "#api/kubernetes/objects";
import * as resources from "#api/resources";
import { apiVersionOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ObjectName } from "#kube/port";

/** Where an object of a manifest lives; throws `invalid` for a kind this program does not ship. */
function resourceOf(object: KubeObject): ResourceRef {
  for (const one of Object.values(resources)) {
    if (typeof one !== "object" || !("plural" in one)) continue;
    if (one.kind === object.kind && apiVersionOf(one) === object.apiVersion) return one;
  }
  throw new Fault("invalid", `kind ${object.kind} of ${object.apiVersion} is not known here`);
}

export function nameOf(object: KubeObject): ObjectName {
  const { name = "", namespace } = object.metadata;
  return namespace === undefined ? { name } : { name, namespace };
}

/** "ServiceAccount controller": how steps name an object. */
export function titleOf(object: KubeObject): string {
  return `${object.kind ?? "Object"} ${object.metadata.name ?? ""}`;
}

/** Creates the object, or merges it into the one that is there. Says what happened, as `kubectl apply` does. */
export async function apply(
  cluster: Cluster,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<"created" | "configured" | "unchanged"> {
  const resource = resourceOf(object);
  const stop = signal === undefined ? {} : { signal };
  try {
    await cluster.create(resource, object, stop);
    return "created";
  } catch (thrown) {
    if (Fault.from(thrown).code !== "already_exists") throw thrown;
  }
  const before = await cluster.get(resource, nameOf(object), signal);
  const after = await cluster.patch(resource, nameOf(object), { kind: "merge", body: object, ...stop });
  return before.metadata.resourceVersion === after.metadata.resourceVersion ? "unchanged" : "configured";
}

/** Deletes the object with what it owns; "not there" is as good as deleted. */
export async function remove(
  cluster: Cluster,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<"deleted" | "not there"> {
  try {
    const stop = signal === undefined ? {} : { signal };
    await cluster.remove(resourceOf(object), nameOf(object), { propagation: "Background", ...stop });
    return "deleted";
  } catch (thrown) {
    if (Fault.from(thrown).code === "not_found") return "not there";
    throw thrown;
  }
}

/** Null instead of `not_found`. */
export async function find<T extends KubeObject>(
  cluster: Cluster,
  resource: ResourceRef<T>,
  name: ObjectName,
  signal?: AbortSignal,
): Promise<T | null> {
  try {
    return await cluster.get(resource, name, signal);
  } catch (thrown) {
    if (Fault.from(thrown).code === "not_found") return null;
    throw thrown;
  }
}
