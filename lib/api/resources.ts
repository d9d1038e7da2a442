import type * as admission from "./admission.ts";
import type { AddressHold } from "./holds.ts";
import type { ConfigMap, CoreEvent, Lease, Namespace, Node, Secret } from "./kubernetes/cluster.ts";
import type { KubeObject } from "./kubernetes/objects.ts";
import type { Pod } from "./kubernetes/pods.ts";
import type { EndpointSlice, Service } from "./kubernetes/services.ts";
import type { DaemonSet, Deployment, ReplicaSet } from "./kubernetes/workloads.ts";
import type * as metallb from "./metallb.ts";
import type * as bgp from "./metallb-bgp.ts";

/** Where a kind lives in the API. `T` is the type of its objects; it has no run-time trace. */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly objectType?: T;
}

function ref<T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceRef<T> {
  return { group, version, plural, kind, namespaced };
}

export const SERVICES = ref<Service>("", "v1", "services", "Service");
export const NODES = ref<Node>("", "v1", "nodes", "Node", false);
export const NAMESPACES = ref<Namespace>("", "v1", "namespaces", "Namespace", false);
export const PODS = ref<Pod>("", "v1", "pods", "Pod");
export const CONFIG_MAPS = ref<ConfigMap>("", "v1", "configmaps", "ConfigMap");
export const SECRETS = ref<Secret>("", "v1", "secrets", "Secret");
export const EVENTS = ref<CoreEvent>("", "v1", "events", "Event");
export const SERVICE_ACCOUNTS = ref("", "v1", "serviceaccounts", "ServiceAccount");
export const ENDPOINTS = ref("", "v1", "endpoints", "Endpoints");
export const ENDPOINT_SLICES = ref<EndpointSlice>("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice");
export const DEPLOYMENTS = ref<Deployment>("apps", "v1", "deployments", "Deployment");
export const REPLICA_SETS = ref<ReplicaSet>("apps", "v1", "replicasets", "ReplicaSet");
export const DAEMON_SETS = ref<DaemonSet>("apps", "v1", "daemonsets", "DaemonSet");
export const CONTROLLER_REVISIONS = ref("apps", "v1", "controllerrevisions", "ControllerRevision");
export const POD_DISRUPTION_BUDGETS = ref("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget");
export const LEASES = ref<Lease>("coordination.k8s.io", "v1", "leases", "Lease");
export const CRDS = ref("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false);
export const CLUSTER_ROLES = ref("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
export const CLUSTER_ROLE_BINDINGS = ref(
  "rbac.authorization.k8s.io",
  "v1",
  "clusterrolebindings",
  "ClusterRoleBinding",
  false,
);
export const ROLES = ref("rbac.authorization.k8s.io", "v1", "roles", "Role");
export const ROLE_BINDINGS = ref("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding");
export const VALIDATING_WEBHOOK_CONFIGURATIONS = ref<admission.ValidatingWebhookConfiguration>(
  "admissionregistration.k8s.io",
  "v1",
  "validatingwebhookconfigurations",
  "ValidatingWebhookConfiguration",
  false,
);
/** Reviews are only created: the reply is the answer. */
export const TOKEN_REVIEWS = ref<admission.TokenReview>(
  "authentication.k8s.io",
  "v1",
  "tokenreviews",
  "TokenReview",
  false,
);
export const SUBJECT_ACCESS_REVIEWS = ref<admission.SubjectAccessReview>(
  "authorization.k8s.io",
  "v1",
  "subjectaccessreviews",
  "SubjectAccessReview",
  false,
);

export const IP_ADDRESS_POOLS = ref<metallb.IPAddressPool>("metallb.io", "v1beta1", "ipaddresspools", "IPAddressPool");
export const L2_ADVERTISEMENTS = ref<metallb.L2Advertisement>(
  "metallb.io",
  "v1beta1",
  "l2advertisements",
  "L2Advertisement",
);
export const SERVICE_L2_STATUSES = ref<metallb.ServiceL2Status>(
  "metallb.io",
  "v1beta1",
  "servicel2statuses",
  "ServiceL2Status",
);
export const CONFIGURATION_STATES = ref<metallb.ConfigurationState>(
  "metallb.io",
  "v1beta1",
  "configurationstates",
  "ConfigurationState",
);
export const BGP_ADVERTISEMENTS = ref<bgp.BGPAdvertisement>(
  "metallb.io",
  "v1beta1",
  "bgpadvertisements",
  "BGPAdvertisement",
);
/** v1beta1 is served too, and deprecated. */
export const BGP_PEERS = ref<bgp.BGPPeer>("metallb.io", "v1beta2", "bgppeers", "BGPPeer");
export const COMMUNITIES = ref<bgp.Community>("metallb.io", "v1beta1", "communities", "Community");
export const BFD_PROFILES = ref<bgp.BFDProfile>("metallb.io", "v1beta1", "bfdprofiles", "BFDProfile");
export const SERVICE_BGP_STATUSES = ref<bgp.ServiceBGPStatus>(
  "metallb.io",
  "v1beta1",
  "servicebgpstatuses",
  "ServiceBGPStatus",
);
/** Namespaced like upstream's kinds; lives in metallb-system, named after the node. */
export const SPEAKER_STATES = ref<metallb.SpeakerState>("berth.dev", "v1alpha1", "speakerstates", "SpeakerState");
export const ADDRESS_HOLDS = ref<AddressHold>("berth.dev", "v1alpha1", "addressholds", "AddressHold", false);

/** "apps/v1", or "v1" for the core group. */
export function apiVersionOf(resource: ResourceRef): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** "namespace/name", or "name" for cluster-scoped objects: the key of every cache and queue. */
export function keyOf(object: KubeObject): string {
  const { namespace, name = "" } = object.metadata;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** What objects are sorted by, oldest first: creation (RFC 3339; unknown is last), then key. */
export function ageOf(createdAt: string | undefined, key: string): string {
  return `${createdAt || "9"} ${key}`;
}

/** Oldest first: the order in which waiting Services are served, and in which of two clashing objects one wins. */
export function byAge(a: KubeObject, b: KubeObject): number {
  const [left, right] = [a, b].map((object) => ageOf(object.metadata.creationTimestamp, keyOf(object)));
  return left === right ? 0 : (left ?? "") < (right ?? "") ? -1 : 1;
}

/** True when labels and spec are as before: a change of status or bookkeeping only. `undefined` is an object that is not there. */
export function isSameSpec(now: KubeObject | undefined, before: KubeObject | undefined): boolean {
  if (now === undefined || before === undefined) return false;
  const facts = (object: KubeObject & { spec?: unknown }) => JSON.stringify([object.metadata.labels, object.spec]);
  return facts(now) === facts(before);
}
