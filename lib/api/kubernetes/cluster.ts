import { z } from "zod";
import { Condition, KubeObject, Labels } from "./objects.ts";

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

export const ConfigMap = KubeObject.extend({ data: Labels.optional() });
export type ConfigMap = z.infer<typeof ConfigMap>;

/** `data` values are base64. */
export const Secret = KubeObject.extend({ type: z.string().optional(), data: Labels.optional() });
export type Secret = z.infer<typeof Secret>;

const ObjectReference = z.looseObject({
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
