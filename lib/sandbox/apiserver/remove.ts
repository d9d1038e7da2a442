import { jsonText } from "#core/int64";
import type { Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry, storeKey, targetOf } from "./context.ts";
import { at, listAt, metadataOf, numberAt, objectAt, textAt, textList, timestamp, withAt } from "./json.ts";
import { bucketOf, CRD_BUCKET, inVersion, NAMESPACE_BUCKET, type Resource } from "./resource.ts";
import { type Review, UNREVIEWED } from "./review.ts";
import { badRequest, conflict, forbidden } from "./status.ts";

export interface RemoveOptions {
  readonly propagation?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Asked before anything is deleted; default: nobody is. */
  readonly review?: Review | undefined;
}

/** `gone`: no longer there; otherwise it waits for finalizers, its grace period, or its namespace to be emptied. */
export interface Removal {
  readonly entry: Entry;
  readonly gone: boolean;
}

const POD_BUCKET = bucketOf("", "pods");
const PROTECTED: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);
const PROPAGATION_FINALIZER: Readonly<Record<string, string>> = { Foreground: "foregroundDeletion", Orphan: "orphan" };
const CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

/**
 * Deletes as the real server does: finalizers and a pod's grace period are honoured, a namespace turns Terminating,
 * a CustomResourceDefinition takes its objects with it. 404, 409 when a precondition fails, 403 for system namespaces.
 */
export function removeObject(engine: Engine, address: Address, options: RemoveOptions = {}): Removal {
  const entry = readEntry(engine, address);
  const { resource } = address;
  checkPreconditions(address, entry, options);
  if (resource.bucket === NAMESPACE_BUCKET && PROTECTED.has(address.name)) {
    throw forbidden(targetOf(resource), address.name, "this namespace may not be deleted");
  }
  const dryRun = options.dryRun === true;
  const { review = UNREVIEWED } = options;
  const old = inVersion(resource, entry.object);
  const about = { operation: "DELETE", address, subresource: "", old, revision: entry.revision, dryRun } as const;
  return review(about, () => remove(engine, address, entry, options));
}

function remove(engine: Engine, address: Address, entry: Entry, options: RemoveOptions): Removal {
  const { resource } = address;
  const dryRun = options.dryRun === true;
  if (resource.bucket === CRD_BUCKET) return dryRun ? { entry, gone: true } : removeCrd(engine, address, entry);

  const marked = mark(engine, resource, entry.object, options);
  if (dryRun) {
    const shown: Entry = { ...entry, object: marked, text: jsonText(marked) };
    return { entry: shown, gone: isFinished(resource, marked) };
  }
  if (isFinished(resource, marked)) {
    const last = engine.store.remove(resource.bucket, storeKey(address), entry.revision);
    afterRemoval(engine, resource);
    return { entry: last, gone: true };
  }
  if (marked === entry.object) return { entry, gone: false };
  return { entry: engine.store.put(resource.bucket, storeKey(address), marked, entry.revision), gone: false };
}

/** Whether an object that is being deleted has nothing left to wait for. */
export function isFinished(resource: Resource, object: Json): boolean {
  const metadata = metadataOf(object);
  if (metadata.deletionTimestamp === undefined) return false;
  if (listAt(metadata, "finalizers").length > 0) return false;
  if (resource.bucket === NAMESPACE_BUCKET && listAt(object, "spec", "finalizers").length > 0) return false;
  return (numberAt(metadata, "deletionGracePeriodSeconds") ?? 0) === 0;
}

/** When the last object of a deleted definition is gone, so is the definition. */
export function afterRemoval(engine: Engine, resource: Resource): void {
  if (resource.custom === undefined || resource.custom.open || engine.store.count(resource.bucket) > 0) return;
  const crd = engine.store.get(CRD_BUCKET, resource.custom.name);
  if (crd !== undefined) engine.store.remove(CRD_BUCKET, crd.key, crd.revision);
}

function checkPreconditions(address: Address, entry: Entry, options: RemoveOptions): void {
  const own = textAt(entry.object, "metadata", "uid");
  const target = targetOf(address.resource);
  const { uid, resourceVersion, gracePeriodSeconds, propagation } = options;
  if (gracePeriodSeconds !== undefined && (!Number.isInteger(gracePeriodSeconds) || gracePeriodSeconds < 0)) {
    throw badRequest(`gracePeriodSeconds must be a non-negative integer, not ${gracePeriodSeconds}`);
  }
  if (propagation !== undefined && propagation !== "Background" && PROPAGATION_FINALIZER[propagation] === undefined) {
    throw badRequest(
      `invalid propagationPolicy "${propagation}": must be one of "Foreground", "Background" or "Orphan"`,
    );
  }
  if (uid !== undefined && uid !== own) {
    throw conflict(
      target,
      address.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${own}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== `${entry.revision}`) {
    throw conflict(
      target,
      address.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${entry.revision}`,
    );
  }
}

/** The object as it is while it waits to go; the same object when this request changes nothing. */
function mark(engine: Engine, resource: Resource, object: Json, options: RemoveOptions): Json {
  const metadata = metadataOf(object);
  const grace = resource.bucket === POD_BUCKET ? podGrace(object, options.gracePeriodSeconds) : 0;
  const finalizer = PROPAGATION_FINALIZER[options.propagation ?? ""];
  const finalizers = textList(metadata.finalizers);
  const wanted = finalizer === undefined || finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer];
  const deleting = metadata.deletionTimestamp !== undefined;
  const known = numberAt(metadata, "deletionGracePeriodSeconds") ?? 0;
  if (deleting && known <= grace && wanted === finalizers) return object;
  const next: Json = {
    ...metadata,
    deletionTimestamp: timestamp(engine.clock.now() + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...(wanted.length > 0 ? { finalizers: [...wanted] } : {}),
  };
  if (deleting && known <= grace) {
    next.deletionTimestamp = metadata.deletionTimestamp;
    next.deletionGracePeriodSeconds = metadata.deletionGracePeriodSeconds;
  }
  if (typeof metadata.generation === "number" && !deleting) next.generation = metadata.generation + 1;
  const marked: Json = { ...object, metadata: next };
  if (resource.bucket !== NAMESPACE_BUCKET) return marked;
  delete next.deletionGracePeriodSeconds;
  return withAt(marked, ["status", "phase"], "Terminating");
}

/** A pod that no kubelet runs goes at once; any other after its own grace period unless the request says otherwise. */
function podGrace(pod: Json, asked: number | undefined): number {
  const phase = textAt(pod, "status", "phase");
  if (textAt(pod, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0;
  return asked ?? numberAt(pod, "spec", "terminationGracePeriodSeconds") ?? 30;
}

function removeCrd(engine: Engine, address: Address, crd: Entry): Removal {
  const spec = objectAt(crd.object, "spec");
  const group = textAt(spec, "group");
  const plural = textAt(spec, "names", "plural");
  const resource = engine.catalog.ofBucket(group, plural);
  if (resource?.custom?.name === address.name) {
    for (const entry of engine.store.list(resource.bucket)) {
      const name = textAt(entry.object, "metadata", "name");
      const namespace = textAt(entry.object, "metadata", "namespace");
      removeObject(engine, { resource, namespace, name });
    }
  }
  if (engine.store.count(bucketOf(group, plural)) === 0) {
    return { entry: engine.store.remove(CRD_BUCKET, crd.key, crd.revision), gone: true };
  }
  if (at(crd.object, "metadata", "deletionTimestamp") !== undefined) return { entry: crd, gone: false };
  const marked: Json = {
    ...crd.object,
    metadata: {
      ...metadataOf(crd.object),
      deletionTimestamp: timestamp(engine.clock.now()),
      deletionGracePeriodSeconds: 0,
      finalizers: [CRD_FINALIZER],
    },
  };
  return { entry: engine.store.put(CRD_BUCKET, crd.key, marked, crd.revision), gone: false };
}
