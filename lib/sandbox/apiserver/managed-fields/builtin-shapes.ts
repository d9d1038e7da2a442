import { definitionOf, type FieldType } from "#sandbox/kinds/schema/definitions";
import { ATOM, type ListShape, type MapShape, NOTHING, type Shape } from "./shape.ts";

/** Types that are owned as one (`x-kubernetes-map-type: atomic`). */
const ATOMIC_TYPES: ReadonlySet<string> = new Set([
  "meta/LabelSelector",
  "meta/OwnerReference",
  "core/ConfigMapKeySelector",
  "core/FileKeySelector",
  "core/LocalObjectReference",
  "core/NodeSelector",
  "core/NodeSelectorTerm",
  "core/ObjectFieldSelector",
  "core/ObjectReference",
  "core/ResourceFieldSelector",
  "core/SecretKeySelector",
  "rbac/RoleRef",
  "rbac/Subject",
]);

/** Maps that are owned as one. */
const ATOMIC_MAPS: ReadonlySet<string> = new Set(["core/PodSpec.nodeSelector", "core/ServiceSpec.selector"]);

const PROTOCOL = { name: "protocol", default: "TCP" };

/** Lists whose items are told apart by more than the key of a strategic merge. */
const LIST_KEYS: Readonly<Record<string, ListShape["keys"]>> = {
  "core/ServiceSpec.ports": [{ name: "port" }, PROTOCOL],
  "core/Container.ports": [{ name: "containerPort" }, PROTOCOL],
  "core/EphemeralContainer.ports": [{ name: "containerPort" }, PROTOCOL],
  "core/PodSpec.topologySpreadConstraints": [{ name: "topologyKey" }, { name: "whenUnsatisfiable" }],
  "core/ResourceRequirements.claims": [{ name: "name" }],
  "core/ContainerStatus.allocatedResourcesStatus": [{ name: "name" }],
  "core/ResourceStatus.resources": [{ name: "resourceID" }],
  "core/PodStatus.resourceClaimStatuses": [{ name: "name" }],
  "admissionregistration/ValidatingWebhook.matchConditions": [{ name: "name" }],
  "admissionregistration/MutatingWebhook.matchConditions": [{ name: "name" }],
  "apiextensions/CustomResourceDefinitionStatus.conditions": [{ name: "type" }],
  "core/NamespaceStatus.conditions": [{ name: "type" }],
};

/** Lists that a strategic merge merges and server-side apply owns as one. */
const ATOMIC_LISTS: ReadonlySet<string> = new Set(["core/PodStatus.hostIPs", "core/ServiceAccount.imagePullSecrets"]);

/** Sets that the table of fields does not say of. */
const SETS: ReadonlySet<string> = new Set(["discovery/Endpoint.addresses", "core/CSINodeDriver.topologyKeys"]);

/** Structs of the server's Go types that are there, if empty, in whatever holds them. */
const ALWAYS: ReadonlySet<string> = new Set([
  "metadata",
  "spec",
  "status",
  "template",
  "strategy",
  "updateStrategy",
  "loadBalancer",
  "nodeInfo",
  "daemonEndpoints",
  "kubeletEndpoint",
  "resources",
  "containers",
  "names",
  "involvedObject",
  "source",
  "state",
  "lastState",
]);

const shapes = new Map<string, Shape>();

/** Shape of a built-in type ("core/Service"), from its table of fields. */
export function builtinShape(id: string): Shape {
  let shape = shapes.get(id);
  if (shape === undefined) {
    shape = structShape(id);
    shapes.set(id, shape);
  }
  return shape;
}

function structShape(id: string): Shape {
  const definition = definitionOf(id);
  if (definition === undefined || ATOMIC_TYPES.has(id)) return ATOM;
  const fields = new Map<string, Shape>();
  const always = new Set([...definition.fields.keys()].filter((name) => ALWAYS.has(name)));
  const shape: MapShape = {
    kind: "map",
    entry: undefined,
    always,
    field(name) {
      const declared = definition.fields.get(name);
      let known = fields.get(name);
      if (declared !== undefined && known === undefined) {
        known = fieldShape(`${id}.${name}`, declared.type, declared.mergeKey);
        fields.set(name, known);
      }
      return known;
    },
  };
  return shape;
}

function fieldShape(path: string, type: FieldType, mergeKey: string | undefined): Shape {
  switch (type.kind) {
    case "ref":
      return builtinShape(type.id);
    case "map": {
      if (ATOMIC_MAPS.has(path)) return ATOM;
      const entry = fieldShape("", type.of, undefined);
      return { kind: "map", field: () => undefined, entry: () => entry, always: NOTHING };
    }
    case "list": {
      const named = LIST_KEYS[path] ?? (mergeKey === undefined || mergeKey === "" ? [] : [{ name: mergeKey }]);
      const set = mergeKey === "" || SETS.has(path);
      if (ATOMIC_LISTS.has(path) || (named.length === 0 && !set)) return ATOM;
      const { of } = type;
      // The item of a list by key is a struct whatever its type says of itself.
      return { kind: "list", keys: named, item: () => (of.kind === "ref" ? itemShape(of.id) : ATOM) };
    }
    case "scalar":
      return ATOM;
  }
}

// Items of these lists are of an atomic type that is taken apart there all the same.
const KEYED_ATOMS: ReadonlySet<string> = new Set([
  "meta/OwnerReference",
  "core/LocalObjectReference",
  "core/ObjectReference",
]);

function itemShape(id: string): Shape {
  return KEYED_ATOMS.has(id) ? ATOM : builtinShape(id);
}
