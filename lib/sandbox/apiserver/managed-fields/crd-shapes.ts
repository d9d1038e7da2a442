import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { isObject, textAt, textList } from "../json.ts";
import { builtinShape } from "./builtin-shapes.ts";
import { ANY, ATOM, type ListShape, NOTHING, type Shape } from "./shape.ts";

const shapes = new WeakMap<Json, Shape>();

/** Shape of a custom resource, from the structural schema of its definition. */
export function customShape(schema: Json): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) {
    const own = schemaShape(schema);
    const metadata = builtinShape("meta/ObjectMeta");
    shape =
      own.kind !== "map"
        ? own
        : {
            ...own,
            field: (name) =>
              name === "metadata" ? metadata : name === "apiVersion" || name === "kind" ? ATOM : own.field(name),
            always: new Set(["metadata"]),
          };
    shapes.set(schema, shape);
  }
  return shape;
}

function schemaShape(schema: Json): Shape {
  if (schema["x-kubernetes-int-or-string"] === true) return ATOM;
  const type = textAt(schema, "type");
  if (type === "array") return listShape(schema);
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true;
  if (type !== "object" && type !== "") return ATOM;
  if (schema["x-kubernetes-map-type"] === "atomic") return ATOM;
  const { properties, additionalProperties } = schema;
  const declared = isObject(properties) ? properties : {};
  const entry = isObject(additionalProperties) ? schemaShape(additionalProperties) : open ? ANY : undefined;
  if (entry === ANY && Object.keys(declared).length === 0) return ANY;
  const fields = new Map<string, Shape>();
  return {
    kind: "map",
    always: NOTHING,
    entry: entry === undefined ? undefined : () => entry,
    field(name) {
      const property = Object.hasOwn(declared, name) ? declared[name] : undefined;
      let known = fields.get(name);
      if (isObject(property) && known === undefined) {
        known = schemaShape(property);
        fields.set(name, known);
      }
      return known;
    },
  };
}

function listShape(schema: Json): Shape {
  const { items } = schema;
  const kind = textAt(schema, "x-kubernetes-list-type");
  if (!isObject(items) || (kind !== "map" && kind !== "set")) return ATOM;
  const item = schemaShape(items);
  const keys = kind === "set" ? [] : textList(schema["x-kubernetes-list-map-keys"]).map((name) => keyOf(items, name));
  if (kind === "map" && keys.length === 0) return ATOM;
  return { kind: "list", keys: keys.toSorted((a, b) => (a.name < b.name ? -1 : 1)), item: () => item };
}

function keyOf(items: Json, name: string): ListShape["keys"][number] {
  const property = isObject(items.properties) ? items.properties[name] : undefined;
  const fallback: JsonValue = isObject(property) ? property.default : undefined;
  return { name, ...(fallback === undefined ? {} : { default: fallback }) };
}
