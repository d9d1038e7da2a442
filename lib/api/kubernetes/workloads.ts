import { z } from "zod";
import { Condition, KubeObject, LabelSelector, ObjectMeta } from "./objects.ts";
import { PodSpec } from "./pods.ts";

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
