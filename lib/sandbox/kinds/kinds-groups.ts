import { tryParseAddress } from "#core/address";
import { invalid, notSupported, required } from "./causes.ts";
import { BINDING_COLUMNS, CREATED_COLUMNS, LEASE_COLUMNS, WEBHOOK_COLUMNS } from "./columns/cluster.ts";
import { ENDPOINT_SLICE_COLUMNS } from "./columns/services.ts";
import {
  CONTROLLER_REVISION_COLUMNS,
  DAEMON_SET_COLUMNS,
  DEPLOYMENT_COLUMNS,
  DISRUPTION_BUDGET_COLUMNS,
  REPLICA_SET_COLUMNS,
  STATEFUL_SET_COLUMNS,
} from "./columns/workloads.ts";
import type { Cause, Json, KindDefinition } from "./definition.ts";
import { arr, fill, metaOf, obj, objects, sameJson, str } from "./json.ts";
import { kind } from "./kind.ts";
import { checkSubdomain } from "./names.ts";
import { mapped } from "./pod-defaults.ts";
import {
  admitDaemonSet,
  defaultDaemonSet,
  defaultDeployment,
  defaultReplicaSet,
  defaultStatefulSet,
} from "./workload-defaults.ts";
import { validateWorkload } from "./workload-validate.ts";

const SCALABLE = ["status", "scale"];

const APPS: readonly KindDefinition[] = [
  kind("apps", "v1", "Deployment", "deployments", {
    shortNames: ["deploy"],
    categories: ["all"],
    subresources: SCALABLE,
    hasGeneration: true,
    columns: DEPLOYMENT_COLUMNS,
    defaults: defaultDeployment,
    validate: validateWorkload,
  }),
  kind("apps", "v1", "ReplicaSet", "replicasets", {
    shortNames: ["rs"],
    categories: ["all"],
    subresources: SCALABLE,
    hasGeneration: true,
    columns: REPLICA_SET_COLUMNS,
    defaults: defaultReplicaSet,
    validate: validateWorkload,
  }),
  kind("apps", "v1", "DaemonSet", "daemonsets", {
    shortNames: ["ds"],
    categories: ["all"],
    subresources: ["status"],
    hasGeneration: true,
    columns: DAEMON_SET_COLUMNS,
    defaults: defaultDaemonSet,
    admit: admitDaemonSet,
    validate: validateWorkload,
  }),
  kind("apps", "v1", "StatefulSet", "statefulsets", {
    shortNames: ["sts"],
    categories: ["all"],
    subresources: SCALABLE,
    hasGeneration: true,
    columns: STATEFUL_SET_COLUMNS,
    defaults: defaultStatefulSet,
    validate: validateWorkload,
  }),
  kind("apps", "v1", "ControllerRevision", "controllerrevisions", { columns: CONTROLLER_REVISION_COLUMNS }),
];

function defaultSlice(slice: Json): Json {
  const defaulted = (port: Json) => fill(port, { name: "", protocol: "TCP" });
  return { ...fill(slice, { endpoints: [], ports: [] }), ...mapped(slice, "ports", defaulted) };
}

/** Special-use addresses that may not be endpoints (core/validation ValidateEndpointIP). */
function checkEndpointAddress(field: string, text: string, family: number): readonly Cause[] {
  const address = tryParseAddress(text);
  if (address === null || address.family !== family) {
    return [invalid(field, text, family === 4 ? "must be a valid IPv4 address" : "must be a valid IPv6 address")];
  }
  const { value } = address;
  const four = address.family === 4;
  const rules: readonly (readonly [boolean, string])[] = [
    [value === 0n, `may not be unspecified (${four ? "0.0.0.0" : "::"})`],
    [four ? value >> 24n === 127n : value === 1n, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    [
      four ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan,
      "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    ],
    [four && value >> 8n === 0xe00000n, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
  ];
  return rules.filter(([hit]) => hit).map(([, rule]) => invalid(field, text, rule));
}

function validateSlice(slice: Json, old: Json | undefined): readonly Cause[] {
  const type = str(slice.addressType);
  if (type === "") return [required("addressType")];
  if (!["IPv4", "IPv6", "FQDN"].includes(type)) return [notSupported("addressType", type, ["FQDN", "IPv4", "IPv6"])];
  const family = type === "IPv4" ? 4 : 6;
  const endpoints = objects(slice.endpoints).flatMap((endpoint, index) => {
    const addresses = arr(endpoint.addresses);
    const path = `endpoints[${index}].addresses`;
    if (addresses.length === 0) return [required(path, "must contain at least 1 address")];
    if (type === "FQDN") return [];
    return addresses.flatMap((text, position) => checkEndpointAddress(`${path}[${position}]`, str(text), family));
  });
  const moved = old !== undefined && old.addressType !== slice.addressType;
  return [
    ...checkSubdomain("metadata.name", str(metaOf(slice).name)),
    ...endpoints,
    ...(moved ? [invalid("addressType", type, "field is immutable")] : []),
  ];
}

function defaultBinding(binding: Json): Json {
  const group = "rbac.authorization.k8s.io";
  const subject = (one: Json) => (one.kind === "ServiceAccount" ? one : fill(one, { apiGroup: group }));
  return {
    ...binding,
    roleRef: fill(obj(binding.roleRef), { apiGroup: group }),
    ...mapped(binding, "subjects", subject),
  };
}

function validateBinding(binding: Json, old: Json | undefined): readonly Cause[] {
  const role = obj(binding.roleRef);
  const subjects = objects(binding.subjects).flatMap((subject, index) =>
    subject.kind === "ServiceAccount" && str(subject.namespace) === ""
      ? [required(`subjects[${index}].namespace`)]
      : [],
  );
  const changed = old !== undefined && !sameJson(role, obj(old.roleRef));
  return [
    ...(["Role", "ClusterRole"].includes(str(role.kind))
      ? []
      : [notSupported("roleRef.kind", str(role.kind), ["ClusterRole", "Role"])]),
    ...(str(role.name) === "" ? [required("roleRef.name")] : []),
    ...subjects,
    ...(changed ? [invalid("roleRef", role, "cannot change roleRef")] : []),
  ];
}

function validateRole(role: Json): readonly Cause[] {
  const rules = objects(role.rules).flatMap((rule, index) =>
    arr(rule.verbs).length === 0 ? [required(`rules[${index}].verbs`, "verbs must contain at least one value")] : [],
  );
  return rules;
}

const RBAC: readonly KindDefinition[] = [
  kind("rbac", "v1", "Role", "roles", { columns: CREATED_COLUMNS, validate: validateRole }),
  kind("rbac", "v1", "RoleBinding", "rolebindings", {
    columns: BINDING_COLUMNS,
    defaults: defaultBinding,
    validate: validateBinding,
  }),
  kind("rbac", "v1", "ClusterRole", "clusterroles", {
    namespaced: false,
    columns: CREATED_COLUMNS,
    validate: validateRole,
  }),
  kind("rbac", "v1", "ClusterRoleBinding", "clusterrolebindings", {
    namespaced: false,
    columns: BINDING_COLUMNS,
    defaults: defaultBinding,
    validate: validateBinding,
  }),
];

/** Every group but core. */
export const GROUP_KINDS: readonly KindDefinition[] = [
  ...APPS,
  ...RBAC,
  kind("discovery", "v1", "EndpointSlice", "endpointslices", {
    hasGeneration: true,
    columns: ENDPOINT_SLICE_COLUMNS,
    defaults: defaultSlice,
    validate: validateSlice,
  }),
  kind("coordination", "v1", "Lease", "leases", {
    columns: LEASE_COLUMNS,
    defaults: (lease) => ({ ...lease, spec: obj(lease.spec) }),
  }),
  kind("apiextensions", "v1", "CustomResourceDefinition", "customresourcedefinitions", {
    shortNames: ["crd", "crds"],
    categories: ["api-extensions"],
    namespaced: false,
    subresources: ["status"],
    hasGeneration: true,
    columns: CREATED_COLUMNS,
    // Names, versions and status of a definition are the engine's: it serves what they say.
    validate: () => [],
  }),
  kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", {
    shortNames: ["pdb"],
    subresources: ["status"],
    hasGeneration: true,
    columns: DISRUPTION_BUDGET_COLUMNS,
  }),
  kind("admissionregistration", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", {
    namespaced: false,
    categories: ["api-extensions"],
    hasGeneration: true,
    columns: WEBHOOK_COLUMNS,
  }),
];
