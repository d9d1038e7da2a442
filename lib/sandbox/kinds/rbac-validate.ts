import { invalid, notSupported, required } from "./causes.ts";
import type { Cause, Json } from "./definition.ts";
import { arr, fill, obj, objects, sameJson, str } from "./json.ts";
import { mapped } from "./pod-defaults.ts";

const GROUP = "rbac.authorization.k8s.io";

/** The server's API groups of a RoleBinding or ClusterRoleBinding. */
export function defaultBinding(binding: Json): Json {
  const subject = (one: Json) => (one.kind === "ServiceAccount" ? one : fill(one, { apiGroup: GROUP }));
  return {
    ...binding,
    roleRef: fill(obj(binding.roleRef), { apiGroup: GROUP }),
    ...mapped(binding, "subjects", subject),
  };
}

/** RoleBinding; a ClusterRoleBinding may only refer to a ClusterRole. */
export function validateBinding(
  binding: Json,
  old: Json | undefined,
  kinds = ["ClusterRole", "Role"],
): readonly Cause[] {
  const role = obj(binding.roleRef);
  const changed = old !== undefined && !sameJson(role, obj(old.roleRef));
  return [
    ...(str(role.apiGroup) === GROUP ? [] : [notSupported("roleRef.apiGroup", role.apiGroup, [GROUP])]),
    ...(kinds.includes(str(role.kind)) ? [] : [notSupported("roleRef.kind", str(role.kind), kinds)]),
    ...(str(role.name) === "" ? [required("roleRef.name")] : []),
    ...objects(binding.subjects).flatMap((subject, index) => checkSubject(subject, `subjects[${index}]`)),
    ...(changed ? [invalid("roleRef", role, "cannot change roleRef")] : []),
  ];
}

export function validateClusterBinding(binding: Json, old: Json | undefined): readonly Cause[] {
  return validateBinding(binding, old, ["ClusterRole"]);
}

function checkSubject(subject: Json, path: string): readonly Cause[] {
  const kind = str(subject.kind);
  const unnamed = str(subject.name) === "" ? [required(`${path}.name`)] : [];
  const group = str(subject.apiGroup);
  switch (kind) {
    case "ServiceAccount":
      return [
        ...unnamed,
        ...(group === "" ? [] : [notSupported(`${path}.apiGroup`, group, [""])]),
        ...(str(subject.namespace) === "" ? [required(`${path}.namespace`)] : []),
      ];
    case "User":
    case "Group":
      return [...unnamed, ...(group === GROUP ? [] : [notSupported(`${path}.apiGroup`, group, [GROUP])])];
    default:
      return [...unnamed, notSupported(`${path}.kind`, kind, ["Group", "ServiceAccount", "User"])];
  }
}

/** Role: rules about resources only. */
export function validateRole(role: Json): readonly Cause[] {
  return objects(role.rules).flatMap((rule, index) => checkRule(rule, `rules[${index}]`, true));
}

/** ClusterRole: rules about resources or paths. */
export function validateClusterRole(role: Json): readonly Cause[] {
  return objects(role.rules).flatMap((rule, index) => checkRule(rule, `rules[${index}]`, false));
}

function checkRule(rule: Json, path: string, namespaced: boolean): readonly Cause[] {
  const causes: Cause[] = [];
  if (arr(rule.verbs).length === 0) causes.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  const urls = arr(rule.nonResourceURLs);
  if (urls.length > 0) {
    if (namespaced) {
      causes.push(invalid(`${path}.nonResourceURLs`, urls, "namespaced rules cannot apply to non-resource URLs"));
    }
    const both = [rule.apiGroups, rule.resources, rule.resourceNames].some((list) => arr(list).length > 0);
    if (both) {
      causes.push(
        invalid(`${path}.nonResourceURLs`, urls, "rules cannot apply to both regular resources and non-resource URLs"),
      );
    }
    return causes;
  }
  if (arr(rule.apiGroups).length === 0) {
    causes.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (arr(rule.resources).length === 0) {
    causes.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  }
  return causes;
}
