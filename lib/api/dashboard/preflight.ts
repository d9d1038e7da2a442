import { z } from "zod";

export const CheckRow = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["passed", "warning", "failed", "unknown", "not_applicable"]),
  /** What was looked at and what it said: "ConfigMap kube-proxy: strictARP false". */
  evidence: z.string(),
  explanation: z.string(),
  fix: z.object({ label: z.string(), change: z.string() }).nullable(),
  /** Belief against wire, for checks that asked the network. */
  wire: z
    .array(
      z.object({
        address: z.string(),
        service: z.string(),
        believed: z.object({ node: z.string(), mac: z.string() }).nullable(),
        askedAt: z.string(),
        askedFrom: z.string(),
        answers: z.array(
          z.object({
            mac: z.string(),
            node: z.string().nullable(),
            expected: z.boolean(),
            rttMs: z.number().nullable(),
          }),
        ),
      }),
    )
    .default([]),
  ranAt: z.string(),
});
export type CheckRow = z.infer<typeof CheckRow>;
