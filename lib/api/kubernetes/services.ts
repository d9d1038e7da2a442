import { z } from "zod";
import { Condition, KubeObject, Labels } from "./objects.ts";

const IntOrString = z.union([z.number(), z.string()]);

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

const Endpoint = z.looseObject({
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

export const EndpointSlice = KubeObject.extend({
  addressType: z.string().optional(),
  endpoints: z.array(Endpoint).nullish(),
  ports: z
    .array(z.looseObject({ name: z.string().nullish(), protocol: z.string().nullish(), port: z.number().nullish() }))
    .nullish(),
});
export type EndpointSlice = z.infer<typeof EndpointSlice>;
