/** Every name that objects, tools and people share. Values are upstream's wherever upstream has one. */
export const NAMESPACE = "metallb-system";

export const ANNOTATION = {
  addressPool: "metallb.io/address-pool",
  loadBalancerIPs: "metallb.io/loadBalancerIPs",
  allowSharedIP: "metallb.io/allow-shared-ip",
  allocatedFromPool: "metallb.io/ip-allocated-from-pool",
  /** Set on a Service by the sandbox's edge when ports had to be mapped: "80/TCP=127.0.0.1:18080, …". */
  reachableAt: "berth.dev/reachable-at",
  /** Set on a Service when Berth exposed it: the type to go back to on un-expose. */
  previousType: "berth.dev/previous-type",
  /** Set on a SpeakerState to make that speaker ask the wire: "<nonce> <address>[,<address>…]". */
  whoHas: "berth.dev/who-has",
  /** Set on its Lease by the controller that leads, with each renewal: its resident memory, octets. */
  memoryBytes: "berth.dev/memory-bytes",
  /** Set on a Node to switch it off and on (sandbox only): "off" or "on". */
  power: "sandbox.berth.dev/power",
  restartedAt: "kubectl.kubernetes.io/restartedAt",
} as const;

/** The deprecated spelling of the four Service annotations; read only when the new key is absent. */
export const DEPRECATED_PREFIX = "metallb.universe.tf/";

/** Label keys that we write or read. */
export const LABEL = {
  node: "metallb.io/node",
  serviceName: "metallb.io/service-name",
  serviceNamespace: "metallb.io/service-namespace",
  componentType: "metallb.io/component-type",
  nodeName: "metallb.io/node-name",
  excludeFromLoadBalancers: "node.kubernetes.io/exclude-from-external-load-balancers",
  /** On EndpointSlices: the Service they belong to (discovery.k8s.io/v1). */
  sliceService: "kubernetes.io/service-name",
} as const;

/** Condition types on Services, written by the controller alone. */
export const CONDITION = {
  addressAssigned: "berth.dev/AddressAssigned",
  announced: "berth.dev/Announced",
} as const;

/** `reportingComponent` of our Events. */
export const COMPONENT = { controller: "metallb-controller", speaker: "metallb-speaker" } as const;

/** The objects around the controller's admission webhooks. */
export const WEBHOOKS = {
  configuration: "metallb-webhook-configuration",
  service: "metallb-webhook-service",
  secret: "metallb-webhook-cert",
} as const;

/** Where kubeadm, and so the sandbox, keeps the settings of kube-proxy. */
export const KUBE_PROXY = {
  namespace: "kube-system",
  /** ConfigMap and DaemonSet share the name. */
  name: "kube-proxy",
  key: "config.conf",
} as const;

/** ConfigMap whose keys are the addresses that a drill's machine, which is no node, uses (sandbox only). */
export const FOREIGN_HOSTS = { namespace: "kube-system", name: "berth-sandbox-foreign-hosts" } as const;

/** ConfigMap (kube-system) in which the sandbox's edge publishes its neighbour table, key `neighbours` (JSON). */
export const EDGE_CONFIG_MAP = "berth-sandbox-edge";
