import { since } from "#sandbox/kinds/age";
import { AGE, NAME } from "#sandbox/kinds/columns/common";
import type { Cause, Column, Json, JsonValue, KindDefinition } from "#sandbox/kinds/definition";
import { brokenRules, compileRules, type RuleTree } from "./cel/rules.ts";
import { at, isObject, listAt, objectAt, textAt, textList } from "./json.ts";
import { parseJsonPath } from "./jsonpath.ts";
import { apiVersionOf, bucketOf, type Resource } from "./resource.ts";
import { applyDefaults, prune, validateSchema } from "./schema.ts";

/** The resources that one CustomResourceDefinition serves: one per served version. */
export function customResources(crd: Json): readonly Resource[] {
  const spec = objectAt(crd, "spec");
  const names = objectAt(spec, "names");
  const group = textAt(spec, "group");
  const plural = textAt(names, "plural");
  const kind = textAt(names, "kind");
  const versions = listAt(spec, "versions").filter(isObject);
  const storage = versions.find((version) => version.storage === true);
  if (group === "" || plural === "" || kind === "" || storage === undefined) return [];
  return versions
    .filter((version) => version.served === true)
    .map((version): Resource => {
      const schema = objectAt(version, "schema", "openAPIV3Schema");
      const scale = at(version, "subresources", "scale");
      return {
        definition: definitionOf(crd, version, schema),
        bucket: bucketOf(group, plural),
        listKind: textAt(names, "listKind") || `${kind}List`,
        apiVersion: apiVersionOf(group, textAt(version, "name")),
        storedAs: apiVersionOf(group, textAt(storage, "name")),
        custom: {
          name: `${plural}.${group}`,
          open: at(crd, "metadata", "deletionTimestamp") === undefined,
          schema,
          selectable: listAt(version, "selectableFields").map((field) => textAt(field, "jsonPath").replace(/^\./, "")),
          ...(isObject(scale)
            ? {
                scale: {
                  spec: textAt(scale, "specReplicasPath"),
                  status: textAt(scale, "statusReplicasPath"),
                  selector: textAt(scale, "labelSelectorPath"),
                },
              }
            : {}),
        },
      };
    });
}

function definitionOf(crd: Json, version: Json, schema: Json): KindDefinition {
  const names = objectAt(crd, "spec", "names");
  const plural = textAt(names, "plural");
  const kind = textAt(names, "kind");
  const subresources = objectAt(version, "subresources");
  return {
    group: textAt(crd, "spec", "group"),
    version: textAt(version, "name"),
    kind,
    plural,
    singular: textAt(names, "singular") || kind.toLowerCase(),
    shortNames: textList(names.shortNames),
    categories: textList(names.categories),
    namespaced: textAt(crd, "spec", "scope") === "Namespaced",
    subresources: ["status", "scale"].filter((name) => isObject(subresources[name])),
    hasGeneration: true,
    columns: columnsOf(version),
    mergeKeys: {},
    defaults: (object) => {
      const shaped = applyDefaults(prune(object, schema, true), schema);
      return isObject(shaped) ? shaped : object;
    },
    validate: validatorOf(schema),
  };
}

/** Schema first; the CEL rules only of what has the right shape, as the real server does. */
function validatorOf(schema: Json): KindDefinition["validate"] {
  const shape = withoutTypeRules(schema);
  let rules: { readonly tree: RuleTree | undefined } | undefined;
  return (object, old) => {
    const causes = validateSchema(withoutType(object), shape);
    // Compiled with the first object: the list of kinds is made anew with every change of any definition.
    rules ??= { tree: compileRules(schema) };
    if (rules.tree === undefined) return causes;
    if (causes.some(isBlocking)) return [...causes, RULES_NOT_CHECKED];
    return [...causes, ...brokenRules(rules.tree, object, old)];
  };
}

function isBlocking({ reason, message }: Cause): boolean {
  return reason === "FieldValueRequired" || reason === "FieldValueTypeInvalid" || /^Too (long|many):/.test(message);
}

const RULES_NOT_CHECKED: Cause = {
  reason: "FieldValueInvalid",
  field: "<nil>",
  message:
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing " +
    "errors to complete validation",
};

// apiVersion, kind and metadata are the server's business; a schema may say no more than that they are there.
function withoutType(object: Json): Json {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  return rest;
}

const OWNED: ReadonlySet<JsonValue> = new Set(["apiVersion", "kind", "metadata"]);

function withoutTypeRules(schema: Json): Json {
  const required = listAt(schema, "required").filter((name) => !OWNED.has(name));
  return { ...schema, required };
}

function columnsOf(version: Json): readonly Column[] {
  const printed = listAt(version, "additionalPrinterColumns").filter(isObject);
  return [NAME, ...(printed.length === 0 ? [AGE] : printed.map(printerColumn))];
}

function printerColumn(column: Json): Column {
  const type = textAt(column, "type");
  const path = parseJsonPath(textAt(column, "jsonPath"));
  const format = textAt(column, "format");
  return {
    name: textAt(column, "name"),
    type,
    ...(format === "" ? {} : { format }),
    description:
      textAt(column, "description") ||
      `Custom resource definition column (in JSONPath format): ${textAt(column, "jsonPath")}`,
    priority: typeof column.priority === "number" ? column.priority : 0,
    value: (object, now) => {
      const found = path?.(object) ?? [];
      return found.length === 0 ? null : cell(found, type, now);
    },
  };
}

function cell(found: readonly JsonValue[], type: string, now: number): string | number | boolean | null {
  const [first] = found;
  switch (type) {
    case "integer":
      return typeof first === "number" ? Math.trunc(first) : null;
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      return typeof first === "string" ? since(first, now).replace("<unknown>", "<invalid>") : null;
    default:
      return found
        .map((value) => (isObject(value) || Array.isArray(value) ? JSON.stringify(value) : `${value}`))
        .join(" ");
  }
}
