import type { Action } from "./rbac.ts";
import { badRequest } from "./status.ts";
import type { RowObject, View } from "./table.ts";

/** What a request is about, read from method, path and query alone. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Set for /api/… and /apis/<group>/<version>/<resource>…. */
  readonly resource?: ResourceRoute;
}

export interface ResourceRoute {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Undefined: the cluster, or every namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string;
  /** As RBAC names it. */
  readonly verb: string;
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "finalize"]);

/** Reads a request line. Throws 400 for a path or query that cannot be decoded. */
export function readRoute(method: string, url: string): Route {
  const cut = url.indexOf("?");
  const rawPath = cut < 0 ? url : url.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? "" : url.slice(cut + 1));
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    throw badRequest("the path is not valid percent-encoding");
  }
  const parts = rawPath
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const resource = resourceOf(method, parts, query);
  return { method, path, query, ...(resource === undefined ? {} : { resource }) };
}

function resourceOf(method: string, parts: readonly string[], query: URLSearchParams): ResourceRoute | undefined {
  const [root, ...more] = parts;
  const group = root === "api" ? "" : more[0];
  const rest = root === "api" ? more : root === "apis" ? more.slice(1) : [];
  const [version, first, second, third, ...tail] = rest;
  if (group === undefined || version === undefined || first === undefined) return undefined;
  const inNamespace =
    first === "namespaces" &&
    second !== undefined &&
    third !== undefined &&
    !(NAMESPACE_SUBRESOURCES.has(third) && tail.length === 0);
  const [plural, name = "", ...sub] = inNamespace ? [third, ...tail] : [first, second, third, ...tail];
  if (plural === undefined) return undefined;
  const subresource = sub.filter((part) => part !== undefined).join("/");
  const namespace = inNamespace ? second : undefined;
  const shared = { group, version, plural, namespace, name: name ?? "", subresource };
  return { ...shared, verb: verbOf(method, shared.name, query) };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (isTrue(query.get("watch"))) return "watch";
      return name === "" ? "list" : "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === "" ? "deletecollection" : "delete";
    default:
      return method.toLowerCase();
  }
}

export function isTrue(value: string | null): boolean {
  return value === "true" || value === "1" || value === "";
}

/** What has to be allowed for the request to go on. */
export function actionOf(route: Route): Action {
  const { resource } = route;
  if (resource === undefined) {
    const verb = route.method.toLowerCase();
    return { verb, group: "", resource: "", subresource: "", name: "", namespace: "", path: route.path };
  }
  const { verb, group, plural, subresource, name, namespace } = resource;
  // A namespace object lives in itself, as far as roles go.
  const home = namespace ?? (group === "" && plural === "namespaces" ? name : "");
  return { verb, group, resource: plural, subresource, name, namespace: home };
}

/** A whole number of the query; undefined when absent. Throws 400 for anything else. */
export function numberParam(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(
    `${name}: Invalid value: ${JSON.stringify(text)}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** `dryRun=All`. Throws 400 for any other value. */
export function dryRunParam(query: URLSearchParams): boolean {
  const values = query.getAll("dryRun").filter((value) => value !== "");
  const odd = values.find((value) => value !== "All");
  if (odd !== undefined) throw badRequest(`invalid dryRun value ${JSON.stringify(odd)}: supported values: "All"`);
  return values.length > 0;
}

/** The first view that the `Accept` header asks for and that exists; plain JSON otherwise. */
export function viewOf(accept: string | undefined, query: URLSearchParams): View {
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "*/*" && type !== "application/*") continue;
    const as = parameter(parameters, "as");
    if (as === undefined) return { kind: "object" };
    if (parameter(parameters, "g") !== "meta.k8s.io") continue;
    const version = parameter(parameters, "v") ?? "";
    if (as === "Table" && (version === "v1" || version === "v1beta1")) {
      return { kind: "table", version, include: rowObject(query.get("includeObject")) };
    }
    if (as.startsWith("PartialObjectMetadata") && version === "v1") return { kind: "metadata" };
  }
  return { kind: "object" };
}

function rowObject(value: string | null): RowObject {
  if (value === null || value === "" || value === "Metadata") return "Metadata";
  if (value === "None" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

export function parameter(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
}
