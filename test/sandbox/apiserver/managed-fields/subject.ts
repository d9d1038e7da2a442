import { applyFields } from "#sandbox/apiserver/managed-fields/apply";
import { readManagers } from "#sandbox/apiserver/managed-fields/entries";
import { pathsOf } from "#sandbox/apiserver/managed-fields/field-set";
import type { Shape } from "#sandbox/apiserver/managed-fields/shape";
import { trackWrite } from "#sandbox/apiserver/managed-fields/track";
import type { Json } from "#sandbox/kinds/definition";

export const TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:03Z"];

/** An object that managers apply to and update, one second later each time. */
export class Subject {
  object: Json | undefined;
  #step = 0;
  readonly #shape: Shape;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  apply(manager: string, content: Json, force = false): this {
    const applied = { apiVersion: "v1", kind: "X", metadata: { name: "x" }, ...content };
    const { object, entries } = applyFields({
      live: this.object,
      applied,
      shape: this.#shape,
      writer: this.#writer(manager),
      force,
      mayOwn: (name) => name !== "status",
    });
    return this.#keep(object, entries);
  }

  update(manager: string, content: Json, subresource = ""): this {
    const { managedFields, ...metadata } = (this.object?.metadata ?? {}) as Json;
    const before = this.object === undefined ? undefined : { ...this.object, metadata };
    const after = { apiVersion: "v1", kind: "X", ...content, metadata: { name: "x", ...(content.metadata as Json) } };
    return this.#keep(after, trackWrite(before, after, managedFields, this.#shape, this.#writer(manager, subresource)));
  }

  /** Manager to paths, as `.spec.replicas`. */
  owners(): Record<string, readonly string[]> {
    const owners: Record<string, readonly string[]> = {};
    for (const { name, operation, fields } of this.managers()) {
      owners[`${name} ${operation}`] = pathsOf(fields).map((path) => path.map((one) => one.slice(2)).join("."));
    }
    return owners;
  }

  managers() {
    return readManagers((this.object?.metadata as Json | undefined)?.managedFields);
  }

  #writer(manager: string, subresource = "") {
    return { manager, subresource, apiVersion: "v1", now: TIMES[this.#step++ % TIMES.length] ?? "" };
  }

  #keep(object: Json, entries: readonly unknown[] | undefined): this {
    const metadata = { ...(object.metadata as Json), ...(entries === undefined ? {} : { managedFields: entries }) };
    this.object = JSON.parse(JSON.stringify({ ...object, metadata }));
    return this;
  }
}
