import { z } from "zod";
import { ProbeCreate, ProbeRow, ProbeSamples } from "#api/dashboard/probes";
import { id, Removed, type Shape } from "./shape.ts";

/** Probe runs. By "METHOD /path". */
export const PROBE_SHAPES = {
  "GET /api/probes": { action: "probes.list", summary: "All probe runs", reply: z.array(ProbeRow) },
  "POST /api/probes": {
    action: "probes.create",
    summary: "Start requesting a LoadBalancer Service's address",
    body: ProbeCreate,
    reply: ProbeRow,
    status: 201,
  },
  "GET /api/probes/{id}": { action: "probes.read", summary: "One probe run", params: id, reply: ProbeRow },
  "DELETE /api/probes/{id}": { action: "probes.delete", summary: "Stop and forget a run", params: id, reply: Removed },
  "POST /api/probes/{id}/stop": { action: "probes.stop", summary: "Stop a run", params: id, reply: ProbeRow },
  "GET /api/probes/{id}/samples": {
    action: "probes.samples",
    summary: "The last 600 seconds and the last 200 replies",
    params: id,
    reply: ProbeSamples,
  },
} as const satisfies Record<string, Shape>;
