import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { ObjectName, Objects, ObjectView } from "#sandbox/port";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry } from "./context.ts";
import { createObject } from "./create.ts";
import { timestamp } from "./json.ts";
import { listObjects, matcherOf } from "./list.ts";
import { LocalView } from "./local-view.ts";
import type { Writer } from "./managed-fields/entries.ts";
import { removeObject } from "./remove.ts";
import { bucketOf, inVersion, type Resource } from "./resource.ts";
import type { Review } from "./review.ts";
import { patchObject, replaceObject } from "./update.ts";
import type { User } from "./users.ts";
import type { Webhooks } from "./webhooks/driver.ts";

/** Whose writes managed fields say these are. */
const MANAGER = "kube-controller-manager";
const CONTROLLER_MANAGER: User = {
  name: "system:kube-controller-manager",
  groups: ["system:masters", "system:authenticated"],
};

/**
 * The API without HTTP, for parts that live in the server's process: the same admission, validation and Faults, as
 * an administrator. Objects are the stored ones: they must not be changed.
 */
export class LocalObjects implements Objects {
  readonly #engine: Engine;
  readonly #webhooks: Webhooks;
  readonly #log: Log;
  readonly #views = new Map<string, LocalView>();

  constructor(engine: Engine, webhooks: Webhooks, log: Log) {
    this.#engine = engine;
    this.#webhooks = webhooks;
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
    const namespace = object.metadata.namespace ?? "";
    const entry = await this.#reviewed((review) =>
      createObject(this.#engine, resource, namespace, object, { review, writer: this.#writer(resource) }),
    );
    return this.#done<T>(resource, entry);
  }

  async replace<T extends KubeObject>(
    ref: ResourceRef<T>,
    object: T,
    options: { readonly subresource?: "status" | "scale" | "finalize" } = {},
  ): Promise<T> {
    const { name = "", namespace } = object.metadata;
    const address = this.#address(ref, { name, namespace });
    const part = options.subresource ?? "";
    const writer = this.#writer(address.resource, part);
    const entry = await this.#reviewed((review) =>
      replaceObject(this.#engine, address, object, { part, review, writer }),
    );
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
    const part = subresource ?? "";
    const writer = this.#writer(address.resource, part);
    const entry = await this.#reviewed((review) =>
      patchObject(this.#engine, address, { kind, body }, { part, review, writer }),
    );
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
    const address = this.#address(ref, name);
    await this.#reviewed((review) => removeObject(this.#engine, address, { ...options, review }));
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

  #writer({ apiVersion }: Resource, subresource = ""): Writer {
    return { manager: MANAGER, subresource, apiVersion, now: timestamp(this.#engine.clock.now()) };
  }

  #reviewed<T>(write: (review: Review) => T): Promise<T> {
    return this.#webhooks.reviewed(write, { user: CONTROLLER_MANAGER }, () => undefined);
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
