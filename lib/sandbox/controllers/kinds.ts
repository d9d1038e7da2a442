import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";
import type { KindRegistry } from "#sandbox/kinds/definition";
import { obj, objects, str } from "#sandbox/kinds/json";

/** References to all built-in kinds. */
export function builtinRefs(kinds: KindRegistry): readonly ResourceRef[] {
  return kinds.all.map(({ group, version, plural, kind, namespaced }) => ({
    group,
    version,
    plural,
    kind,
    namespaced,
  }));
}

/** References to the kinds of these CustomResourceDefinitions, each in its storage version. */
export function customRefs(crds: readonly KubeObject[]): readonly ResourceRef[] {
  return crds.flatMap((crd) => {
    const spec = obj(obj(crd).spec);
    const names = obj(spec.names);
    const version = objects(spec.versions).find((one) => one.storage === true && one.served === true);
    if (version === undefined) return [];
    const namespaced = spec.scope === "Namespaced";
    return [
      {
        group: str(spec.group),
        version: str(version.name),
        plural: str(names.plural),
        kind: str(names.kind),
        namespaced,
      },
    ];
  });
}
