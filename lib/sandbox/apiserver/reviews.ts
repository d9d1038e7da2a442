import { invalid as invalidField } from "#sandbox/kinds/causes";
import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { at, isObject, textAt, textList, timestamp } from "./json.ts";
import type { Action, Authorizer, Rule } from "./rbac.ts";
import { badRequest, invalid } from "./status.ts";
import { ISSUER, type User, type Users } from "./users.ts";

interface Deps {
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly now: number;
}

const AUTHENTICATION = "authentication.k8s.io";
const AUTHORIZATION = "authorization.k8s.io";

/** Answers a review of authentication.k8s.io or authorization.k8s.io. Throws 400 or 422 for one that asks nothing. */
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
      return reply("SelfSubjectReview", AUTHENTICATION, { userInfo: userInfo(user) });
    case "tokenreviews":
      return reply("TokenReview", AUTHENTICATION, tokenStatus(deps, spec));
    case "selfsubjectaccessreviews": {
      const kind = "SelfSubjectAccessReview";
      return reply(kind, AUTHORIZATION, verdict(deps, user, actionOf(kind, spec, "", [])));
    }
    case "subjectaccessreviews":
    case "localsubjectaccessreviews": {
      const local = plural === "localsubjectaccessreviews";
      const kind = local ? "LocalSubjectAccessReview" : "SubjectAccessReview";
      const asked: User = { name: textAt(spec, "user"), groups: textList(at(spec, "groups")) };
      const nobody = asked.name === "" && asked.groups.length === 0;
      const why = "at least one of user or group must be specified";
      const causes = nobody ? [invalidField("spec.user", "", why)] : [];
      return reply(kind, AUTHORIZATION, verdict(deps, asked, actionOf(kind, spec, local ? namespace : "", causes)));
    }
    case "selfsubjectrulesreviews": {
      const where = textAt(spec, "namespace");
      if (where === "") throw badRequest("no namespace on request");
      return reply("SelfSubjectRulesReview", AUTHORIZATION, rulesStatus(deps, user, where));
    }
    default:
      throw badRequest(`${plural} is not a review`);
  }
}

/** Who somebody is, as `authentication.k8s.io/v1 UserInfo`. */
export function userInfo(user: User): Json {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
  };
}

function tokenStatus({ users }: Deps, spec: JsonValue): Json {
  const token = textAt(spec, "token");
  if (token === "") throw badRequest("token is required for TokenReview in authentication");
  const asked = textList(at(spec, "audiences"));
  const wanted = asked.length > 0 ? asked : [ISSUER];
  const found = users.ofToken(token, wanted);
  if (found === undefined) {
    const meant = users.audiencesOf(token);
    const foreign = meant !== undefined && !meant.some((one) => wanted.includes(one));
    const why = foreign
      ? `, token audiences ${JSON.stringify(meant)} is invalid for the target audiences ${JSON.stringify(wanted)}`
      : "";
    return { user: {}, error: `[invalid bearer token${why}]` };
  }
  // A static token is meant for this server and nobody else.
  const meant = users.audiencesOf(token) ?? [ISSUER];
  const audiences = wanted.filter((one) => meant.includes(one));
  if (audiences.length === 0) return { user: {} };
  return { authenticated: true, user: userInfo(found), audiences };
}

function verdict(deps: Deps, user: User, action: Action): Json {
  const reason = deps.authorizer.allowedBy(user, action);
  return reason === undefined ? { allowed: false } : { allowed: true, ...(reason === "" ? {} : { reason }) };
}

const EXACTLY_ONE = "exactly one of nonResourceAttributes or resourceAttributes must be specified";

/** `home`: the namespace of a LocalSubjectAccessReview, the only one it may ask about. */
function actionOf(kind: string, spec: JsonValue, home: string, before: readonly Cause[]): Action {
  const resource = at(spec, "resourceAttributes");
  const path = at(spec, "nonResourceAttributes");
  const causes = [...before];
  const field = "spec.resourceAttributes";
  if (isObject(resource) === isObject(path)) causes.push(invalidField(field, resource, EXACTLY_ONE));
  if (home !== "" && isObject(path)) {
    causes.push(invalidField("spec.nonResourceAttributes", path, "disallowed on this kind of request"));
  }
  const asked = textAt(resource, "namespace");
  if (home !== "" && isObject(resource) && asked !== home) {
    causes.push(invalidField(`${field}.namespace`, asked, "must match metadata.namespace"));
  }
  if (causes.length > 0) throw invalid({ group: AUTHORIZATION, plural: `${kind.toLowerCase()}s`, kind }, "", causes);
  if (isObject(path)) {
    const blank = { group: "", resource: "", subresource: "", name: "", namespace: "" };
    return { ...blank, verb: textAt(path, "verb"), path: textAt(path, "path") };
  }
  const [plural = "", ...sub] = textAt(resource, "resource").split("/");
  return {
    verb: textAt(resource, "verb"),
    group: textAt(resource, "group"),
    resource: plural,
    subresource: textAt(resource, "subresource") || sub.join("/"),
    name: textAt(resource, "name"),
    namespace: asked,
  };
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
