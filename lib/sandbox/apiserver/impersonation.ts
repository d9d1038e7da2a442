import type { IncomingMessage } from "node:http";
import type { Action } from "./rbac.ts";
import { badRequest } from "./status.ts";
import { ANONYMOUS, type User, withAuthenticated } from "./users.ts";

/** Whom a request wants to be, and what the one who asks must be allowed to for that. */
interface Impersonation {
  readonly user: User;
  readonly needs: readonly Action[];
}

const EXTRA = "impersonate-extra-";
const AUTHENTICATION = "authentication.k8s.io";
const BASE = { verb: "impersonate", group: "", subresource: "", namespace: "" } as const;

/**
 * What the `Impersonate-User`, `-Group`, `-Uid` and `-Extra-<key>` headers ask for; undefined when there are none.
 * Throws 400 when there is more of them but no user.
 */
export function impersonationOf(request: IncomingMessage): Impersonation | undefined {
  const all = request.headersDistinct;
  const [name] = all["impersonate-user"] ?? [];
  const groups = (all["impersonate-group"] ?? []).filter((group) => group !== "");
  const [uid] = all["impersonate-uid"] ?? [];
  const extra = extraOf(all);
  if (name === undefined || name === "") {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return undefined;
    throw badRequest("requested groups, a uid or extra fields without impersonating a user");
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const needs: Action[] = [
    account === null
      ? { ...BASE, resource: "users", name }
      : { ...BASE, resource: "serviceaccounts", name: account[2] ?? "", namespace: account[1] ?? "" },
    ...groups.map((group): Action => ({ ...BASE, resource: "groups", name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(
        (value): Action => ({ ...BASE, group: AUTHENTICATION, resource: "userextras", subresource: key, name: value }),
      ),
    ),
    ...(uid === undefined ? [] : [{ ...BASE, group: AUTHENTICATION, resource: "uids", name: uid }]),
  ];
  const more = {
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
  return { user: { name, groups: groupsOf(name, account?.[1], groups), ...more }, needs };
}

function groupsOf(name: string, accountNamespace: string | undefined, asked: readonly string[]): readonly string[] {
  if (name === ANONYMOUS.name) return asked.length > 0 ? asked : ANONYMOUS.groups;
  if (asked.includes("system:unauthenticated")) return asked;
  if (asked.length > 0 || accountNamespace === undefined) return withAuthenticated(asked);
  return withAuthenticated(["system:serviceaccounts", `system:serviceaccounts:${accountNamespace}`]);
}

/** Keys are lower case and percent-decoded, as by the real server. */
function extraOf(all: NodeJS.Dict<string[]>): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, values] of Object.entries(all)) {
    if (!header.startsWith(EXTRA) || values === undefined) continue;
    const key = header.slice(EXTRA.length);
    try {
      extra[decodeURIComponent(key)] = values;
    } catch {
      extra[key] = values;
    }
  }
  return extra;
}
