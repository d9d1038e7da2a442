import type { Action } from "./rbac.ts";
import { failure, forbidden, type StatusFault } from "./status.ts";
import type { User } from "./users.ts";

/** 403 in the server's words: who may not do what, where. */
export function refusal(user: User, action: Action): StatusFault {
  if (action.path !== undefined) {
    return failure({
      code: 403,
      reason: "Forbidden",
      message: `forbidden: User ${JSON.stringify(user.name)} cannot ${action.verb} path ${JSON.stringify(action.path)}`,
      details: {},
    });
  }
  const { group, resource, subresource, verb, namespace, name } = action;
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return forbidden(
    { group, plural: resource, kind: resource },
    name,
    `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`,
  );
}
