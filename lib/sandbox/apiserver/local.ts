import type { KubeObject } from "#api/kubernetes";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { ObjectName, Objects, ObjectView } from "#sandbox/port";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry } from "./context.ts";
import { createObject } from "./create.ts";
import { listObjects, matcherOf } from "./list.ts";
import { LocalView } from "./local-view.ts";
import { removeObject } from "./remove.ts";
import { bucketOf, inVersion, type Resource } from "./resource.ts";
import { patchObject, replaceObject } from "./update.ts";

/**
 * The API without HTTP, for parts that live in the server's process: the same admission, validation and Faults, as
 * an administrator. Objects are the stored ones: they must not be changed.
 */
export class LocalObjects implements Objects {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #views = new Map<string, LocalView>();

  constructor(engine: Engine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  async get<T extends KubeObject>(ref: ResourceRef<T>, name: ObjectName): Promise<T> {
    this.#engine.store.flush();
    const address = this.#address(ref, name);
    return typed<T>(address.resource, readEntry(this.#engine, address));
  }

  async list<T extends KubeObject>(
    ref: ResourceRef<T>,
    options: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string } = {},
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
    const resource = this.#resource(ref);
    const { entries, revision } = listObjects(this.#engine, resource, options);
    return { items: entries.map((entry) => typed<T>(resource, entry)), resourceVersion: `${revision}` };
  }

  async create<T extends KubeObject>(ref: ResourceRef<T>, object: T): Promise<T> {
    const resource = this.#resource(ref);
    return this.#done<T>(resource, createObject(this.#engine, resource, object.metadata.namespace ?? "", object));
  }

  async replace<T extends KubeObject>(
    ref: ResourceRef<T>,
    object: T,
    options: { readonly subresource?: "status" | "scale" | "finalize" } = {},
  ): Promise<T> {
    const { name = "", namespace } = object.metadata;
    const address = this.#address(ref, { name, namespace });
    const entry = replaceObject(this.#engine, address, object, { part: options.subresource ?? "" });
    return this.#done<T>(address.resource, entry, options.subresource === "scale");
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef<T>,
    name: ObjectName,
    patch: {
      readonly kind: "merge" | "json" | "strategic";
      readonly body: unknown;
      readonly subresource?: "status" | "scale";
    },
  ): Promise<T> {
    const address = this.#address(ref, name);
    const { kind, body, subresource } = patch;
    const entry = patchObject(this.#engine, address, { kind, body }, { part: subresource ?? "" });
    return this.#done<T>(address.resource, entry, subresource === "scale");
  }

  async remove(
    ref: ResourceRef,
    name: ObjectName,
    options: {
      readonly propagation?: "Foreground" | "Background" | "Orphan";
      readonly uid?: string;
      readonly gracePeriodSeconds?: number;
    } = {},
  ): Promise<void> {
    removeObject(this.#engine, this.#address(ref, name), options);
    await this.#engine.store.durable();
  }

  cache<T extends KubeObject>(
    ref: ResourceRef<T>,
    scope: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string } = {},
  ): ObjectView<T> {
    const { namespace, labelSelector = "", fieldSelector = "" } = scope;
    const id = [ref.group, ref.version, ref.plural, namespace ?? "", labelSelector, fieldSelector].join("\n");
    let view = this.#views.get(id);
    if (view === undefined) {
      const matches = matcherOf(this.#shape(ref), { labelSelector, fieldSelector });
      view = new LocalView(this.#engine.store, bucketOf(ref.group, ref.plural), namespace, matches, this.#log);
      this.#views.set(id, view);
    }
    return view.typed<T>();
  }

  close(): void {
    for (const view of this.#views.values()) view.close();
    this.#views.clear();
  }

  // A cache may be asked for before its definition exists: it is empty until then.
  #shape(ref: ResourceRef): Pick<Resource, "bucket" | "custom"> {
    const found = this.#engine.catalog.find(ref.group, ref.version, ref.plural);
    return found ?? { bucket: bucketOf(ref.group, ref.plural) };
  }

  #resource(ref: ResourceRef): Resource {
    const resource = this.#engine.catalog.find(ref.group, ref.version, ref.plural);
    if (resource === undefined) {
      throw new Fault(
        "not_found",
        `the server could not find the requested resource: ${ref.plural}.${ref.group || "core"}`,
      );
    }
    return resource;
  }

  #address(ref: ResourceRef, { name, namespace = "" }: ObjectName): Address {
    const resource = this.#resource(ref);
    return { resource, namespace: resource.definition.namespaced ? namespace : "", name };
  }

  async #done<T>(resource: Resource, entry: Entry, asIs = false): Promise<T> {
    await this.#engine.store.durable();
    return asIs ? (entry.object as T) : typed<T>(resource, entry);
  }
}

// The one place where stored JSON takes the type its reader asked for, as a decoded reply would.
function typed<T>(resource: Resource, entry: Entry): T {
  return inVersion(resource, entry.object) as T;
}
