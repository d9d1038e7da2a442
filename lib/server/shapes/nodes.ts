import { z } from "zod";
import { Neighbour, NodeRow, PowerBody } from "#api/dashboard/nodes";
import { name, type Shape } from "./shape.ts";

/** Nodes, and what the edge knows about them. By "METHOD /path". */
export const NODE_SHAPES = {
  "GET /api/nodes": { action: "nodes.list", summary: "All nodes", reply: z.array(NodeRow) },
  "GET /api/nodes/neighbours": {
    action: "nodes.neighbours",
    summary: "The edge's neighbour table (sandbox only; empty elsewhere)",
    reply: z.array(Neighbour),
  },
  "GET /api/nodes/{name}": { action: "nodes.read", summary: "One node", params: name, reply: NodeRow },
  "POST /api/nodes/{name}/power": {
    action: "nodes.power",
    summary: "Switch a sandbox node off or on",
    params: name,
    body: PowerBody,
    reply: NodeRow,
  },
} as const satisfies Record<string, Shape>;
