import { describe, expect, it } from "vitest";
import type { Json } from "#sandbox/kinds/definition";
import { quantityValue } from "#sandbox/kinds/quantity";
import { kindOf } from "./support.ts";

function causesOf(kind: string, object: Json, old?: Json): readonly string[] {
  const definition = kindOf(kind);
  const full = (given: Json): Json => definition.defaults({ metadata: { name: "x", namespace: "default" }, ...given });
  const causes = definition.validate(full(object), old === undefined ? undefined : full(old));
  return causes.map(({ field, message }) => `${field}: ${message}`);
}

const container = (more: Json = {}): Json => ({ name: "c", image: "i", ...more });
const pod = (more: Json): Json => ({ spec: { containers: [container()], ...more } });
const GROUP = "rbac.authorization.k8s.io";
const DAEMON = {
  selector: { matchLabels: { a: "b" } },
  template: { metadata: { labels: { a: "b" } }, spec: { containers: [container()] } },
};

const rows: readonly {
  readonly name: string;
  readonly kind: string;
  readonly object: Json;
  readonly old?: Json;
  readonly says: readonly string[];
}[] = [
  {
    name: "a request above its limit",
    kind: "Pod",
    object: { spec: { containers: [container({ resources: { requests: { cpu: "2" }, limits: { cpu: "500m" } } })] } },
    says: [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 500m',
    ],
  },
  {
    name: "a negative amount",
    kind: "Pod",
    object: { spec: { containers: [container({ resources: { limits: { memory: "-1Mi" } } })] } },
    says: [
      'spec.containers[0].resources.limits[memory]: Invalid value: "-1Mi": must be greater than or equal to 0',
      'spec.containers[0].resources.requests[memory]: Invalid value: "-1Mi": must be greater than or equal to 0',
    ],
  },
  {
    name: "two ports of one name",
    kind: "Pod",
    object: {
      spec: {
        containers: [
          container({
            ports: [
              { containerPort: 1, name: "a" },
              { containerPort: 2, name: "a" },
            ],
          }),
        ],
      },
    },
    says: ['spec.containers[0].ports[1].name: Duplicate value: "a"'],
  },
  {
    name: "a variable that no shell has",
    kind: "Pod",
    object: { spec: { containers: [container({ env: [{ name: "a=b" }] })] } },
    says: [
      "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
    ],
  },
  {
    name: "a liveness probe that must succeed twice",
    kind: "Pod",
    object: { spec: { containers: [container({ livenessProbe: { exec: { command: ["x"] }, successThreshold: 2 } })] } },
    says: ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
  },
  {
    name: "a probe that looks into the past",
    kind: "Pod",
    object: {
      spec: { containers: [container({ readinessProbe: { exec: { command: ["x"] }, initialDelaySeconds: -1 } })] },
    },
    says: [
      "spec.containers[0].readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0",
    ],
  },
  {
    name: "a toleration of everything but an equal",
    kind: "Pod",
    object: pod({ tolerations: [{ effect: "Sometimes" }] }),
    says: [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      'spec.tolerations[0].effect: Unsupported value: "Sometimes": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  },
  {
    name: "seconds of a toleration that never evicts",
    kind: "Pod",
    object: pod({ tolerations: [{ key: "a", operator: "Exists", tolerationSeconds: 1, effect: "NoSchedule" }] }),
    says: [
      "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
    ],
  },
  {
    name: "a rule without resources",
    kind: "Role",
    object: { rules: [{ verbs: ["get"] }] },
    says: [
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
      "rules[0].resources: Required value: resource rules must supply at least one resource",
    ],
  },
  {
    name: "paths in a namespace",
    kind: "Role",
    object: { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
    says: ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
  },
  {
    name: "nothing about paths of a cluster",
    kind: "ClusterRole",
    object: { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
    says: [],
  },
  {
    name: "paths and resources in one rule",
    kind: "ClusterRole",
    object: { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"], apiGroups: [""], resources: ["pods"] }] },
    says: [
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  },
  {
    name: "a namespaced role for the whole cluster",
    kind: "ClusterRoleBinding",
    object: { roleRef: { kind: "Role", name: "r" } },
    says: ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
  },
  {
    name: "subjects of no kind",
    kind: "RoleBinding",
    object: {
      roleRef: { kind: "Role", name: "r" },
      subjects: [
        { kind: "Robot", name: "" },
        { kind: "ServiceAccount", name: "a", apiGroup: GROUP },
      ],
    },
    says: [
      "subjects[0].name: Required value",
      'subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
      `subjects[1].apiGroup: Unsupported value: "${GROUP}": supported values: ""`,
      "subjects[1].namespace: Required value",
    ],
  },
  {
    name: "another role for a binding",
    kind: "RoleBinding",
    object: { roleRef: { kind: "Role", name: "b" } },
    old: { roleRef: { kind: "Role", name: "a" } },
    says: [`roleRef: Invalid value: {"kind":"Role","name":"b","apiGroup":"${GROUP}"}: cannot change roleRef`],
  },
  {
    name: "a lease that ends at once",
    kind: "Lease",
    object: { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
    says: [
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
      "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ],
  },
  {
    name: "ports of a slice",
    kind: "EndpointSlice",
    object: { addressType: "IPv4", ports: [{ name: "a", port: 0, protocol: "X" }, { name: "a" }] },
    says: [
      'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      "ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
      'ports[1].name: Duplicate value: "a"',
    ],
  },
  {
    name: "a rollout that may not move",
    kind: "DaemonSet",
    object: {
      spec: { ...DAEMON, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    },
    says: ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
  },
  {
    name: "a rollout that surges and stops pods",
    kind: "DaemonSet",
    object: {
      spec: { ...DAEMON, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
    },
    says: [
      "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
    ],
  },
  {
    name: "both bounds of a budget",
    kind: "PodDisruptionBudget",
    object: { spec: { minAvailable: 1, maxUnavailable: "50%" } },
    says: [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":"50%"}: minAvailable and maxUnavailable cannot be both set',
    ],
  },
  {
    name: "half a percentage",
    kind: "PodDisruptionBudget",
    object: { spec: { minAvailable: "50" } },
    says: [
      "spec.minAvailable: Invalid value: \"50\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  },
  {
    name: "a TLS secret without key",
    kind: "Secret",
    object: { type: "kubernetes.io/tls", data: { "tls.crt": "" } },
    says: ["data[tls.key]: Required value"],
  },
];

describe("what the server refuses, in its words", () => {
  it.each(rows)("$kind: $name", ({ kind, object, old, says }) => {
    expect(causesOf(kind, object, old)).toEqual(says);
  });
});

describe("quantities", () => {
  it.each([
    ["500m", 0.5],
    ["2", 2],
    ["1e3", 1000],
    ["64Mi", 64 * 2 ** 20],
    [".5Gi", 2 ** 29],
    ["-1k", -1000],
    ["1E", 1e18],
    ["1Kib", undefined],
    ["", undefined],
    ["ki", undefined],
  ])("%j is %d", (text, value) => {
    expect(quantityValue(text)).toBe(value);
  });
});
