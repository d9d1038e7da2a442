import type { KubeObject, OwnerReference } from "#api/kubernetes/objects";
import { CRDS, keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { KindRegistry } from "#sandbox/kinds/definition";
import type { ObjectView } from "../port.ts";
import { type ControllerContext, startLoop } from "./context.ts";
import { builtinRefs, customRefs } from "./kinds.ts";

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

interface Watched {
  readonly ref: ResourceRef;
  readonly view: ObjectView<KubeObject>;
}

/**
 * Deletes what has lost all its owners. An owner being deleted in the foreground waits for its dependents, one deleted
 * with `orphan` lets go of them first.
 */
export function startGarbageCollector(context: ControllerContext, kinds: KindRegistry): Promise<void> {
  const { objects } = context;
  const watched = new Map<string, Watched>();
  // By uid: what is there, and who depends on it. Keys of the queue are "group/plural namespace/name".
  const present = new Map<string, string>();
  const dependents = new Map<string, Set<string>>();

  const reconcile = async (id: string) => {
    const [where = "", key = ""] = id.split(" ");
    const entry = watched.get(where);
    const object = entry?.view.get(key);
    if (entry === undefined || object === undefined) return {};
    const finalizers = object.metadata.finalizers ?? [];
    if (object.metadata.deletionTimestamp !== undefined) {
      if (finalizers.includes(ORPHAN)) return release(entry, object);
      if (finalizers.includes(FOREGROUND)) return awaitDependents(entry, object);
      return {};
    }
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return {};
    const states = await Promise.all(owners.map((owner) => isThere(owner, object.metadata.namespace)));
    const gone = owners.filter((_owner, index) => states[index] === false);
    if (gone.length === 0) return {};
    if (gone.length < owners.length) {
      const kept = owners.filter((_owner, index) => states[index] === true);
      return patch(entry, object, { ownerReferences: kept });
    }
    await remove(entry, object, "Background");
    return {};
  };

  const isThere = async (owner: OwnerReference, namespace: string | undefined): Promise<boolean> => {
    if (present.has(owner.uid)) return true;
    const group = owner.apiVersion.includes("/") ? (owner.apiVersion.split("/")[0] ?? "") : "";
    const found = [...watched.values()].find(({ ref }) => ref.group === group && ref.kind === owner.kind);
    // A kind that nobody serves: not ours to judge.
    if (found === undefined) return true;
    const name = { name: owner.name, ...(found.ref.namespaced && { namespace }) };
    try {
      return (await objects.get(found.ref, name)).metadata.uid === owner.uid;
    } catch (thrown) {
      if (Fault.from(thrown).code === "not_found") return false;
      throw thrown;
    }
  };

  const release = async (entry: Watched, object: KubeObject) => {
    const uid = object.metadata.uid ?? "";
    for (const id of dependents.get(uid) ?? []) {
      const dependent = find(id);
      if (dependent === undefined) continue;
      const kept = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      await patch(dependent.entry, dependent.object, { ownerReferences: kept });
    }
    return dropFinalizer(entry, object, ORPHAN);
  };

  const awaitDependents = async (entry: Watched, object: KubeObject) => {
    const uid = object.metadata.uid ?? "";
    const blocking = [...(dependents.get(uid) ?? [])].map(find).filter((found) => found !== undefined);
    if (blocking.length === 0) return dropFinalizer(entry, object, FOREGROUND);
    for (const found of blocking) {
      if (found.object.metadata.deletionTimestamp === undefined) await remove(found.entry, found.object, "Foreground");
    }
    return { requeueAfterMs: 1_000 };
  };

  const find = (id: string) => {
    const [where = "", key = ""] = id.split(" ");
    const entry = watched.get(where);
    const object = entry?.view.get(key);
    return entry === undefined || object === undefined ? undefined : { entry, object };
  };

  const dropFinalizer = (entry: Watched, object: KubeObject, finalizer: string) => {
    const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    return patch(entry, object, { finalizers, resourceVersion: object.metadata.resourceVersion });
  };

  const patch = async ({ ref }: Watched, object: KubeObject, metadata: object) => {
    const { name = "", namespace, uid } = object.metadata;
    try {
      await objects.patch(ref, { name, namespace }, { kind: "merge", body: { metadata: { uid, ...metadata } } });
    } catch (thrown) {
      if (Fault.from(thrown).code !== "not_found") throw thrown;
    }
    return {};
  };

  const remove = async ({ ref }: Watched, object: KubeObject, propagation: "Background" | "Foreground") => {
    const { name = "", namespace, uid = "" } = object.metadata;
    try {
      await objects.remove(ref, { name, namespace }, { propagation, uid });
    } catch (thrown) {
      const { code } = Fault.from(thrown);
      if (code !== "not_found" && code !== "conflict") throw thrown;
    }
  };

  const loop = startLoop(context, "garbage", reconcile, 4);

  const take = (where: string, key: string, now: KubeObject | undefined, before: KubeObject | undefined) => {
    const id = `${where} ${key}`;
    for (const owner of before?.metadata.ownerReferences ?? []) dependents.get(owner.uid)?.delete(id);
    for (const owner of now?.metadata.ownerReferences ?? []) {
      const ids = dependents.get(owner.uid) ?? new Set();
      dependents.set(owner.uid, ids.add(id));
    }
    const [uid, uidBefore] = [now?.metadata.uid, before?.metadata.uid];
    if (uid !== undefined) present.set(uid, id);
    if (uidBefore !== undefined && uidBefore !== uid) {
      present.delete(uidBefore);
      for (const dependent of dependents.get(uidBefore) ?? []) loop.queue.add(dependent);
      if (dependents.get(uidBefore)?.size === 0) dependents.delete(uidBefore);
      // An owner that waits for its dependents looks again when one is gone.
      for (const owner of before?.metadata.ownerReferences ?? []) {
        const waiting = present.get(owner.uid);
        if (waiting !== undefined) loop.queue.add(waiting);
      }
    }
    const interesting = now?.metadata.ownerReferences !== undefined || now?.metadata.finalizers !== undefined;
    if (now !== undefined && interesting) loop.queue.add(id);
  };

  const watch = (ref: ResourceRef) => {
    const where = `${ref.group}/${ref.plural}`;
    if (watched.has(where)) return;
    const view = objects.cache<KubeObject>(ref);
    watched.set(where, { ref, view });
    view.onChange((key, now, before) => take(where, key, now, before));
    for (const object of view.list()) take(where, keyOf(object), object, undefined);
  };
  // Events and leases come and go by themselves.
  for (const ref of builtinRefs(kinds)) if (ref.plural !== "events") watch(ref);
  const crds = objects.cache(CRDS);
  for (const ref of customRefs(crds.list())) watch(ref);
  crds.onChange((_key, now) => {
    for (const ref of now === undefined ? [] : customRefs([now])) watch(ref);
  });
  return loop.done;
}
