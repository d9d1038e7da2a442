import type { Json } from "#sandbox/kinds/definition";

const GROUP = "rbac.authorization.k8s.io";
const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];

const CORE_VIEW = [
  "bindings",
  "configmaps",
  "endpoints",
  "events",
  "limitranges",
  "namespaces",
  "namespaces/status",
  "persistentvolumeclaims",
  "persistentvolumeclaims/status",
  "pods",
  "pods/log",
  "pods/status",
  "replicationcontrollers",
  "resourcequotas",
  "serviceaccounts",
  "services",
  "services/status",
];
const CORE_EDIT = [
  "configmaps",
  "endpoints",
  "events",
  "persistentvolumeclaims",
  "pods",
  "secrets",
  "serviceaccounts",
  "services",
];
const POD_ACTIONS = ["pods/attach", "pods/eviction", "pods/exec", "pods/portforward", "pods/proxy"];
const WORKLOADS = ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"];
const WORKLOAD_PARTS = [
  "daemonsets/status",
  "deployments/scale",
  "deployments/status",
  "replicasets/scale",
  "replicasets/status",
  "statefulsets/scale",
  "statefulsets/status",
];

function rule(apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): Json {
  return { apiGroups: [...apiGroups], resources: [...resources], verbs: [...verbs] };
}

function paths(nonResourceURLs: readonly string[], verbs: readonly string[] = ["get"]): Json {
  return { nonResourceURLs: [...nonResourceURLs], verbs: [...verbs] };
}

function clusterRole(name: string, rules: readonly Json[], aggregate: readonly string[] = [], labels: Json = {}): Json {
  const selectors = aggregate.map((to) => ({
    matchLabels: { [`${GROUP}/aggregate-to-${to}`]: "true" },
  }));
  return {
    apiVersion: `${GROUP}/v1`,
    kind: "ClusterRole",
    metadata: {
      name,
      labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
      annotations: { [`${GROUP}/autoupdate`]: "true" },
    },
    ...(selectors.length > 0 ? { aggregationRule: { clusterRoleSelectors: selectors } } : {}),
    rules: [...rules],
  };
}

function binding(name: string, role: string, groups: readonly string[]): Json {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: "ClusterRoleBinding",
    metadata: {
      name,
      labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
      annotations: { [`${GROUP}/autoupdate`]: "true" },
    },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: role },
    subjects: groups.map((group) => ({ apiGroup: GROUP, kind: "Group", name: group })),
  };
}

const to = (role: string): Json => ({ [`${GROUP}/aggregate-to-${role}`]: "true" });
const HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
const DISCOVERY = [
  "/api",
  "/api/*",
  "/apis",
  "/apis/*",
  "/healthz",
  "/livez",
  "/openapi",
  "/openapi/*",
  "/readyz",
  "/version",
  "/version/",
];

/** The roles every cluster begins with, as far as the kinds served here need them. */
export const CLUSTER_ROLES: readonly Json[] = [
  clusterRole("cluster-admin", [rule(["*"], ["*"], ["*"]), paths(["*"], ["*"])]),
  clusterRole("admin", [], ["admin", "edit", "view"]),
  clusterRole("edit", [], ["edit", "view"], to("admin")),
  clusterRole("view", [], ["view"], to("edit")),
  clusterRole(
    "system:aggregate-to-admin",
    [
      rule([GROUP], ["rolebindings", "roles"], [...READ, ...WRITE]),
      rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
    ],
    [],
    to("admin"),
  ),
  clusterRole(
    "system:aggregate-to-edit",
    [
      rule([""], CORE_EDIT, [...READ, ...WRITE]),
      rule([""], POD_ACTIONS, ["get", "create"]),
      rule([""], ["serviceaccounts/token"], ["create"]),
      rule([""], ["services/proxy"], READ),
      rule(
        ["apps"],
        [...WORKLOADS, "deployments/rollback", "deployments/scale", "replicasets/scale", "statefulsets/scale"],
        [...READ, ...WRITE],
      ),
      rule(["coordination.k8s.io"], ["leases"], [...READ, ...WRITE]),
      rule(["discovery.k8s.io"], ["endpointslices"], [...READ, ...WRITE]),
      rule(["policy"], ["poddisruptionbudgets"], [...READ, ...WRITE]),
    ],
    [],
    to("edit"),
  ),
  clusterRole(
    "system:aggregate-to-view",
    [
      rule([""], CORE_VIEW, READ),
      rule(["apps"], [...WORKLOADS, ...WORKLOAD_PARTS], READ),
      rule(["coordination.k8s.io"], ["leases"], READ),
      rule(["discovery.k8s.io"], ["endpointslices"], READ),
      rule(["policy"], ["poddisruptionbudgets"], READ),
    ],
    [],
    to("view"),
  ),
  clusterRole("system:discovery", [paths(DISCOVERY)]),
  clusterRole("system:public-info-viewer", [paths(HEALTH)]),
  clusterRole("system:basic-user", [
    rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
    rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
  ]),
  clusterRole("system:node", [
    rule(
      [""],
      ["nodes", "nodes/status", "pods", "pods/status", "events", "configmaps", "services", "services/status"],
      [...READ, ...WRITE],
    ),
    rule([""], ["secrets", "serviceaccounts", "namespaces", "endpoints"], READ),
    rule([""], ["serviceaccounts/token", "pods/eviction"], ["create"]),
    rule(["coordination.k8s.io"], ["leases"], [...READ, ...WRITE]),
    rule(["discovery.k8s.io"], ["endpointslices"], READ),
    rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
    rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
  ]),
  // Not part of Kubernetes: what the sandbox's read-only token may see (everything but Secrets).
  clusterRole("berth:viewer", [
    rule([""], [...CORE_VIEW, "nodes", "nodes/status", "persistentvolumes"], READ),
    rule(["apps"], [...WORKLOADS, ...WORKLOAD_PARTS], READ),
    rule(
      [
        "metallb.io",
        "berth.dev",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "policy",
        GROUP,
      ],
      ["*"],
      READ,
    ),
  ]),
];

export const CLUSTER_ROLE_BINDINGS: readonly Json[] = [
  binding("cluster-admin", "cluster-admin", ["system:masters"]),
  binding("system:discovery", "system:discovery", ["system:authenticated"]),
  binding("system:basic-user", "system:basic-user", ["system:authenticated"]),
  binding("system:public-info-viewer", "system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
  binding("system:node", "system:node", ["system:nodes"]),
  binding("berth:viewer", "berth:viewer", ["berth:viewers"]),
];
