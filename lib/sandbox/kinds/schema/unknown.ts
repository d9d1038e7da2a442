import type { Json, JsonValue } from "../definition.ts";
import { isObject } from "../json.ts";
import { definitionOf, type FieldType, type Scalar } from "./definitions.ts";

/** Paths of the members that a type does not have ("spec.ports[0].tragetPort"), in the order of the object. */
export function unknownFields(id: string, object: Json, path = ""): readonly string[] {
  const found: string[] = [];
  visitObject(id, object, path, found);
  return found;
}

function visitObject(id: string, object: Json, path: string, found: string[]): void {
  const definition = definitionOf(id);
  if (definition === undefined) return;
  for (const [name, value] of Object.entries(object)) {
    const field = definition.fields.get(name);
    const here = path === "" ? name : `${path}.${name}`;
    if (field === undefined) found.push(here);
    else visit(field.type, value, here, found);
  }
}

function visit(type: FieldType, value: JsonValue, path: string, found: string[]): void {
  if (type.kind === "ref") {
    if (isObject(value)) visitObject(type.id, value, path, found);
  } else if (type.kind === "list" && type.of.kind !== "scalar") {
    if (Array.isArray(value))
      for (const [index, item] of value.entries()) visit(type.of, item, `${path}[${index}]`, found);
  } else if (type.kind === "map" && type.of.kind !== "scalar" && isObject(value)) {
    for (const [key, item] of Object.entries(value)) visit(type.of, item, `${path}.${key}`, found);
  }
}

/** A value that its type cannot hold. */
interface Misfit {
  /** The decoder's words: "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32". */
  readonly message: string;
  /** The Go type it should have been. */
  readonly type: string;
}

/** The first value, in the order of the object, that cannot be decoded into its type. Null fits everything. */
export function misfitOf(id: string, object: Json, path = ""): Misfit | undefined {
  const definition = definitionOf(id);
  if (definition === undefined) return undefined;
  for (const [name, value] of Object.entries(object)) {
    const field = definition.fields.get(name);
    if (field === undefined || value === null || value === undefined) continue;
    const here = path === "" ? name : `${path}.${name}`;
    const found = misfit(field.type, value, `${id.slice(id.indexOf("/") + 1)}.${here}`, here);
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfit(type: FieldType, value: JsonValue, field: string, path: string): Misfit | undefined {
  if (value === null || value === undefined) return undefined;
  switch (type.kind) {
    case "ref":
      return isObject(value) ? misfitOf(type.id, value, path) : refusal(value, field, goType(type));
    case "list":
      if (!Array.isArray(value)) return refusal(value, field, goType(type));
      return firstOf(value, (item) => misfit(type.of, item, field, path));
    case "map":
      if (!isObject(value)) return refusal(value, field, goType(type));
      return firstOf(Object.values(value), (item) => misfit(type.of, item, field, path));
    case "scalar":
      return scalarMisfit(type.name, value, field);
  }
}

function firstOf(items: readonly JsonValue[], find: (item: JsonValue) => Misfit | undefined): Misfit | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const QUANTITY = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/;

function scalarMisfit(name: Scalar, value: JsonValue, field: string): Misfit | undefined {
  const refused = () => refusal(value, field, GO_SCALARS[name] ?? name);
  switch (name) {
    case "any":
      return undefined;
    case "bytes":
      if (typeof value !== "string") return refused();
      return base64Misfit(value);
    case "string":
      return typeof value === "string" ? undefined : refused();
    case "bool":
      return typeof value === "boolean" ? undefined : refused();
    case "number":
      return typeof value === "number" ? undefined : refused();
    case "int32":
    case "int64": {
      const limit = name === "int32" ? 2 ** 31 : 2 ** 63;
      const fits = typeof value === "number" && Number.isInteger(value) && value >= -limit;
      // Beyond 2^53 JSON.parse has already rounded; the largest int64 arrives as 2^63.
      return fits && (name === "int32" ? value < limit : value <= limit) ? undefined : refused();
    }
    case "intstr":
      if (typeof value === "string") return undefined;
      return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 31 ? undefined : refused();
    case "quantity":
      if (typeof value === "number" || (typeof value === "string" && QUANTITY.test(value))) return undefined;
      return {
        message: `quantities must match the regular expression '${QUANTITY.source}'`,
        type: "resource.Quantity",
      };
    case "time":
    case "microtime":
      if (typeof value !== "string") return refused();
      return Number.isNaN(Date.parse(value)) ? { message: timeWords(value), type: "v1.Time" } : undefined;
  }
}

function base64Misfit(text: string): Misfit | undefined {
  const plain = text.replace(/[\r\n]/g, "");
  if (plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain)) return undefined;
  const odd = plain.search(/[^A-Za-z0-9+/]/);
  return { message: `illegal base64 data at input byte ${odd < 0 ? plain.length & ~3 : odd}`, type: "[]uint8" };
}

function timeWords(value: string): string {
  const text = JSON.stringify(value);
  return `parsing time ${text} as "2006-01-02T15:04:05Z07:00": cannot parse ${text} as "2006"`;
}

const GO_SCALARS: Readonly<Partial<Record<Scalar, string>>> = {
  bytes: "[]uint8",
  number: "float64",
  time: "v1.Time",
  microtime: "v1.MicroTime",
  intstr: "intstr.IntOrString",
};

function goType(type: FieldType): string {
  switch (type.kind) {
    case "scalar":
      return GO_SCALARS[type.name] ?? type.name;
    case "list":
      return `[]${goType(type.of)}`;
    case "map":
      return `map[string]${goType(type.of)}`;
    case "ref":
      return `v1.${type.id.slice(type.id.indexOf("/") + 1)}`;
  }
}

function refusal(value: JsonValue, field: string, type: string): Misfit {
  return {
    message: `json: cannot unmarshal ${found(value, type)} into Go struct field ${field} of type ${type}`,
    type,
  };
}

function found(value: JsonValue, type: string): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value !== "number") return typeof value;
  return /^u?int\d+$/.test(type) ? `number ${value}` : "number";
}
