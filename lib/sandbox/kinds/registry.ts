import type { KindRegistry } from "./definition.ts";
import { CORE_KINDS } from "./kinds-core.ts";
import { GROUP_KINDS } from "./kinds-groups.ts";
import { openapiOf } from "./openapi.ts";
import { operations } from "./openapi-paths.ts";

/** The kinds the sandbox's API server has built in. `kubectl api-resources` lists them in this order. */
export function builtinKinds(): KindRegistry {
  const all = [...CORE_KINDS, ...GROUP_KINDS];
  return { all, openapi: (group, version) => openapiOf(all, group, version, operations) };
}
