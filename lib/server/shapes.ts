import { z } from "zod";
import * as api from "#api/dashboard";

/** One method of one route: what it takes and what it answers. Handlers and the OpenAPI document both derive from it. */
export interface Shape {
  /** "pools.create": for logs and the OpenAPI operationId. */
  readonly action: string;
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly reply: z.ZodType;
  /** Of the successful reply; 200 when left out. */
  readonly status?: number;
}

const name = z.object({ name: z.string().min(1).max(253) });
const id = z.object({ id: z.string().min(1).max(100) });
const service = z.object({ namespace: z.string().min(1).max(253), name: z.string().min(1).max(253) });
const component = z.object({ component: z.enum(["controller", "speaker"]) });
const flag = z.enum(["true", "false", ""]).transform((text) => text !== "false");
const dryRun = z.object({ dryRun: flag.optional() });
const Removed = z.object({ removed: z.string() });

/** Every JSON route, by "METHOD /path". */
export const SHAPES = {
  "GET /api/session": {
    action: "session.read",
    summary: "Who, where, and which first steps are done",
    reply: api.Session,
  },

  "GET /api/pools": { action: "pools.list", summary: "All pools", reply: z.array(api.PoolRow) },
  "POST /api/pools": {
    action: "pools.create",
    summary: "Create a pool and, when asked, its advertisement; dryRun=true only checks",
    query: dryRun,
    body: api.PoolCreate,
    reply: api.PoolRow,
    status: 201,
  },
  "POST /api/pools/preview": {
    action: "pools.preview",
    summary: "What a change of a pool does to every Service; changes nothing",
    body: api.PoolPreviewBody,
    reply: api.PoolPreview,
  },
  "GET /api/pools/{name}": { action: "pools.read", summary: "One pool", params: name, reply: api.PoolRow },
  "PUT /api/pools/{name}": {
    action: "pools.replace",
    summary: "Replace a pool; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: api.PoolPatch,
    reply: api.PoolRow,
  },
  "PATCH /api/pools/{name}": {
    action: "pools.patch",
    summary: "Change what is present; resourceVersion guards against overwriting another edit",
    params: name,
    query: dryRun,
    body: api.PoolPatch,
    reply: api.PoolRow,
  },
  "DELETE /api/pools/{name}": {
    action: "pools.delete",
    summary: "Delete a pool",
    params: name,
    query: dryRun,
    reply: Removed,
  },
  "GET /api/pools/{name}/addresses": {
    action: "pools.addresses",
    summary: "The addresses of a pool in order, each with its state",
    params: name,
    query: z.object({
      offset: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(256).default(256),
      state: api.AddressState.optional(),
    }),
    reply: api.AddressPage,
  },
  "GET /api/pools/{name}/yaml": {
    action: "pools.yaml",
    summary: "The object as YAML",
    params: name,
    reply: api.YamlText,
  },

  "GET /api/l2advertisements": {
    action: "l2advertisements.list",
    summary: "All layer 2 advertisements",
    reply: z.array(api.AdvertisementRow),
  },
  "POST /api/l2advertisements": {
    action: "l2advertisements.create",
    summary: "Create a layer 2 advertisement",
    query: dryRun,
    body: api.AdvertisementCreate,
    reply: api.AdvertisementRow,
    status: 201,
  },
  "GET /api/l2advertisements/{name}": {
    action: "l2advertisements.read",
    summary: "One layer 2 advertisement",
    params: name,
    reply: api.AdvertisementRow,
  },
  "PUT /api/l2advertisements/{name}": {
    action: "l2advertisements.replace",
    summary: "Replace a layer 2 advertisement; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: api.AdvertisementPatch,
    reply: api.AdvertisementRow,
  },
  "PATCH /api/l2advertisements/{name}": {
    action: "l2advertisements.patch",
    summary: "Change what is present",
    params: name,
    query: dryRun,
    body: api.AdvertisementPatch,
    reply: api.AdvertisementRow,
  },
  "DELETE /api/l2advertisements/{name}": {
    action: "l2advertisements.delete",
    summary: "Delete a layer 2 advertisement",
    params: name,
    query: dryRun,
    reply: Removed,
  },
  "GET /api/l2advertisements/{name}/yaml": {
    action: "l2advertisements.yaml",
    summary: "The object as YAML",
    params: name,
    reply: api.YamlText,
  },

  "GET /api/holds": {
    action: "holds.list",
    summary: "All address holds",
    reply: z.array(api.HoldRow),
  },
  "POST /api/holds": {
    action: "holds.create",
    summary: "Create an address hold",
    query: dryRun,
    body: api.HoldCreate,
    reply: api.HoldRow,
    status: 201,
  },
  "GET /api/holds/{name}": {
    action: "holds.read",
    summary: "One address hold",
    params: name,
    reply: api.HoldRow,
  },
  "PUT /api/holds/{name}": {
    action: "holds.replace",
    summary: "Replace an address hold; what is left out goes back to its default",
    params: name,
    query: dryRun,
    body: api.HoldPatch,
    reply: api.HoldRow,
  },
  "PATCH /api/holds/{name}": {
    action: "holds.patch",
    summary: "Change what is present",
    params: name,
    query: dryRun,
    body: api.HoldPatch,
    reply: api.HoldRow,
  },
  "DELETE /api/holds/{name}": {
    action: "holds.delete",
    summary: "Delete an address hold",
    params: name,
    query: dryRun,
    reply: Removed,
  },

  "GET /api/services": {
    action: "services.list",
    summary: "All Services, of every type",
    reply: z.array(api.ServiceRow),
  },
  "GET /api/services/{namespace}/{name}": {
    action: "services.read",
    summary: "One Service",
    params: service,
    reply: api.ServiceRow,
  },
  "POST /api/services/{namespace}/{name}/expose": {
    action: "services.expose",
    summary: "Make it a LoadBalancer; follow the operation on the stream",
    params: service,
    body: api.ExposeBody,
    reply: api.Started,
    status: 202,
  },
  "DELETE /api/services/{namespace}/{name}/expose": {
    action: "services.unexpose",
    summary: "Give the address back and return to the type it had before",
    params: service,
    reply: api.Started,
    status: 202,
  },
  "GET /api/services/{namespace}/{name}/diagnosis": {
    action: "services.diagnosis",
    summary: "Why it is, or is not, assigned, announced and reachable",
    params: service,
    reply: api.Diagnosis,
  },
  "GET /api/services/{namespace}/{name}/path": {
    action: "services.path",
    summary:
      "The way of a request: address, announcing node or why not, per node, and the pods with their expected shares",
    params: service,
    reply: api.ServicePath,
  },
  "GET /api/services/{namespace}/{name}/yaml": {
    action: "services.yaml",
    summary: "The object as YAML",
    params: service,
    reply: api.YamlText,
  },

  "GET /api/nodes": { action: "nodes.list", summary: "All nodes", reply: z.array(api.NodeRow) },
  "GET /api/nodes/neighbours": {
    action: "nodes.neighbours",
    summary: "The edge's neighbour table (sandbox only; empty elsewhere)",
    reply: z.array(api.Neighbour),
  },
  "GET /api/nodes/{name}": { action: "nodes.read", summary: "One node", params: name, reply: api.NodeRow },
  "POST /api/nodes/{name}/power": {
    action: "nodes.power",
    summary: "Switch a sandbox node off or on",
    params: name,
    body: api.PowerBody,
    reply: api.NodeRow,
  },

  "GET /api/components": {
    action: "components.list",
    summary: "Controller and speaker",
    reply: z.array(api.ComponentRow),
  },
  "GET /api/components/{component}": {
    action: "components.read",
    summary: "Controller or speaker",
    params: component,
    reply: api.ComponentRow,
  },
  "POST /api/components/{component}/install": {
    action: "components.install",
    summary: "Apply its manifests and wait until it is ready",
    params: component,
    reply: api.Started,
    status: 202,
  },
  "POST /api/components/{component}/restart": {
    action: "components.restart",
    summary: "Replace its pods one after the other",
    params: component,
    reply: api.Started,
    status: 202,
  },
  "POST /api/components/{component}/uninstall": {
    action: "components.uninstall",
    summary: "Delete its objects; pools and their CRDs stay unless purge=true",
    params: component,
    query: z.object({ purge: flag.optional() }),
    reply: api.Started,
    status: 202,
  },
  "GET /api/components/{component}/logs": {
    action: "components.logs",
    summary: "The last lines of one of its pods",
    params: component,
    query: z.object({
      pod: z.string().max(253).optional(),
      tail: z.coerce.number().int().min(1).max(2000).default(200),
      previous: flag.optional(),
    }),
    reply: api.LogText,
  },

  "GET /api/probes": { action: "probes.list", summary: "All probe runs", reply: z.array(api.ProbeRow) },
  "POST /api/probes": {
    action: "probes.create",
    summary: "Start requesting a LoadBalancer Service's address",
    body: api.ProbeCreate,
    reply: api.ProbeRow,
    status: 201,
  },
  "GET /api/probes/{id}": { action: "probes.read", summary: "One probe run", params: id, reply: api.ProbeRow },
  "DELETE /api/probes/{id}": { action: "probes.delete", summary: "Stop and forget a run", params: id, reply: Removed },
  "POST /api/probes/{id}/stop": { action: "probes.stop", summary: "Stop a run", params: id, reply: api.ProbeRow },
  "GET /api/probes/{id}/samples": {
    action: "probes.samples",
    summary: "The last 600 seconds and the last 200 replies",
    params: id,
    reply: api.ProbeSamples,
  },

  "GET /api/preflight": { action: "preflight.run", summary: "Run every check now", reply: z.array(api.CheckRow) },
  "POST /api/preflight/{check}/fix": {
    action: "preflight.fix",
    summary: "Do what the check proposes",
    params: z.object({ check: z.string().max(100) }),
    reply: api.Started,
    status: 202,
  },

  "GET /api/activity": {
    action: "activity.list",
    summary: "Kubernetes Events about load balancing, the newest first",
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(200),
      object: z.string().max(600).optional(),
    }),
    reply: z.array(api.ActivityRow),
  },
  "GET /api/operations": {
    action: "operations.list",
    summary: "Things under way and lately ended",
    reply: z.array(api.OperationRow),
  },
  "GET /api/operations/{id}": {
    action: "operations.read",
    summary: "One operation",
    params: id,
    reply: api.OperationRow,
  },

  "POST /api/demo": {
    action: "demo.apply",
    summary: "Apply the demo workload: three nginx pods and their Service",
    reply: api.Started,
    status: 202,
  },
  "DELETE /api/demo": { action: "demo.remove", summary: "Remove the demo workload", reply: api.Started, status: 202 },

  "GET /api/openapi.json": {
    action: "openapi.read",
    summary: "This description",
    reply: z.record(z.string(), z.unknown()),
  },
} as const satisfies Record<string, Shape>;
