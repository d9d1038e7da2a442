import { z } from "zod";
import { Problem } from "#api/dashboard/problem";
import { SHAPES } from "./shapes/all.ts";
import type { Shape } from "./shapes/shape.ts";

/** The OpenAPI 3.1 description of every JSON route, made from the very schemas that check them. */
export function openApi(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [key, shape] of Object.entries(SHAPES)) {
    const [method = "", path = ""] = key.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(shape) };
  }
  paths["/api/stream"] = { get: stream() };
  return {
    openapi: "3.1.0",
    info: { title: "Berth dashboard", version, description: "The JSON API behind Berth's dashboard." },
    paths,
    components: { schemas: { Problem: schema(Problem, "output") } },
  };
}

function operation(shape: Shape): Record<string, unknown> {
  const parameters = [...parametersOf(shape.params, "path"), ...parametersOf(shape.query, "query")];
  const problem = {
    description: "What went wrong (RFC 9457); `fields` names each field and what would be right",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  return {
    operationId: shape.action,
    summary: shape.summary,
    tags: [shape.action.split(".")[0]],
    ...(parameters.length > 0 && { parameters }),
    ...(shape.body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: schema(shape.body, "input") } } },
    }),
    responses: {
      [String(shape.status ?? 200)]: {
        description: shape.summary,
        content: { "application/json": { schema: schema(shape.reply, "output") } },
      },
      default: problem,
    },
  };
}

function parametersOf(object: z.ZodType | undefined, place: "path" | "query"): readonly Record<string, unknown>[] {
  if (!(object instanceof z.ZodObject)) return [];
  const required = (one: z.ZodType) => place === "path" || !one.safeParse(undefined).success;
  return Object.entries(object.shape as Readonly<Record<string, z.ZodType>>).map(([name, one]) => ({
    name,
    in: place,
    required: required(one),
    schema: schema(one, "input"),
  }));
}

function schema(one: z.ZodType, io: "input" | "output"): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(one, { io, unrepresentable: "any", target: "draft-2020-12" });
  return rest;
}

function stream(): Record<string, unknown> {
  return {
    operationId: "stream.open",
    summary:
      "Server-sent events: a snapshot per topic, hello, then deltas (StreamMessage in lib/api/dashboard/stream.ts)",
    tags: ["stream"],
    responses: { 200: { description: "Events", content: { "text/event-stream": { schema: { type: "string" } } } } },
  };
}
