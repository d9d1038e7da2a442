/**
 * What the dashboard and the prober say to each other: one JSON object per
 * line (NDJSON), commands on the prober's stdin, messages on its stdout.
 */
import { z } from "zod";
import { Outcome, ProbeReply, ProbeTick } from "./dashboard/probes.ts";

/** Runs one prober keeps at most; the next `start` is refused. */
export const PROBE_RUNS_MAX = 8;

const Id = z.string().min(1).max(200);

export const ProbeStart = z.strictObject({
  kind: z.literal("start"),
  id: Id,
  /** `http://<address>[:port]/path`; the host is a literal address, because the prober resolves no names. */
  url: z.string().max(2048),
  /** Requests per second. */
  rate: z.number().min(0.1, "at least 0.1 requests per second").max(50, "at most 50 requests per second"),
  /** Wall time, ms since the epoch, at which the run stops by itself. */
  stopsAt: z.number(),
  /** Milliseconds for the connection to be there. */
  connectTimeoutMs: z.int().min(50).max(60_000).default(1_000),
  /** Milliseconds from before connect to the last byte. */
  timeoutMs: z.int().min(50).max(60_000).default(2_000),
  /** The Host header, when it is not the one of `url`. */
  host: z.string().min(1).max(253).optional(),
});
export type ProbeStart = z.infer<typeof ProbeStart>;

export const ProbeCommand = z.discriminatedUnion("kind", [
  ProbeStart,
  z.strictObject({ kind: z.literal("stop"), id: Id }),
]);
export type ProbeCommand = z.infer<typeof ProbeCommand>;

/** Since the run began; percentiles are over the last 300 answered requests. */
export const ProbeTotals = z.object({
  sent: z.number(),
  /** Requests not sent because too many were in flight or the machine stalled; never made up for. */
  skipped: z.number(),
  outcomes: z.partialRecord(Outcome, z.number()),
  /** Attributed replies per pod, sorted by pod; at most 200 pods. */
  pods: z.array(z.object({ pod: z.string(), node: z.string().nullable(), count: z.number() })),
  /** Answered with 2xx, but without a line that names the pod. */
  unattributed: z.number(),
  p50: z.number().nullable(),
  /** Null below 20 answers. */
  p95: z.number().nullable(),
  /** Null below 100 answers. */
  p99: z.number().nullable(),
  /** The longest time during which every request that was sent failed, the present one included. */
  longestOutageMs: z.number(),
});
export type ProbeTotals = z.infer<typeof ProbeTotals>;

export const ProbeMessage = z.discriminatedUnion("kind", [
  /** The prober reads commands. */
  z.object({ kind: z.literal("ready"), pid: z.number() }),
  z.object({ kind: z.literal("started"), id: z.string(), at: z.number() }),
  /** Once a second per run, also for seconds in which nothing came back. */
  z.object({ kind: z.literal("second"), tick: ProbeTick, replies: z.array(ProbeReply), totals: ProbeTotals }),
  z.object({
    kind: z.literal("stopped"),
    id: z.string(),
    at: z.number(),
    /** By command, because `stopsAt` passed, or because the prober's input ended. */
    reason: z.enum(["command", "expired", "closed"]),
    totals: ProbeTotals,
  }),
  /** A command that was not obeyed; `id` is null when it could not be read. `fields` names what is wrong. */
  z.object({
    kind: z.literal("refused"),
    id: z.string().nullable(),
    message: z.string(),
    fields: z.record(z.string(), z.string()),
  }),
]);
export type ProbeMessage = z.infer<typeof ProbeMessage>;
