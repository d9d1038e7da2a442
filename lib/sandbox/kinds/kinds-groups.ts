import { forbidden, invalid } from "./causes.ts";
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
import { NOT_NEGATIVE } from "./container-validate.ts";
import type { Cause, Json, KindDefinition } from "./definition.ts";
import { defaultSlice, validateSlice } from "./endpoint-slice-validate.ts";
import { at, metaOf, num, obj, str } from "./json.ts";
import { kind } from "./kind.ts";
import { checkSubdomain } from "./names.ts";
import {
  defaultBinding,
  validateBinding,
  validateClusterBinding,
  validateClusterRole,
  validateRole,
} from "./rbac-validate.ts";
import { defaultWebhooks, refuseMutating, validateWebhooks } from "./webhook-config.ts";
import {
  admitDaemonSet,
  defaultDaemonSet,
  defaultDeployment,
  defaultReplicaSet,
  defaultStatefulSet,
} from "./workload-defaults.ts";
import { checkAmount, checkLabelSelector, validateWorkload } from "./workload-validate.ts";

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
    validate: refuseStatefulSet,
  }),
  kind("apps", "v1", "ControllerRevision", "controllerrevisions", { columns: CONTROLLER_REVISION_COLUMNS }),
];

// Served so that `kubectl get all` works; nothing would ever start its pods, which is better said at once.
function refuseStatefulSet(set: Json, old: Json | undefined): readonly Cause[] {
  const why = "the Berth sandbox does not run StatefulSets: use a Deployment here, or a real cluster";
  return old === undefined ? [forbidden("spec", why)] : validateWorkload(set, old);
}

function validateLease(lease: Json): readonly Cause[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = obj(lease.spec);
  return [
    ...checkSubdomain("metadata.name", str(metaOf(lease).name)),
    ...(duration !== undefined && num(duration) <= 0
      ? [invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")]
      : []),
    ...(num(transitions) < 0 ? [invalid("spec.leaseTransitions", transitions, NOT_NEGATIVE)] : []),
  ];
}

function validateBudget(budget: Json): readonly Cause[] {
  const { minAvailable, maxUnavailable } = obj(budget.spec);
  const both = minAvailable !== undefined && maxUnavailable !== undefined;
  return [
    ...checkSubdomain("metadata.name", str(metaOf(budget).name)),
    ...(both ? [invalid("spec", obj(budget.spec), "minAvailable and maxUnavailable cannot be both set")] : []),
    ...checkAmount("spec.minAvailable", minAvailable),
    ...checkAmount("spec.maxUnavailable", maxUnavailable),
    ...checkLabelSelector("spec.selector", obj(at(budget, "spec", "selector"))),
  ];
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
    validate: validateClusterRole,
  }),
  kind("rbac", "v1", "ClusterRoleBinding", "clusterrolebindings", {
    namespaced: false,
    columns: BINDING_COLUMNS,
    defaults: defaultBinding,
    validate: validateClusterBinding,
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
    validate: validateLease,
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
    validate: validateBudget,
  }),
  kind("admissionregistration", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", {
    namespaced: false,
    categories: ["api-extensions"],
    hasGeneration: true,
    columns: WEBHOOK_COLUMNS,
    defaults: defaultWebhooks,
    validate: validateWebhooks,
  }),
  kind("admissionregistration", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", {
    namespaced: false,
    categories: ["api-extensions"],
    hasGeneration: true,
    columns: WEBHOOK_COLUMNS,
    validate: refuseMutating,
  }),
];
