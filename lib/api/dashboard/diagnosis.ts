import { z } from "zod";
import { ALLOCATION_REASONS, ANNOUNCE_REASONS } from "#core/reasons";
import { WIRE_FINDINGS } from "#core/who-has";
import { PortRow, Refusal, ServiceRow, ServiceStatus } from "./services.ts";

/** `GET /api/services/{namespace}/{name}/diagnosis`: why it is, or is not, announced and reachable. */
export const Diagnosis = z.object({
  service: z.string(),
  /** The finding in one or two sentences; what the detail shows on top. */
  sentence: z.string(),
  refusals: z.array(Refusal),
  /** Every node: announces it, or why not (a sentence about that node). */
  nodes: z.array(
    z.object({ node: z.string(), announces: z.boolean(), reason: z.enum(ANNOUNCE_REASONS), sentence: z.string() }),
  ),
  /** Candidates in election order: the first announces, the second is next in line. */
  order: z.array(z.string()),
  endpoints: z.array(
    z.object({
      address: z.string(),
      pod: z.string().nullable(),
      node: z.string().nullable(),
      ready: z.boolean(),
      serving: z.boolean(),
      terminating: z.boolean(),
    }),
  ),
  /** The checklist of ux.md flow E, worked through now. */
  checks: z
    .array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.enum(["passed", "warning", "failed", "unknown", "skipped"]),
        evidence: z.string(),
        /** What would help, in words; null when nothing is needed. */
        fix: z.string().nullable(),
      }),
    )
    .default([]),
  /** The same as plain text, for a ticket. */
  text: z.string().default(""),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** `GET /api/services/{namespace}/{name}/path`: the way of a request, from the address to the pods. */
export const ServicePath = z.object({
  service: z.string(),
  /** How it came to its addresses, or why it has none. */
  assignment: z.object({
    status: ServiceStatus,
    sentence: z.string(),
    reason: z.enum(ALLOCATION_REASONS).nullable(),
    refusals: z.array(Refusal),
    addresses: z.array(z.object({ address: z.string(), pool: z.string().nullable() })),
  }),
  nodes: Diagnosis.shape.nodes,
  order: Diagnosis.shape.order,
  /** What speakers found wrong with its addresses on the wire. */
  wire: z.array(z.object({ address: z.string(), kind: z.enum(WIRE_FINDINGS), message: z.string() })),
  ports: z.array(PortRow),
  externalTrafficPolicy: ServiceRow.shape.externalTrafficPolicy,
  sessionAffinity: ServiceRow.shape.sessionAffinity,
  endpoints: z.array(
    Diagnosis.shape.endpoints.element.extend({
      /** Of new connections from one client, 0 to 1; null where the model knows none. */
      share: z.number().nullable(),
    }),
  ),
  /** The model behind the shares, in words: always to be shown with them. */
  model: z.string(),
});
export type ServicePath = z.infer<typeof ServicePath>;
