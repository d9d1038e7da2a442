import type { ResourceRef } from "#api/resources";

/** "/api/v1" or "/apis/<group>/<version>". */
function root({ group, version }: ResourceRef): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The path of a collection: of one namespace, or of all of them when none is given. */
export function collectionPath(resource: ResourceRef, namespace?: string): string {
  const inside = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root(resource)}${inside}/${resource.plural}`;
}

/** The path of one object, or of one of its subresources. */
export function objectPath(
  resource: ResourceRef,
  name: { readonly name: string; readonly namespace?: string | undefined },
  subresource?: string,
): string {
  const own = `${collectionPath(resource, name.namespace)}/${encodeURIComponent(name.name)}`;
  return subresource === undefined ? own : `${own}/${subresource}`;
}
