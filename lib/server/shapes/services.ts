import { z } from "zod";
import { Diagnosis, ServicePath } from "#api/dashboard/diagnosis";
import { Started } from "#api/dashboard/operations";
import { ExposeBody, ServiceRow } from "#api/dashboard/services";
import { YamlText } from "#api/dashboard/yaml";
import type { Shape } from "./shape.ts";

const service = z.object({ namespace: z.string().min(1).max(253), name: z.string().min(1).max(253) });

/** Services. By "METHOD /path". */
export const SERVICE_SHAPES = {
  "GET /api/services": {
    action: "services.list",
    summary: "All Services, of every type",
    reply: z.array(ServiceRow),
  },
  "GET /api/services/{namespace}/{name}": {
    action: "services.read",
    summary: "One Service",
    params: service,
    reply: ServiceRow,
  },
  "POST /api/services/{namespace}/{name}/expose": {
    action: "services.expose",
    summary: "Make it a LoadBalancer; follow the operation on the stream",
    params: service,
    body: ExposeBody,
    reply: Started,
    status: 202,
  },
  "DELETE /api/services/{namespace}/{name}/expose": {
    action: "services.unexpose",
    summary: "Give the address back and return to the type it had before",
    params: service,
    reply: Started,
    status: 202,
  },
  "GET /api/services/{namespace}/{name}/diagnosis": {
    action: "services.diagnosis",
    summary: "Why it is, or is not, assigned, announced and reachable",
    params: service,
    reply: Diagnosis,
  },
  "GET /api/services/{namespace}/{name}/path": {
    action: "services.path",
    summary:
      "The way of a request: address, announcing node or why not, per node, and the pods with their expected shares",
    params: service,
    reply: ServicePath,
  },
  "GET /api/services/{namespace}/{name}/yaml": {
    action: "services.yaml",
    summary: "The object as YAML",
    params: service,
    reply: YamlText,
  },
} as const satisfies Record<string, Shape>;
