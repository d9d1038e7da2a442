import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { shared } from "#sandbox/store/field-sets";
import { isObject, textAt } from "../json.ts";
import { type FieldSet, readFieldSet } from "./field-set.ts";

export type Operation = "Apply" | "Update";

/** Who holds which fields: one entry of `metadata.managedFields`. */
export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; undefined for fields that were only joined, never changed. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Who writes, as a request says it. */
export interface Writer {
  readonly manager: string;
  readonly subresource: string;
  readonly apiVersion: string;
  /** RFC 3339. */
  readonly now: string;
}

const decoded = new WeakMap<readonly JsonValue[], readonly Manager[]>();

/** The entries of an object, as far as they can be read. */
export function readManagers(entries: JsonValue): readonly Manager[] {
  if (!Array.isArray(entries)) return [];
  let managers = decoded.get(entries);
  if (managers === undefined) {
    managers = entries.flatMap((entry) => readManager(entry) ?? []);
    decoded.set(entries, managers);
  }
  return managers;
}

function readManager(entry: JsonValue): Manager | undefined {
  if (!isObject(entry)) return undefined;
  const { operation } = entry;
  const fields = readFieldSet(entry.fieldsV1);
  if (fields === undefined || (operation !== "Apply" && operation !== "Update")) return undefined;
  const time = textAt(entry, "time");
  return {
    name: textAt(entry, "manager"),
    operation,
    apiVersion: textAt(entry, "apiVersion"),
    subresource: textAt(entry, "subresource"),
    time: time === "" ? undefined : time,
    fields,
  };
}

/** As objects carry them, in the server's order; undefined when nobody manages anything. */
export function writeManagers(managers: readonly Manager[]): JsonValue[] | undefined {
  if (managers.length === 0) return undefined;
  const sorted = managers
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        seconds(a.time) - seconds(b.time) ||
        compareText(a.name, b.name) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map((manager) => ({ ...manager, fields: shared(manager.fields) }));
  const entries = sorted.map(writeManager);
  decoded.set(entries, sorted);
  return entries;
}

function writeManager(manager: Manager): Json {
  const { name, operation, apiVersion, subresource, time, fields } = manager;
  return {
    ...(name === "" ? {} : { manager: name }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: fields as Json,
    ...(subresource === "" ? {} : { subresource }),
  };
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const seconds = (time: string | undefined) => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));

/** `managedFields: [{}]`, or an empty list that was asked for: the object is to be managed by nobody. */
export function isReset(entries: JsonValue): boolean {
  if (!Array.isArray(entries) || entries.length !== 1) return false;
  const [only] = entries;
  return isObject(only) && Object.values(only).every((value) => value === undefined || value === null || value === "");
}

const MANAGER_MAX = 128;

/** What is wrong with entries that a request brings itself. */
export function managedFieldsCauses(entries: JsonValue): readonly Cause[] {
  if (!Array.isArray(entries) || isReset(entries)) return [];
  return entries.flatMap((entry, index): Cause[] => {
    const path = `metadata.managedFields[${index}]`;
    const operation = textAt(entry, "operation");
    if (operation !== "Apply" && operation !== "Update") {
      return [invalid(`${path}.operation`, operation, "must be `Apply` or `Update`")];
    }
    const type = textAt(entry, "fieldsType");
    if (type !== "FieldsV1") return [invalid(`${path}.fieldsType`, type, "must be `FieldsV1`")];
    return managerCauses(textAt(entry, "manager"), `${path}.manager`);
  });
}

/** What is wrong with the name of a manager. */
export function managerCauses(manager: string, field: string): Cause[] {
  if (manager.length > MANAGER_MAX) {
    return [{ reason: "FieldValueInvalid", field, message: `Too long: may not be more than ${MANAGER_MAX} bytes` }];
  }
  const odd = [...manager].findIndex((character) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character));
  return odd < 0 ? [] : [invalid(field, manager, "should only contain printable characters")];
}

function invalid(field: string, value: string, why: string): Cause {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

/** The manager that a request without `fieldManager` is booked to: its User-Agent up to the first slash. */
export function managerOf(fieldManager: string, userAgent: string | undefined): string {
  const [product = ""] = (userAgent ?? "").split("/");
  return (fieldManager || product || "unknown").slice(0, MANAGER_MAX);
}
