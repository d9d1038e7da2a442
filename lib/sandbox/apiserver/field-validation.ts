import type { ServerResponse } from "node:http";
import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { misfitOf, unknownFields } from "#sandbox/kinds/schema/unknown";
import { duplicateKeys, duplicateYamlKeys } from "./duplicate-keys.ts";
import { isObject, metadataOf } from "./json.ts";
import { addWarning } from "./reply.ts";
import type { Resource } from "./resource.ts";
import { badRequest, failure, type StatusFault } from "./status.ts";

/** What becomes of fields that nobody knows or that come twice: refused, warned of, dropped in silence. */
type Directive = "Strict" | "Warn" | "Ignore";

/** `fieldValidation` of a request; Warn when it says nothing. Throws 422 for any other value. */
export function readDirective(query: URLSearchParams, options: string): Directive {
  const asked = query.get("fieldValidation") ?? "";
  if (asked === "") return "Warn";
  if (asked === "Strict" || asked === "Warn" || asked === "Ignore") return asked;
  const message = `Unsupported value: ${JSON.stringify(asked)}: supported values: "Ignore", "Strict", "Warn"`;
  throw failure({
    code: 422,
    reason: "Invalid",
    message: `${options}.meta.k8s.io "" is invalid: fieldValidation: ${message}`,
    details: { group: "meta.k8s.io", kind: options },
    causes: [{ reason: "FieldValueNotSupported", field: "fieldValidation", message }],
  });
}

/** What is known of the kind that a body should be of. */
export interface Validated extends Pick<Resource, "custom"> {
  readonly definition: Pick<Resource["definition"], "kind" | "version" | "schemaId">;
}

/** A body as it came, for what its parsed form no longer shows. */
export interface RawBody {
  readonly text: string;
  readonly format: "json" | "yaml";
}

/**
 * Checks the bodies of one request. Strict: throws 400 (for a patch 422) in the server's words; Warn: a Warning header
 * each. Values that built-in types cannot hold are refused whatever the directive.
 */
export class FieldValidation {
  readonly #resource: Validated;
  readonly #directive: Directive;
  readonly #response: ServerResponse;

  constructor(resource: Validated, directive: Directive, response: ServerResponse) {
    this.#resource = resource;
    this.#directive = directive;
    this.#response = response;
  }

  /** A whole object. */
  check(body: unknown, raw: RawBody | undefined): void {
    if (!isObject(body)) return;
    const { kind, version } = this.#resource.definition;
    const refuse = (why: string) =>
      badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
    const misfit = this.#misfit(body);
    if (misfit !== undefined) throw refuse(misfit.message);
    if (this.#directive === "Ignore") return;
    this.#judge([...duplicatesOf(body, raw), ...this.#unknown(body)], (why) => refuse(`strict decoding error: ${why}`));
  }

  /** What a patch makes of an object; a strategic patch is quoted itself, of another what came out. */
  checkPatched(
    patched: Json,
    patch: { readonly kind: string; readonly body: unknown },
    raw: RawBody | undefined,
  ): void {
    const strategic = patch.kind === "strategic";
    const refuse = (why: string) =>
      patchRefused(strategic ? goText(patch.body as JsonValue) : JSON.stringify(patched), why);
    const misfit = this.#misfit(patched);
    if (misfit !== undefined) throw refuse(strategic ? `unrecognized type: ${misfit.type}` : misfit.message);
    if (this.#directive === "Ignore") return;
    this.#judge([...duplicatesOf(patch.body, raw), ...this.#unknown(patched)], (why) =>
      refuse(`strict decoding error: ${why}`),
    );
  }

  /** The configuration of an apply, `text` of YAML or JSON: unknown fields are refused there anyway. */
  checkApplied({ text, format }: RawBody): void {
    if (this.#directive === "Ignore") return;
    if (format === "json" && duplicateKeys(text).length === 0) return;
    const problem = duplicateYamlKeys(text);
    if (problem !== undefined) this.#judge([problem], (why) => badRequest(`error strict decoding YAML: ${why}`));
  }

  #misfit(body: Json) {
    const { schemaId } = this.#resource.definition;
    return schemaId === undefined ? undefined : misfitOf(schemaId, body);
  }

  #unknown(body: Json): readonly string[] {
    const { custom, definition } = this.#resource;
    const paths =
      definition.schemaId !== undefined
        ? unknownFields(definition.schemaId, body)
        : [
            ...unknownFields("meta/ObjectMeta", metadataOf(body), "metadata"),
            ...unknownMembers(body, custom?.schema ?? {}, "", true).toSorted(),
          ];
    return paths.map((path) => `unknown field ${JSON.stringify(path)}`);
  }

  #judge(problems: readonly string[], refuse: (why: string) => StatusFault): void {
    if (problems.length === 0) return;
    if (this.#directive === "Strict") throw refuse(problems.slice(0, PROBLEMS_MAX).join(", "));
    for (const problem of problems.slice(0, PROBLEMS_MAX)) addWarning(this.#response, problem);
  }
}

const PROBLEMS_MAX = 50;

function duplicatesOf(body: unknown, raw: RawBody | undefined): readonly string[] {
  if (raw === undefined) return [];
  if (raw.format === "yaml") {
    const problem = duplicateYamlKeys(raw.text);
    return problem === undefined ? [] : [problem];
  }
  // Text that comes out as it went in has nothing twice, and is cheaper to compare than to scan.
  if (JSON.stringify(body) === raw.text) return [];
  return duplicateKeys(raw.text).map((path) => `duplicate field ${JSON.stringify(path)}`);
}

/** Paths of what a structural schema would prune. */
function unknownMembers(value: JsonValue, schema: Json, path: string, root = false): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.flatMap((item, index) => unknownMembers(item, items, `${path}[${index}]`)) : [];
  }
  if (!isObject(value)) return [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  const additional = schema.additionalProperties;
  const keepAll = schema["x-kubernetes-preserve-unknown-fields"] === true || additional === true;
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  return Object.entries(value).flatMap(([key, member]) => {
    const here = path === "" ? key : `${path}.${key}`;
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (embedded && (key === "apiVersion" || key === "kind" || key === "metadata")) return [];
    if (isObject(own)) return unknownMembers(member, own, here);
    if (isObject(additional)) return unknownMembers(member, additional, here);
    return keepAll ? [] : [here];
  });
}

function patchRefused(shown: string, why: string): StatusFault {
  const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`;
  return failure({
    code: 422,
    reason: "Invalid",
    message: ` "" is invalid: patch: ${message}`,
    details: {},
    causes: [{ reason: "FieldValueInvalid", field: "patch", message }],
  });
}

/** As Go prints a decoded value: `map[spec:map[ports:[map[port:80]]]]`. */
function goText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isObject(value)) return value === null || value === undefined ? "<nil>" : `${value}`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${members.join(" ")}]`;
}
