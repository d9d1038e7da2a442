import type { Json } from "#sandbox/kinds/definition";
import type { Engine } from "../context.ts";
import { at, labelsOf, listAt, textAt, textList, textMap } from "../json.ts";
import { NAMESPACE_BUCKET, type Resource } from "../resource.ts";
import type { Attributes } from "../review.ts";
import type { Hook, HookRule } from "./hooks.ts";

// What could make a configuration impossible to repair is never sent to a webhook.
const EXEMPT: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io/validatingwebhookconfigurations",
  "admissionregistration.k8s.io/mutatingwebhookconfigurations",
]);

/**
 * The resource whose version this webhook is to be shown: the request's own when a rule names it, else (matchPolicy
 * Equivalent) another version of it that a rule names; undefined when the webhook does not want to know.
 */
export function wants(engine: Engine, hook: Hook, attributes: Attributes): Resource | undefined {
  const { resource } = attributes.address;
  if (EXEMPT.has(resource.bucket)) return undefined;
  const named = [resource, ...(hook.equivalent ? otherVersions(engine, resource) : [])].find((candidate) =>
    hook.rules.some((rule) => ruleMatches(rule, attributes, candidate)),
  );
  if (named === undefined) return undefined;
  if (!selectorMatches(hook.namespaceSelector, namespaceLabels(engine, attributes))) return undefined;
  const shown = [attributes.object, attributes.old].filter((object) => object !== undefined);
  return shown.some((object) => selectorMatches(hook.objectSelector, labelsOf(object))) ? named : undefined;
}

function otherVersions(engine: Engine, resource: Resource): readonly Resource[] {
  if (resource.custom === undefined) return [];
  return engine.catalog.all().filter((other) => other.bucket === resource.bucket && other !== resource);
}

function ruleMatches(rule: HookRule, attributes: Attributes, resource: Resource): boolean {
  const { group, version, plural, namespaced } = resource.definition;
  const has = (list: readonly string[], value: string) => list.includes("*") || list.includes(value);
  if (!has(rule.operations, attributes.operation)) return false;
  if (!has(rule.apiGroups, group) || !has(rule.apiVersions, version)) return false;
  if (rule.scope !== "*" && (rule.scope === "Namespaced") !== namespaced) return false;
  return rule.resources.some((pattern) => {
    const [wantedResource = "", wantedPart = ""] = pattern.split("/");
    const inResource = wantedResource === "*" || wantedResource === plural;
    return inResource && (wantedPart === "*" || wantedPart === attributes.subresource);
  });
}

/** Labels that a namespaceSelector looks at; undefined for what is in no namespace, which every one matches. */
function namespaceLabels(engine: Engine, attributes: Attributes): Readonly<Record<string, string>> | undefined {
  const { resource, namespace } = attributes.address;
  if (resource.bucket === NAMESPACE_BUCKET) return labelsOf(attributes.object ?? attributes.old ?? {});
  if (!resource.definition.namespaced) return undefined;
  return labelsOf(engine.store.get(NAMESPACE_BUCKET, namespace)?.object ?? {});
}

/** Whether a `metav1.LabelSelector` matches; an empty one matches everything, as does having no labels to look at. */
function selectorMatches(selector: Json, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (labels === undefined) return true;
  const own = new Map(Object.entries(labels));
  const equal = Object.entries(textMap(at(selector, "matchLabels"))).every(([key, value]) => own.get(key) === value);
  if (!equal) return false;
  return listAt(selector, "matchExpressions").every((term) => {
    const value = own.get(textAt(term, "key"));
    const listed = value !== undefined && textList(at(term, "values")).includes(value);
    switch (textAt(term, "operator")) {
      case "In":
        return listed;
      case "NotIn":
        return !listed;
      case "Exists":
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}
