import type { Json, JsonValue } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { at, isObject, labelsOf, listAt, namespaceOf, objectAt, textAt, textList, textMap } from "./json.ts";
import { bucketOf, keyOf } from "./resource.ts";
import type { User } from "./users.ts";

/** What somebody wants to do: to a resource, or (path) to something that is none. */
export interface Action {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly namespace: string;
  /** Set for requests that are not about a resource; the members above are "" then. */
  readonly path?: string;
}

export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

interface Binding {
  /** "" binds everywhere. */
  readonly namespace: string;
  /** `ClusterRoleBinding "x" of ClusterRole "y"` */
  readonly title: string;
  readonly rules: readonly Rule[];
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

const GROUP = "rbac.authorization.k8s.io";
const ROLES = bucketOf(GROUP, "roles");
const CLUSTER_ROLES = bucketOf(GROUP, "clusterroles");
const ROLE_BINDINGS = bucketOf(GROUP, "rolebindings");
const CLUSTER_ROLE_BINDINGS = bucketOf(GROUP, "clusterrolebindings");

/** RBAC over the stored roles and bindings, compiled anew whenever one of them changes. */
export class Authorizer {
  readonly #store: Store;
  #seen = "";
  #bindings: readonly Binding[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** Members of system:masters may do anything; everybody else what some rule of theirs allows. */
  allows(user: User, action: Action): boolean {
    if (user.groups.includes("system:masters")) return true;
    return this.#bindingsOf(user, action.namespace).some(({ rules }) => rules.some((rule) => covers(rule, action)));
  }

  /** Why somebody may, in the real server's words ("" for system:masters); undefined when they may not. */
  allowedBy(user: User, action: Action): string | undefined {
    if (user.groups.includes("system:masters")) return "";
    const found = this.#bindingsOf(user, action.namespace).find(({ rules }) =>
      rules.some((rule) => covers(rule, action)),
    );
    if (found === undefined) return undefined;
    const group = user.groups.find((one) => found.groups.has(one));
    const subject = found.users.has(user.name) || group === undefined ? userSubject(user.name) : `Group "${group}"`;
    return `RBAC: allowed by ${found.title} to ${subject}`;
  }

  /** Every rule that holds for this user in this namespace. */
  rules(user: User, namespace: string): readonly Rule[] {
    if (user.groups.includes("system:masters")) return [EVERYTHING, EVERY_PATH];
    return this.#rulesOf(user, namespace);
  }

  #rulesOf(user: User, namespace: string): readonly Rule[] {
    return this.#bindingsOf(user, namespace).flatMap((binding) => binding.rules);
  }

  #bindingsOf(user: User, namespace: string): readonly Binding[] {
    this.#refresh();
    return this.#bindings
      .filter((binding) => binding.namespace === "" || binding.namespace === namespace)
      .filter((binding) => binding.users.has(user.name) || user.groups.some((group) => binding.groups.has(group)));
  }

  #refresh(): void {
    const store = this.#store;
    const seen = [ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS].map((b) => store.version(b)).join(" ");
    if (seen === this.#seen) return;
    this.#seen = seen;
    const bindings = [...store.list(CLUSTER_ROLE_BINDINGS), ...store.list(ROLE_BINDINGS)];
    this.#bindings = bindings.map((entry) => this.#compile(entry.object));
  }

  #compile(binding: Json): Binding {
    const namespace = namespaceOf(binding);
    const role = objectAt(binding, "roleRef");
    const name = textAt(role, "name");
    const rules =
      textAt(role, "kind") === "ClusterRole"
        ? this.#clusterRules(this.#store.get(CLUSTER_ROLES, name)?.object)
        : rulesOf(this.#store.get(ROLES, keyOf(namespace, name))?.object);
    const users = new Set<string>();
    const groups = new Set<string>();
    for (const subject of listAt(binding, "subjects")) {
      const who = textAt(subject, "name");
      const kind = textAt(subject, "kind");
      if (kind === "User") users.add(who);
      else if (kind === "Group") groups.add(who);
      else if (kind === "ServiceAccount") {
        users.add(`system:serviceaccount:${textAt(subject, "namespace") || namespace}:${who}`);
      }
    }
    const own = textAt(binding, "metadata", "name");
    const kind = namespace === "" ? `ClusterRoleBinding "${own}"` : `RoleBinding "${own}/${namespace}"`;
    return { namespace, title: `${kind} of ${textAt(role, "kind")} "${name}"`, rules, users, groups };
  }

  /** A ClusterRole's own rules and, when it aggregates, those of every role its selectors match. */
  #clusterRules(role: JsonValue, seen: ReadonlySet<JsonValue> = new Set()): readonly Rule[] {
    if (!isObject(role) || seen.has(role)) return [];
    const selectors = listAt(role, "aggregationRule", "clusterRoleSelectors");
    if (selectors.length === 0) return rulesOf(role);
    const path = new Set([...seen, role]);
    const parts = this.#store
      .list(CLUSTER_ROLES)
      .filter((entry) => selectors.some((selector) => labelsMatch(selector, labelsOf(entry.object))))
      .flatMap((entry) => this.#clusterRules(entry.object, path));
    return [...rulesOf(role), ...parts];
  }
}

function userSubject(name: string): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  return account === null ? `User "${name}"` : `ServiceAccount "${account[2]}/${account[1]}"`;
}

const EVERYTHING: Rule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], nonResourceURLs: [] };
const EVERY_PATH: Rule = { verbs: ["*"], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ["*"] };

function rulesOf(role: JsonValue): readonly Rule[] {
  return listAt(role, "rules").map((rule) => ({
    verbs: textList(at(rule, "verbs")),
    apiGroups: textList(at(rule, "apiGroups")),
    resources: textList(at(rule, "resources")),
    resourceNames: textList(at(rule, "resourceNames")),
    nonResourceURLs: textList(at(rule, "nonResourceURLs")),
  }));
}

function labelsMatch(selector: JsonValue, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(textMap(at(selector, "matchLabels"))).every(([key, value]) => labels[key] === value);
}

function covers(rule: Rule, action: Action): boolean {
  if (!rule.verbs.includes("*") && !rule.verbs.includes(action.verb)) return false;
  const { path } = action;
  if (path !== undefined) {
    return rule.nonResourceURLs.some((url) => (url.endsWith("*") ? path.startsWith(url.slice(0, -1)) : url === path));
  }
  if (!rule.apiGroups.includes("*") && !rule.apiGroups.includes(action.group)) return false;
  const { resource, subresource } = action;
  const named = subresource === "" ? resource : `${resource}/${subresource}`;
  const wanted = new Set(["*", named, ...(subresource === "" ? [] : [`*/${subresource}`])]);
  if (!rule.resources.some((candidate) => wanted.has(candidate))) return false;
  return rule.resourceNames.length === 0 || (action.name !== "" && rule.resourceNames.includes(action.name));
}
