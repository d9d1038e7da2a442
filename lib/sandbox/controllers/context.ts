import type { KubeObject } from "#api/kubernetes/objects";
import { keyOf, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { type Reconcile, runLoop } from "#runtime/loop";
import { WorkQueue } from "#runtime/work-queue";
import type { Json } from "#sandbox/kinds/definition";
import { obj } from "#sandbox/kinds/json";
import type { Objects, ObjectView } from "../port.ts";
import type { EventRecorder } from "./events.ts";

/** What every controller of the sandbox works with. */
export interface ControllerContext {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly events: EventRecorder;
}

interface Loop {
  readonly queue: WorkQueue;
  /** Resolves when the last reconcile has finished. */
  readonly done: Promise<void>;
}

/** Runs one controller: a queue of keys and the function that brings a key to what it should be. */
export function startLoop(context: ControllerContext, name: string, reconcile: Reconcile, workers = 1): Loop {
  const queue = new WorkQueue({ clock: context.clock, baseDelayMs: 20, maxDelayMs: 5_000 });
  const log = context.log.with({ controller: name });
  // A failure that a work queue would not retry (a name taken, an object gone) is met by the next look at the caches.
  const persistent: Reconcile = async (key, signal) => {
    try {
      return await reconcile(key, signal);
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code === "not_found" || fault.code === "already_exists") return { requeueAfterMs: 200 };
      if (!fault.retryable && fault.code !== "internal") {
        log.warn("cannot reconcile", { key, code: fault.code, error: fault.message });
        return { requeueAfterMs: 5_000 };
      }
      throw new Fault(fault.code === "internal" ? "unavailable" : fault.code, fault.message, { cause: thrown });
    }
  };
  return { queue, done: runLoop(queue, persistent, { log, signal: context.signal, workers }) };
}

/** Adds every object of the view to the queue, now and whenever it changes. */
export function enqueueAll<T extends KubeObject>(
  view: ObjectView<T>,
  queue: WorkQueue,
  keysOf: (object: T, key: string) => readonly string[] = (_object, key) => [key],
): void {
  view.onChange((key, now, before) => {
    const keys = [now, before].flatMap((object) => (object === undefined ? [] : keysOf(object, key)));
    for (const one of new Set(keys)) queue.add(one);
  });
  for (const object of view.list()) for (const key of keysOf(object, keyOf(object))) queue.add(key);
}

/** Removes the object if it is still the one with this uid; an object already gone is no failure. */
export async function removeIfThere(
  objects: Objects,
  resource: ResourceRef,
  object: KubeObject,
  options: { readonly gracePeriodSeconds?: number; readonly propagation?: "Background" | "Foreground" } = {},
): Promise<void> {
  const { name = "", namespace, uid } = object.metadata;
  try {
    await objects.remove(resource, { name, namespace }, { ...options, ...(uid !== undefined && { uid }) });
  } catch (thrown) {
    const { code } = Fault.from(thrown);
    // Another object of that name stands there now: ours is gone.
    if (code !== "not_found" && code !== "conflict") throw thrown;
  }
}

/** A built object as the type of its resource: the one place where literal JSON becomes an API type. */
export function asObject<T extends KubeObject>(_resource: ResourceRef<T>, json: Json): T {
  return json as unknown as T;
}

/** An API object as JSON, for the tolerant readers of kinds/json. */
export function jsonOf(object: KubeObject): Json {
  return obj(object);
}

/** RFC 3339 to the second, as Kubernetes writes times. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
