import { randomUUID } from "node:crypto";
import { Fault } from "#core/errors";
import { jsonText } from "#core/int64";
import type { Json, JsonValue } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { admit, checkNamespace, checkOpen, hasStatus, readBody } from "./admission.ts";
import { type Address, type Engine, randomName, storeKey, targetOf } from "./context.ts";
import { metadataOf, textAt, timestamp } from "./json.ts";
import type { Writer } from "./managed-fields/entries.ts";
import { trackCreation, withManagedFields } from "./managed-fields/resource.ts";
import { tidyMetadata } from "./metadata.ts";
import { furnishNamespace } from "./namespace-content.ts";
import { bucketOf, inVersion, NAMESPACE_BUCKET, type Resource } from "./resource.ts";
import { type Review, UNREVIEWED } from "./review.ts";
import { alreadyExists, badRequest } from "./status.ts";

const GENERATED_BASE_MAX = 58;
const GENERATED_ATTEMPTS = 8;

interface CreateOptions {
  readonly dryRun?: boolean;
  /** Asked before the object is stored; default: nobody is. */
  readonly review?: Review;
  /** Who writes, as managed fields name it; absent: nobody manages the object. */
  readonly writer?: Writer;
  /** `metadata.managedFields` as server-side apply worked it out; `writer` does not matter then. */
  readonly managedFields?: JsonValue[] | undefined;
}

/**
 * Creates the object and returns it as stored. 409 AlreadyExists when the name is taken, 404 or 403 when the
 * namespace is missing or terminating, 422 with all causes, 400 for a body that is not an object of this kind.
 */
export function createObject(
  engine: Engine,
  resource: Resource,
  namespace: string,
  body: unknown,
  options: CreateOptions = {},
): Entry {
  checkOpen(resource);
  const object = readBody({ resource, namespace, name: "" }, body);
  if (textAt(object, "metadata", "resourceVersion") !== "") {
    throw badRequest("resourceVersion should not be set on objects to be created");
  }
  const prefix = textAt(object, "metadata", "generateName");
  const generated = textAt(object, "metadata", "name") === "" && prefix !== "";
  for (let attempt = 1; ; attempt++) {
    const name = generated ? prefix.slice(0, GENERATED_BASE_MAX) + randomName(5) : textAt(object, "metadata", "name");
    try {
      return store(engine, { resource, namespace, name }, object, options);
    } catch (thrown) {
      const taken = thrown instanceof Fault && thrown.code === "already_exists";
      if (!taken || !generated || attempt === GENERATED_ATTEMPTS) throw thrown;
    }
  }
}

function store(engine: Engine, address: Address, object: Json, options: CreateOptions): Entry {
  const { resource, name } = address;
  checkNamespace(engine, address);
  const key = storeKey(address);
  if (name !== "" && engine.store.get(resource.bucket, key) !== undefined) {
    throw alreadyExists(targetOf(resource), name);
  }
  // What the server allocates and injects afterwards is nobody's.
  const wanted = resource.definition.defaults(newObject(engine, resource, object, name));
  const managedFields = options.managedFields ?? trackCreation(resource, wanted, options.writer);
  const admitted = admit(engine, resource, wanted, { allocate: true, defaulted: true });
  const metadata = withManagedFields(tidyMetadata(metadataOf(admitted)), managedFields);
  const stored: Json = { ...admitted, apiVersion: resource.storedAs, metadata };
  const dryRun = options.dryRun === true;
  const { review = UNREVIEWED } = options;
  const shown = inVersion(resource, stored);
  return review({ operation: "CREATE", address, subresource: "", object: shown, revision: 0, dryRun }, () => {
    if (dryRun) return { key, object: stored, text: jsonText(stored), revision: 0 };
    const entry = engine.store.put(resource.bucket, key, stored, 0);
    if (resource.bucket === NAMESPACE_BUCKET) furnishNamespace(engine, name, createObject);
    return entry;
  });
}

// A kubelet registers its node with its status in one step.
const STATUS_AT_CREATION: ReadonlySet<string> = new Set([bucketOf("", "nodes")]);

function newObject(engine: Engine, resource: Resource, object: Json, name: string): Json {
  const metadata: Json = {
    ...metadataOf(object),
    ...(name === "" ? {} : { name }),
    uid: randomUUID(),
    creationTimestamp: timestamp(engine.clock.now()),
  };
  for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"]) {
    delete metadata[field];
  }
  if (resource.definition.hasGeneration) metadata.generation = 1;
  const fresh: Json = { ...object, metadata: tidyMetadata(metadata) };
  if (hasStatus(resource) && !STATUS_AT_CREATION.has(resource.bucket)) delete fresh.status;
  return fresh;
}
