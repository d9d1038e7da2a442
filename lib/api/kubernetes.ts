/**
 * The parts of Kubernetes objects that Berth reads or writes, loosely: unknown
 * fields pass through untouched, and everything an API server may omit is
 * optional, so an old or odd object never fails to parse.
 */
import { z } from "zod";

const Labels = z.record(z.string(), z.string());

export const OwnerReference = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z.boolean().optional(),
  blockOwnerDeletion: z.boolean().optional(),
});
export type OwnerReference = z.infer<typeof OwnerReference>;

export const ObjectMeta = z.looseObject({
  name: z.string().optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.number().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  deletionGracePeriodSeconds: z.number().optional(),
  labels: Labels.optional(),
  annotations: Labels.optional(),
  ownerReferences: z.array(OwnerReference).optional(),
  finalizers: z.array(z.string()).optional(),
});
export type ObjectMeta = z.infer<typeof ObjectMeta>;

/** What every Kubernetes object has. `metadata.name` is present on everything a server returns. */
export const KubeObject = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: ObjectMeta,
});
export type KubeObject = z.infer<typeof KubeObject>;

export const Condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().optional(),
  observedGeneration: z.number().optional(),
});
export type Condition = z.infer<typeof Condition>;

export const LabelSelector = z.looseObject({
  matchLabels: Labels.optional(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
export type LabelSelector = z.infer<typeof LabelSelector>;

export const IntOrString = z.union([z.number(), z.string()]);

export const ServicePort = z.looseObject({
  name: z.string().optional(),
  protocol: z.string().optional(),
  port: z.number(),
  targetPort: IntOrString.optional(),
  nodePort: z.number().optional(),
  appProtocol: z.string().optional(),
});
export type ServicePort = z.infer<typeof ServicePort>;

export const Service = KubeObject.extend({
  spec: z
    .looseObject({
      type: z.string().optional(),
      clusterIP: z.string().optional(),
      clusterIPs: z.array(z.string()).optional(),
      ipFamilies: z.array(z.string()).optional(),
      ipFamilyPolicy: z.string().optional(),
      externalTrafficPolicy: z.string().optional(),
      internalTrafficPolicy: z.string().optional(),
      allocateLoadBalancerNodePorts: z.boolean().optional(),
      loadBalancerClass: z.string().optional(),
      loadBalancerIP: z.string().optional(),
      sessionAffinity: z.string().optional(),
      sessionAffinityConfig: z
        .looseObject({ clientIP: z.looseObject({ timeoutSeconds: z.number().optional() }).optional() })
        .optional(),
      externalName: z.string().optional(),
      publishNotReadyAddresses: z.boolean().optional(),
      selector: Labels.optional(),
      ports: z.array(ServicePort).optional(),
    })
    .optional(),
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({
          ingress: z
            .array(
              z.looseObject({
                ip: z.string().optional(),
                hostname: z.string().optional(),
                ipMode: z.string().optional(),
              }),
            )
            .optional(),
        })
        .optional(),
      conditions: z.array(Condition).optional(),
    })
    .optional(),
});
export type Service = z.infer<typeof Service>;

export const Endpoint = z.looseObject({
  addresses: z.array(z.string()).optional(),
  conditions: z
    .looseObject({ ready: z.boolean().nullish(), serving: z.boolean().nullish(), terminating: z.boolean().nullish() })
    .optional(),
  nodeName: z.string().optional(),
  zone: z.string().optional(),
  targetRef: z
    .looseObject({
      kind: z.string().optional(),
      name: z.string().optional(),
      namespace: z.string().optional(),
      uid: z.string().optional(),
    })
    .optional(),
});
export type Endpoint = z.infer<typeof Endpoint>;

export const EndpointSlice = KubeObject.extend({
  addressType: z.string().optional(),
  endpoints: z.array(Endpoint).nullish(),
  ports: z
    .array(z.looseObject({ name: z.string().nullish(), protocol: z.string().nullish(), port: z.number().nullish() }))
    .nullish(),
});
export type EndpointSlice = z.infer<typeof EndpointSlice>;

export const Node = KubeObject.extend({
  spec: z
    .looseObject({
      podCIDR: z.string().optional(),
      podCIDRs: z.array(z.string()).optional(),
      unschedulable: z.boolean().optional(),
      taints: z.array(z.looseObject({ key: z.string(), value: z.string().optional(), effect: z.string() })).optional(),
    })
    .optional(),
  status: z
    .looseObject({
      conditions: z.array(Condition).optional(),
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).optional(),
      nodeInfo: z.looseObject({ kubeletVersion: z.string().optional() }).optional(),
    })
    .optional(),
});
export type Node = z.infer<typeof Node>;

export const Namespace = KubeObject.extend({ status: z.looseObject({ phase: z.string().optional() }).optional() });
export type Namespace = z.infer<typeof Namespace>;

export const ContainerStatus = z.looseObject({
  name: z.string(),
  ready: z.boolean().optional(),
  started: z.boolean().optional(),
  restartCount: z.number().optional(),
  image: z.string().optional(),
  imageID: z.string().optional(),
  containerID: z.string().optional(),
  state: z.record(z.string(), z.looseObject({})).optional(),
  lastState: z.record(z.string(), z.looseObject({})).optional(),
});
export type ContainerStatus = z.infer<typeof ContainerStatus>;

export const EnvVar = z.looseObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.looseObject({}).optional(),
});

export const Container = z.looseObject({
  name: z.string(),
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(EnvVar).optional(),
  ports: z
    .array(z.looseObject({ name: z.string().optional(), containerPort: z.number(), protocol: z.string().optional() }))
    .optional(),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }))
    .optional(),
});
export type Container = z.infer<typeof Container>;

export const PodSpec = z.looseObject({
  nodeName: z.string().optional(),
  hostNetwork: z.boolean().optional(),
  serviceAccountName: z.string().optional(),
  restartPolicy: z.string().optional(),
  terminationGracePeriodSeconds: z.number().optional(),
  initContainers: z.array(Container).optional(),
  containers: z.array(Container),
  volumes: z.array(z.looseObject({ name: z.string() })).optional(),
  nodeSelector: Labels.optional(),
  tolerations: z.array(z.looseObject({})).optional(),
});
export type PodSpec = z.infer<typeof PodSpec>;

export const Pod = KubeObject.extend({
  spec: PodSpec.optional(),
  status: z
    .looseObject({
      phase: z.string().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      podIP: z.string().optional(),
      podIPs: z.array(z.looseObject({ ip: z.string() })).optional(),
      hostIP: z.string().optional(),
      startTime: z.string().optional(),
      conditions: z.array(Condition).optional(),
      containerStatuses: z.array(ContainerStatus).optional(),
      initContainerStatuses: z.array(ContainerStatus).optional(),
    })
    .optional(),
});
export type Pod = z.infer<typeof Pod>;

const PodTemplate = z.looseObject({ metadata: ObjectMeta.optional(), spec: PodSpec.optional() });
const WorkloadSpec = z.looseObject({
  replicas: z.number().optional(),
  selector: LabelSelector.optional(),
  template: PodTemplate.optional(),
});
const WorkloadStatus = z.looseObject({
  observedGeneration: z.number().optional(),
  replicas: z.number().optional(),
  readyReplicas: z.number().optional(),
  availableReplicas: z.number().optional(),
  updatedReplicas: z.number().optional(),
  conditions: z.array(Condition).optional(),
});

export const Deployment = KubeObject.extend({ spec: WorkloadSpec.optional(), status: WorkloadStatus.optional() });
export type Deployment = z.infer<typeof Deployment>;
export const ReplicaSet = KubeObject.extend({ spec: WorkloadSpec.optional(), status: WorkloadStatus.optional() });
export type ReplicaSet = z.infer<typeof ReplicaSet>;
export const DaemonSet = KubeObject.extend({
  spec: WorkloadSpec.optional(),
  status: z
    .looseObject({
      observedGeneration: z.number().optional(),
      desiredNumberScheduled: z.number().optional(),
      currentNumberScheduled: z.number().optional(),
      numberReady: z.number().optional(),
      numberAvailable: z.number().optional(),
      updatedNumberScheduled: z.number().optional(),
    })
    .optional(),
});
export type DaemonSet = z.infer<typeof DaemonSet>;

export const ConfigMap = KubeObject.extend({ data: Labels.optional() });
export type ConfigMap = z.infer<typeof ConfigMap>;
/** `data` values are base64. */
export const Secret = KubeObject.extend({ type: z.string().optional(), data: Labels.optional() });
export type Secret = z.infer<typeof Secret>;

export const ObjectReference = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
});
export const CoreEvent = KubeObject.extend({
  involvedObject: ObjectReference,
  reason: z.string().optional(),
  message: z.string().optional(),
  type: z.string().optional(),
  count: z.number().optional(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  source: z.looseObject({ component: z.string().optional(), host: z.string().optional() }).optional(),
  reportingComponent: z.string().optional(),
  reportingInstance: z.string().optional(),
});
export type CoreEvent = z.infer<typeof CoreEvent>;

export const Lease = KubeObject.extend({
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .optional(),
});
export type Lease = z.infer<typeof Lease>;

/** A Kubernetes failure reply (`kind: Status`). */
export const Status = z.looseObject({
  kind: z.literal("Status").optional(),
  status: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.number().optional(),
  details: z
    .looseObject({
      name: z.string().optional(),
      kind: z.string().optional(),
      causes: z
        .array(
          z.looseObject({
            field: z.string().optional(),
            message: z.string().optional(),
            reason: z.string().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type Status = z.infer<typeof Status>;
