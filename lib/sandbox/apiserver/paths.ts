import type { Json } from "#sandbox/kinds/definition";
import type { Exchange, Server } from "./handler.ts";
import { hashOf } from "./openapi.ts";
import { acceptsOpenapiV2Protobuf, OPENAPI_V2_PROTOBUF, openapiV2, openapiV2Protobuf } from "./openapi-v2.ts";
import { sendText } from "./reply.ts";
import { parameter } from "./route.ts";
import { methodNotAllowed, noSuchPath } from "./status.ts";

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.2",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none (Berth sandbox)",
  compiler: "none",
  platform: "linux/amd64",
};

interface PathReply {
  readonly text: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves what is no object: version, health, discovery and OpenAPI. 404 for everything else. */
export function servePath(server: Server, { request, response, route }: Exchange): void {
  if (route.method !== "GET" && route.method !== "HEAD") throw methodNotAllowed();
  const path = route.path.length > 1 ? route.path.replace(/\/+$/, "") : route.path;
  const { accept } = request.headers;
  const reply =
    fixed(path, route.query.has("verbose")) ?? discovered(server, path, accept) ?? described(server, path, accept);
  if (reply === undefined) throw noSuchPath();
  sendText(response, 200, reply.text, reply.type, reply.headers);
}

const PATHS = ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];

function fixed(path: string, verbose: boolean): PathReply | undefined {
  if (path === "/") return json({ paths: PATHS });
  if (path === "/version") return json(VERSION);
  const health = /^\/(healthz|livez|readyz)(\/ping|\/store)?$/.exec(path);
  if (health !== null) return { text: healthText(health, verbose), type: "text/plain; charset=utf-8" };
  return undefined;
}

/** Whoever is answered gets a good answer: the store was read when the server started. */
function healthText([, name = "", one]: RegExpExecArray, verbose: boolean): string {
  if (!verbose || one !== undefined) return "ok";
  return `[+]ping ok\n[+]store ok\n${name} check passed\n`;
}

function discovered({ discovery }: Server, path: string, accept: string | undefined): PathReply | undefined {
  const [, root, group, version, more] = path.split("/");
  if ((root !== "api" && root !== "apis") || more !== undefined) return undefined;
  if (group === undefined) {
    const wanted = aggregatedVersion(accept);
    if (wanted === undefined) return json(root === "api" ? discovery.versions() : discovery.groupList());
    const type = `application/json;g=apidiscovery.k8s.io;v=${wanted};as=APIGroupDiscoveryList`;
    return { text: JSON.stringify(discovery.aggregated(root === "api", wanted)), type };
  }
  if (root === "api") return version === undefined ? json(discovery.resources("", group)) : undefined;
  return json(version === undefined ? discovery.group(group) : discovery.resources(group, version));
}

function described({ discovery, openapi }: Server, path: string, accept = ""): PathReply | undefined {
  if (path === "/openapi/v2") {
    if (!acceptsOpenapiV2Protobuf(accept)) return json(openapiV2());
    return { text: openapiV2Protobuf(), type: OPENAPI_V2_PROTOBUF };
  }
  if (path === "/openapi/v3") return json(openapi.index(discovery.groupVersions()));
  const found = /^\/openapi\/v3\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
  if (found === null) return undefined;
  const text = openapi.document(found[2] ?? "", found[1] ?? found[3] ?? "");
  return text === undefined ? undefined : { text, headers: { etag: `"${hashOf(text)}"` } };
}

function json(value: Json | undefined): PathReply | undefined {
  return value === undefined ? undefined : { text: `${JSON.stringify(value)}\n` };
}

/** "v2" or "v2beta1" when the client asks for aggregated discovery before anything else that we have. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const range of (accept ?? "").split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "*/*") continue;
    if (parameter(parameters, "as") === undefined) return undefined;
    if (parameter(parameters, "as") !== "APIGroupDiscoveryList") continue;
    const version = parameter(parameters, "v");
    if (version === "v2" || version === "v2beta1") return version;
  }
  return undefined;
}
