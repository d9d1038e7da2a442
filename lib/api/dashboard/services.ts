import { z } from "zod";
import { ALLOCATION_REASONS } from "#core/reasons";
import { Name } from "./name.ts";

export const ServiceStatus = z.enum([
  "ready",
  "in_progress",
  "pending",
  "not_announced",
  "not_reachable",
  "no_ready_pods",
  "conflict",
  "not_ours",
  /** ClusterIP, NodePort or ExternalName: no load balancer was asked for. */
  "not_exposed",
  "unknown",
]);
export type ServiceStatus = z.infer<typeof ServiceStatus>;

/** Why one pool did not serve a Service; `sentence` names the pool and, where there is one, the address. */
export const Refusal = z.object({
  pool: z.string().nullable(),
  reason: z.enum(ALLOCATION_REASONS),
  sentence: z.string(),
});
export type Refusal = z.infer<typeof Refusal>;

export const PortRow = z.object({
  name: z.string().nullable(),
  port: z.number(),
  protocol: z.string(),
  targetPort: z.string(),
  nodePort: z.number().nullable(),
});

export const ServiceRow = z.object({
  /** "namespace/name" */
  key: z.string(),
  namespace: z.string(),
  name: z.string(),
  type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
  headless: z.boolean(),
  status: ServiceStatus,
  /** At most four words beside the chip; "" when ready. */
  cause: z.string(),
  /** The whole truth in one or two sentences. */
  sentence: z.string(),
  reason: z.enum(ALLOCATION_REASONS).nullable(),
  refusals: z.array(Refusal),
  addresses: z.array(z.string()),
  /** Where this machine reaches it when the address itself cannot be bound: ["127.0.0.1:18080"]. */
  reachableAt: z.array(z.string()),
  shared: z.boolean(),
  ports: z.array(PortRow),
  clusterIPs: z.array(z.string()),
  pool: z.string().nullable(),
  requestedPool: z.string().nullable(),
  requestedAddresses: z.array(z.string()),
  announcedBy: z.array(z.string()),
  endpoints: z.object({ ready: z.number(), total: z.number() }),
  externalTrafficPolicy: z.enum(["Cluster", "Local"]).nullable(),
  sessionAffinity: z.enum(["None", "ClientIP"]),
  selector: z.record(z.string(), z.string()),
  loadBalancerClass: z.string().nullable(),
  /** Null when "Expose" may be pressed; otherwise why not. */
  exposeBlockedBy: z.string().nullable(),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type ServiceRow = z.infer<typeof ServiceRow>;

export const ExposeBody = z.strictObject({
  pool: Name.optional(),
  address: z.string().optional(),
  ports: z
    .array(
      z.strictObject({
        port: z.int().min(1).max(65535),
        targetPort: z.union([z.int(), z.string()]).optional(),
        protocol: z.enum(["TCP", "UDP"]).optional(),
        name: z.string().optional(),
      }),
    )
    .optional(),
  externalTrafficPolicy: z.enum(["Cluster", "Local"]).optional(),
  shareKey: z.string().optional(),
});
export type ExposeBody = z.infer<typeof ExposeBody>;
