import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { at, isObject, textAt, textList, timestamp } from "./json.ts";
import type { Action, Authorizer, Rule } from "./rbac.ts";
import { badRequest } from "./status.ts";
import type { User, Users } from "./users.ts";

interface Deps {
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly now: number;
}

/** Answers a review of authentication.k8s.io or authorization.k8s.io. Throws 400 for a body that asks nothing. */
export function answerReview(plural: string, namespace: string, body: unknown, user: User, deps: Deps): Json {
  if (!isObject(body)) throw badRequest("the body is not a JSON object");
  const spec = at(body, "spec");
  const reply = (kind: string, group: string, status: Json): Json => ({
    kind,
    apiVersion: `${group}/v1`,
    metadata: { creationTimestamp: timestamp(deps.now) },
    ...(isObject(spec) ? { spec } : {}),
    status,
  });
  switch (plural) {
    case "selfsubjectreviews":
      return reply("SelfSubjectReview", "authentication.k8s.io", { userInfo: userInfo(user) });
    case "tokenreviews": {
      const found = deps.users.ofToken(textAt(spec, "token"));
      const status: Json = found === undefined ? { user: {} } : { authenticated: true, user: userInfo(found) };
      return reply("TokenReview", "authentication.k8s.io", status);
    }
    case "selfsubjectaccessreviews":
      return reply("SelfSubjectAccessReview", "authorization.k8s.io", verdict(deps, user, actionOf(spec, "")));
    case "subjectaccessreviews":
    case "localsubjectaccessreviews": {
      const asked: User = { name: textAt(spec, "user"), groups: textList(at(spec, "groups")) };
      if (asked.name === "" && asked.groups.length === 0)
        throw badRequest("spec.user: at least one of user or group must be specified");
      const kind = plural === "subjectaccessreviews" ? "SubjectAccessReview" : "LocalSubjectAccessReview";
      return reply(kind, "authorization.k8s.io", verdict(deps, asked, actionOf(spec, namespace)));
    }
    case "selfsubjectrulesreviews":
      return reply(
        "SelfSubjectRulesReview",
        "authorization.k8s.io",
        rulesStatus(deps, user, textAt(spec, "namespace")),
      );
    default:
      throw badRequest(`${plural} is not a review`);
  }
}

function userInfo(user: User): Json {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
  };
}

function verdict(deps: Deps, user: User, action: Action): Json {
  return deps.authorizer.allows(user, action) ? { allowed: true } : { allowed: false };
}

function actionOf(spec: JsonValue, namespace: string): Action {
  const resource = at(spec, "resourceAttributes");
  if (isObject(resource)) {
    const [plural = "", ...sub] = textAt(resource, "resource").split("/");
    return {
      verb: textAt(resource, "verb"),
      group: textAt(resource, "group"),
      resource: plural,
      subresource: textAt(resource, "subresource") || sub.join("/"),
      name: textAt(resource, "name"),
      namespace: textAt(resource, "namespace") || namespace,
    };
  }
  const path = at(spec, "nonResourceAttributes");
  if (!isObject(path)) {
    throw badRequest(
      "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
    );
  }
  const blank = { group: "", resource: "", subresource: "", name: "", namespace: "" };
  return { ...blank, verb: textAt(path, "verb"), path: textAt(path, "path") };
}

function rulesStatus(deps: Deps, user: User, namespace: string): Json {
  const rules = deps.authorizer.rules(user, namespace);
  const resourceRule = (rule: Rule): Json => ({
    verbs: [...rule.verbs],
    apiGroups: [...rule.apiGroups],
    resources: [...rule.resources],
    ...(rule.resourceNames.length > 0 ? { resourceNames: [...rule.resourceNames] } : {}),
  });
  return {
    incomplete: false,
    resourceRules: rules.filter((rule) => rule.resources.length > 0).map(resourceRule),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs.length > 0)
      .map((rule) => ({ verbs: [...rule.verbs], nonResourceURLs: [...rule.nonResourceURLs] })),
  };
}
