import type { KubeObject, OwnerReference } from "#api/kubernetes/objects";
import { apiVersionOf, type ResourceRef } from "#api/resources";

/** The reference of `object` to the controller that manages it. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Uids for an Index by managing controller. */
export function controllerUid(object: KubeObject): readonly string[] {
  const uid = controllerOf(object)?.uid;
  return uid === undefined ? [] : [uid];
}

/** The reference a controller puts on what it creates. */
export function ownerReference(resource: ResourceRef, owner: KubeObject): OwnerReference {
  const { name = "", uid = "" } = owner.metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Key of the controller of this kind that manages `object`. */
export function ownerKeys(object: KubeObject, kind: string): readonly string[] {
  const owner = controllerOf(object);
  if (owner?.kind !== kind) return [];
  const { namespace } = object.metadata;
  return [namespace === undefined ? owner.name : `${namespace}/${owner.name}`];
}
