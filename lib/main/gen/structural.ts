import { z } from "zod";
import { Condition, LabelSelector } from "#api/kubernetes/objects";
import { Fault } from "#core/errors";
import { CONDITION_SCHEMA, SELECTOR_SCHEMA } from "./common-schemas.ts";

export type Json = Record<string, unknown>;

const NOT_STRUCTURAL = ["anyOf", "oneOf", "allOf", "not", "$ref"];
const KEPT_TEXT = ["description", "default"];

/**
 * A zod type as the structural schema of a CustomResourceDefinition (KEP-2335). Throws when the type needs what a CRD
 * cannot say (a union, a reference): flatten the type then.
 */
export function schemaOf(type: z.ZodType): Json {
  const found = z.toJSONSchema(type, {
    target: "openapi-3.0",
    io: "input",
    reused: "inline",
    override({ zodSchema, jsonSchema }) {
      // The field's own words and default stay; everything below is the API's well-known shape.
      const known = wellKnown(zodSchema);
      if (known === undefined) return;
      for (const key of Object.keys(jsonSchema)) if (!KEPT_TEXT.includes(key)) delete (jsonSchema as Json)[key];
      for (const [key, value] of Object.entries(known)) (jsonSchema as Json)[key] ??= value;
    },
  });
  return structural(found, "$") as Json;
}

function wellKnown(type: unknown): Json | undefined {
  if (type === LabelSelector) return SELECTOR_SCHEMA;
  return type === Condition ? CONDITION_SCHEMA : undefined;
}

function structural(node: unknown, path: string): unknown {
  if (Array.isArray(node)) return node.map((item, index) => structural(item, `${path}[${index}]`));
  if (typeof node !== "object" || node === null) return node;
  const bad = NOT_STRUCTURAL.find((key) => key in node);
  if (bad !== undefined) throw new Fault("internal", `${path}: ${bad} cannot be expressed in a CRD; flatten the type`);
  const entries = Object.entries(node).filter(([key, value]) => !isNoise(node as Json, key, value));
  return Object.fromEntries(entries.map(([key, value]) => [key, structural(value, `${path}.${key}`)]));
}

/** What zod says and a CRD must not: closed or open objects, the range of safe integers, an empty list of required. */
function isNoise(node: Json, key: string, value: unknown): boolean {
  if (key === "$schema" || key === "id") return true;
  if (key === "additionalProperties") return "properties" in node || typeof value === "boolean";
  if (key === "propertyNames") return true;
  if (key === "minimum" || key === "maximum") return Math.abs(Number(value)) >= 2 ** 31 - 1;
  return key === "required" && Array.isArray(value) && value.length === 0;
}
