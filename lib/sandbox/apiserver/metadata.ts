import { forbidden as fieldForbidden, invalid as fieldInvalid } from "#sandbox/kinds/causes";
import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { at, isObject, listAt, metadataOf, textAt, textList } from "./json.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_WORDS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const NAME_PART_WORDS =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LABEL_VALUE_WORDS =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
  "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ANNOTATIONS_MAX = 262_144;

/** Everything wrong with `metadata`, whatever the kind. RBAC names may hold colons. */
export function validateMetadata(object: Json, group: string): readonly Cause[] {
  const metadata = metadataOf(object);
  const name = textAt(metadata, "name");
  const causes: Cause[] = [];
  if (name === "") {
    causes.push({
      reason: "FieldValueRequired",
      field: "metadata.name",
      message: "Required value: name or generateName is required",
    });
  } else if (group === "rbac.authorization.k8s.io") {
    if (name === "." || name === ".." || /[/%]/.test(name)) {
      causes.push(fieldInvalid("metadata.name", name, "may not be '.' or '..' or contain '/' or '%'"));
    }
  } else if (name.length > 253) {
    causes.push(fieldInvalid("metadata.name", name, "must be no more than 253 bytes"));
  } else if (!SUBDOMAIN.test(name)) causes.push(fieldInvalid("metadata.name", name, SUBDOMAIN_WORDS));

  causes.push(...labelCauses(metadata.labels), ...annotationCauses(metadata.annotations), ...ownerCauses(object));
  for (const [index, finalizer] of listAt(metadata, "finalizers").entries()) {
    if (typeof finalizer !== "string" || qualifiedNameProblem(finalizer) !== undefined) {
      causes.push(
        fieldInvalid(
          `metadata.finalizers[${index}]`,
          finalizer,
          "name is neither a standard finalizer name nor is it fully qualified",
        ),
      );
    }
  }
  return causes;
}

/** `undefined` when `key` is what Kubernetes calls a qualified name (labels, annotations, finalizers). */
function qualifiedNameProblem(key: string): string | undefined {
  const [first = "", second, ...more] = key.split("/");
  if (more.length > 0)
    return `a qualified name ${NAME_PART_WORDS.slice(10)} with an optional DNS subdomain prefix and '/'`;
  const name = second ?? first;
  if (second !== undefined && !SUBDOMAIN.test(first)) return `prefix part ${SUBDOMAIN_WORDS}`;
  if (name === "") return "name part must be non-empty";
  if (name.length > 63) return "name part must be no more than 63 bytes";
  return NAME_PART.test(name) ? undefined : NAME_PART_WORDS;
}

function labelCauses(labels: JsonValue): Cause[] {
  const causes: Cause[] = [];
  for (const [key, value] of members(labels)) {
    const problem = qualifiedNameProblem(key);
    if (problem !== undefined) causes.push(fieldInvalid("metadata.labels", key, problem));
    if (typeof value !== "string") continue;
    if (value.length > 63) causes.push(fieldInvalid("metadata.labels", value, "must be no more than 63 bytes"));
    else if (!LABEL_VALUE.test(value)) causes.push(fieldInvalid("metadata.labels", value, LABEL_VALUE_WORDS));
  }
  return causes;
}

function annotationCauses(annotations: JsonValue): Cause[] {
  const causes: Cause[] = [];
  let bytes = 0;
  for (const [key, value] of members(annotations)) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined) causes.push(fieldInvalid("metadata.annotations", key, problem));
    bytes += key.length + (typeof value === "string" ? value.length : 0);
  }
  if (bytes > ANNOTATIONS_MAX) {
    causes.push({
      reason: "FieldValueInvalid",
      field: "metadata.annotations",
      message: `Too long: may not be more than ${ANNOTATIONS_MAX} bytes`,
    });
  }
  return causes;
}

function ownerCauses(object: Json): Cause[] {
  const causes: Cause[] = [];
  for (const [index, owner] of listAt(object, "metadata", "ownerReferences").entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"]) {
      if (textAt(owner, field) !== "") continue;
      const path = `metadata.ownerReferences[${index}].${field}`;
      causes.push(fieldInvalid(path, textAt(owner, field), `${field} must not be empty`));
    }
  }
  return causes;
}

function members(value: JsonValue): readonly [string, JsonValue][] {
  return isObject(value) ? Object.entries(value) : [];
}

/**
 * The wrong type of a metadata member, in the words of the real server's decoder; undefined when all is right.
 * Checked before anything else reads the object.
 */
export function metadataTypeProblem(object: Json): string | undefined {
  const metadata = object.metadata;
  if (metadata === undefined || metadata === null) return undefined;
  if (!isObject(metadata)) return "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta";
  for (const field of ["name", "generateName", "namespace", "uid", "resourceVersion"]) {
    const value = metadata[field];
    if (value !== undefined && value !== null && typeof value !== "string") {
      return `json: cannot unmarshal ${typeof value} into Go struct field ObjectMeta.metadata.${field} of type string`;
    }
  }
  for (const field of ["labels", "annotations"]) {
    const value = metadata[field];
    if (value === undefined || value === null) continue;
    const bad = isObject(value)
      ? Object.values(value).find((item) => typeof item !== "string" && item !== null)
      : value;
    if (bad === undefined) continue;
    const type = Array.isArray(bad)
      ? "array"
      : isObject(bad)
        ? "object"
        : typeof bad === "boolean"
          ? "bool"
          : typeof bad;
    return `json: cannot unmarshal ${type} into Go struct field ObjectMeta.metadata.${field} of type string`;
  }
  for (const field of ["finalizers", "ownerReferences", "managedFields"]) {
    const value = metadata[field];
    if (value !== undefined && value !== null && !Array.isArray(value)) {
      return `json: cannot unmarshal ${typeof value} into Go struct field ObjectMeta.metadata.${field} of type []`;
    }
  }
  return undefined;
}

/** Members that a client may not choose: kept from the stored object on every update. */
const SERVER_OWNED = [
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "uid",
] as const;

/** The metadata of an update: the client's, except for what the server owns; empty containers disappear. */
export function updatedMetadata(next: Json, old: Json): Json {
  const was = metadataOf(old);
  const now: Json = { ...metadataOf(next), name: was.name, namespace: was.namespace };
  for (const field of SERVER_OWNED) now[field] = was[field];
  if (was.generateName !== undefined) now.generateName = was.generateName;
  now.resourceVersion = was.resourceVersion;
  return tidyMetadata(now);
}

/** Without managed fields (they are worked out for every write), `selfLink` and empty containers. */
export function tidyMetadata(metadata: Json): Json {
  const tidy: Json = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined || value === null || key === "managedFields" || key === "selfLink") continue;
    if ((key === "labels" || key === "annotations") && isObject(value)) {
      const kept = Object.entries(value).map(([name, text]): [string, JsonValue] => [name, text ?? ""]);
      if (kept.length > 0) tidy[key] = Object.fromEntries(kept);
    } else if ((key === "finalizers" || key === "ownerReferences") && Array.isArray(value)) {
      if (value.length > 0) tidy[key] = value;
    } else if (value !== "") tidy[key] = value;
  }
  return tidy;
}

/** A finalizer may go while an object is being deleted, but none may come. */
export function finalizerCauses(next: Json, old: Json): readonly Cause[] {
  if (at(old, "metadata", "deletionTimestamp") === undefined) return [];
  const was = new Set(textList(at(old, "metadata", "finalizers")));
  const added = textList(at(next, "metadata", "finalizers")).filter((finalizer) => !was.has(finalizer));
  if (added.length === 0) return [];
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  return [
    fieldForbidden(
      "metadata.finalizers",
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}
