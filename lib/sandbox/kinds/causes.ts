import type { Cause } from "./definition.ts";

/** The server's words for a refused field (apimachinery field.Error), by kind of refusal. */
export function invalid(field: string, value: unknown, detail: string): Cause {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown(value)}: ${detail}` };
}

export function required(field: string, detail = ""): Cause {
  return {
    reason: "FieldValueRequired",
    field,
    message: detail === "" ? "Required value" : `Required value: ${detail}`,
  };
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): Cause {
  const list = supported.map((one) => JSON.stringify(one)).join(", ");
  const message = `Unsupported value: ${shown(value)}: supported values: ${list}`;
  return { reason: "FieldValueNotSupported", field, message };
}

export function forbidden(field: string, detail: string): Cause {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${detail}` };
}

export function duplicate(field: string, value: unknown): Cause {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${shown(value)}` };
}

/** Says that a name refers to nothing in the same object. */
export function notFound(field: string, value: unknown): Cause {
  return { reason: "FieldValueInvalid", field, message: `Not found: ${shown(value)}` };
}

export function wrongType(field: string, value: unknown, type: string): Cause {
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const text = typeof value === "object" ? found : shown(value);
  const message = `Invalid value: "${found}": ${field} in body must be of type ${type}: ${text}`;
  return { reason: "FieldValueTypeInvalid", field, message };
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}
