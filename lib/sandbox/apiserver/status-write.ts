import type { Json } from "#sandbox/kinds/definition";
import { hasStatus } from "./admission.ts";
import { metadataOf, withAt } from "./json.ts";
import { updatedMetadata } from "./metadata.ts";
import { bucketOf, CRD_BUCKET, type Resource } from "./resource.ts";
import { methodNotAllowed } from "./status.ts";

/** What a write of `status` leaves alone in metadata besides what the server owns, by kind (status strategies of the real server). */
const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  [bucketOf("apps", "deployments"), ["labels"]],
  [bucketOf("", "pods"), ["ownerReferences"]],
]);

/**
 * `old` with the status of `body` and, for built-in kinds, its labels and annotations too: the real server's status
 * endpoints refuse changes of spec only. Custom resources and their definitions keep their whole metadata.
 */
export function statusWrite(resource: Resource, body: Json, old: Json): Json {
  if (!hasStatus(resource)) throw methodNotAllowed();
  const next = withAt({ ...old }, ["status"], body.status);
  if (resource.custom !== undefined || resource.bucket === CRD_BUCKET) return next;
  const metadata = updatedMetadata(body, old);
  const was = metadataOf(old);
  for (const field of KEPT.get(resource.bucket) ?? []) {
    if (was[field] === undefined) delete metadata[field];
    else metadata[field] = was[field];
  }
  return { ...next, metadata };
}
