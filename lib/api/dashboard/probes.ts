import { z } from "zod";

const OUTCOMES = ["ok", "refused", "timeout", "reset", "unreachable", "http_4xx", "http_5xx", "bad_reply"] as const;

export const Outcome = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof Outcome>;

export const ProbeReply = z.object({
  seq: z.number(),
  /** Wall time, ms since the epoch. */
  at: z.number(),
  outcome: Outcome,
  pod: z.string().nullable(),
  node: z.string().nullable(),
  status: z.number().nullable(),
  /** Milliseconds from before connect to the last byte. */
  totalMs: z.number(),
  /** The reply as a terminal shows it (first line, at most 200 characters), or the error in words. */
  text: z.string(),
});
export type ProbeReply = z.infer<typeof ProbeReply>;

/** One second of one probe. */
export const ProbeTick = z.object({
  id: z.string(),
  /** Start of the second, ms since the epoch. */
  at: z.number(),
  perPod: z.record(z.string(), z.number()),
  outcomes: z.partialRecord(Outcome, z.number()),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
});
export type ProbeTick = z.infer<typeof ProbeTick>;

const ProbePod = z.object({
  pod: z.string(),
  node: z.string().nullable(),
  /** In the sliding window. */
  count: z.number(),
  /** 0..1 of attributed replies in the window. */
  share: z.number(),
  /** 0..1, or null when the model knows nothing of this pod. */
  expected: z.number().nullable(),
  /** Half width of the 95 % range around `expected`, 0..1. */
  halfWidth: z.number().nullable(),
  gone: z.boolean(),
});

export const ProbeRow = z.object({
  id: z.string(),
  service: z.string(),
  address: z.string(),
  port: z.number(),
  url: z.string(),
  /** Requests per second, 0.1..50. */
  rate: z.number(),
  state: z.enum(["running", "stopped", "failed"]),
  startedAt: z.string(),
  stoppedAt: z.string().nullable(),
  stopsAt: z.string(),
  sent: z.number(),
  outcomes: z.partialRecord(Outcome, z.number()),
  /** Attributed replies in the window (at most the last 300). */
  window: z.number(),
  pods: z.array(ProbePod),
  /** "Expecting 33.3 % each: L2, policy Cluster, 3 ready pods". */
  model: z.string(),
  verdict: z.object({
    kind: z.enum(["collecting", "even", "uneven", "too_even", "affinity", "failing"]),
    sentence: z.string(),
    p: z.number().nullable(),
    jain: z.number().nullable(),
  }),
  latency: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() }),
  longestOutageMs: z.number(),
  vantage: z.string(),
});
export type ProbeRow = z.infer<typeof ProbeRow>;

export const ProbeCreate = z.strictObject({
  service: z.string().regex(/^[^/]+\/[^/]+$/, 'a Service as "namespace/name"'),
  port: z.int().min(1).max(65535).optional(),
  path: z.string().startsWith("/", 'a path begins with "/"').max(1024).default("/"),
  rate: z
    .number("a number such as 5 is needed")
    .min(0.1, "at least 0.1 requests per second")
    .max(50, "at most 50 requests per second")
    .default(5),
  /** Stops by itself after this many seconds. */
  durationSeconds: z.int().min(1).max(3600).default(900),
});
export type ProbeCreate = z.infer<typeof ProbeCreate>;

export type ProbeCreateInput = z.input<typeof ProbeCreate>;

export const ProbeSamples = z.object({ id: z.string(), ticks: z.array(ProbeTick), replies: z.array(ProbeReply) });
export type ProbeSamples = z.infer<typeof ProbeSamples>;
