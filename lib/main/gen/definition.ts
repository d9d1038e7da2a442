import type { z } from "zod";
import type { ResourceRef } from "#api/resources";
import type { Json } from "./structural.ts";

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

export interface Part {
  readonly type: z.ZodType;
  readonly description: string;
  readonly required?: boolean;
  /** Changes to the derived schema, by property: what zod has no word for. */
  readonly amend?: Readonly<Record<string, Json>>;
  /** `x-kubernetes-validations` of the part itself. */
  readonly rules?: readonly Json[];
}

/** A version that is served beside the one of `Definition.resource`, which is stored. */
interface OlderVersion {
  readonly version: string;
  /** What kubectl shows to whoever uses it. */
  readonly deprecationWarning: string;
  readonly spec: Part;
}

export interface Definition {
  readonly resource: ResourceRef;
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  readonly spec: Part | null;
  readonly status: Part | null;
  readonly older?: readonly OlderVersion[];
}

export const IMMUTABLE: Json = {
  "x-kubernetes-validations": [{ message: "Value is immutable", rule: "self == oldSelf" }],
};
