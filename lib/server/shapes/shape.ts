import { z } from "zod";

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

/** Path parameters of routes about one object. */
export const name = z.object({ name: z.string().min(1).max(253) });
export const id = z.object({ id: z.string().min(1).max(100) });

/** A query parameter that is there or not: `?purge`, `?purge=true`; only "false" says no. */
export const flag = z.enum(["true", "false", ""]).transform((text) => text !== "false");
export const dryRun = z.object({ dryRun: flag.optional() });

export const Removed = z.object({ removed: z.string() });
