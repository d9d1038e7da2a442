import { duplicate, invalid, required } from "#sandbox/kinds/causes";
import type { Cause, Json } from "#sandbox/kinds/definition";
import { ruleCauses } from "./cel/rules.ts";
import { at, equal, isObject, listAt, nameOf, objectAt, textAt, textList, timestamp, withAt } from "./json.ts";

/** What the real server fills in: names, list kind, scope of conversion, and its verdict in status. */
export function completeCrd(crd: Json, old: Json | undefined, now: number): Json {
  const spec = objectAt(crd, "spec");
  const names = objectAt(spec, "names");
  const kind = textAt(names, "kind");
  const completeNames: Json = {
    ...names,
    listKind: textAt(names, "listKind") || `${kind}List`,
    singular: textAt(names, "singular") || kind.toLowerCase(),
  };
  const complete = {
    ...crd,
    spec: {
      ...spec,
      conversion: isObject(spec.conversion) ? spec.conversion : { strategy: "None" },
      names: completeNames,
    },
  };
  const storage = listAt(spec, "versions").find((version) => at(version, "storage") === true);
  const known = textList(at(old, "status", "storedVersions"));
  const stored = textAt(storage, "name");
  const acceptedNames = at(old, "status", "acceptedNames");
  const time = timestamp(now);
  const conditions = listAt(old, "status", "conditions");
  const status: Json = {
    acceptedNames: equal(acceptedNames, completeNames) ? acceptedNames : completeNames,
    conditions:
      conditions.length > 0
        ? [...conditions]
        : [
            condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time),
          ],
    storedVersions: known.includes(stored) ? [...known] : [...known, stored],
  };
  return withAt(complete, ["status"], status);
}

function condition(type: string, reason: string, message: string, time: string): Json {
  return { lastTransitionTime: time, message, reason, status: "True", type };
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** What makes a CustomResourceDefinition unusable, in the server's words. */
export function validateCrd(crd: Json, old: Json | undefined): readonly Cause[] {
  const causes: Cause[] = [];
  const spec = objectAt(crd, "spec");
  const group = textAt(spec, "group");
  const plural = textAt(spec, "names", "plural");
  if (group === "") causes.push(required("spec.group"));
  else if (!group.includes(".")) causes.push(invalid("spec.group", group, "should be a domain with at least one dot"));
  if (plural === "") causes.push(required("spec.names.plural"));
  else if (!LABEL.test(plural)) causes.push(invalid("spec.names.plural", plural, "a lowercase RFC 1123 label"));
  if (textAt(spec, "names", "kind") === "") causes.push(required("spec.names.kind"));
  if (nameOf(crd) !== `${plural}.${group}`) {
    causes.push(invalid("metadata.name", nameOf(crd), 'must be spec.names.plural+"."+spec.group'));
  }
  const scope = textAt(spec, "scope");
  if (scope !== "Namespaced" && scope !== "Cluster") {
    causes.push({
      reason: scope === "" ? "FieldValueRequired" : "FieldValueNotSupported",
      field: "spec.scope",
      message:
        scope === "" ? "Required value" : `Unsupported value: "${scope}": supported values: "Cluster", "Namespaced"`,
    });
  }
  causes.push(...versionCauses(spec));
  for (const field of ["group", "scope"]) {
    const was = at(old, "spec", field);
    if (was !== undefined && was !== spec[field]) {
      causes.push(invalid(`spec.${field}`, spec[field], "field is immutable"));
    }
  }
  return causes;
}

function versionCauses(spec: Json): readonly Cause[] {
  const causes: Cause[] = [];
  const versions = listAt(spec, "versions");
  if (versions.filter((version) => at(version, "storage") === true).length !== 1) {
    causes.push(invalid("spec.versions", versions.length, "must have exactly one version marked as storage version"));
  }
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = textAt(version, "name");
    if (!LABEL.test(name)) causes.push(invalid(`${path}.name`, name, "a lowercase RFC 1123 label must be given"));
    else if (seen.has(name)) causes.push(duplicate(`${path}.name`, name));
    seen.add(name);
    const schema = at(version, "schema", "openAPIV3Schema");
    if (!isObject(schema)) causes.push(required(`${path}.schema.openAPIV3Schema`, "schemas are required"));
    else if (schema.type !== "object") {
      causes.push(invalid(`${path}.schema.openAPIV3Schema.type`, schema.type, 'must be "object" at the root'));
    } else causes.push(...ruleCauses(schema, `${path}.schema.openAPIV3Schema`));
  }
  return causes;
}
