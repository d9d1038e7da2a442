import { join } from "node:path";
import type { Entry } from "#sandbox/store/types";
import { readData } from "./body.ts";
import { type Address, readEntry, storeKey } from "./context.ts";
import { evictPod } from "./eviction.ts";
import type { Exchange, Server } from "./handler.ts";
import { at, isObject, listAt, numberAt, textAt } from "./json.ts";
import { listObjects, listText } from "./list.ts";
import { readListOptions } from "./list-options.ts";
import { bindPod } from "./pod-actions.ts";
import { chooseContainer, chooseFile, hasEnded, readLogQuery, streamLog } from "./pod-log.ts";
import { type RemoveOptions, removeObject } from "./remove.ts";
import { addWarning, sendJson, sendText, success } from "./reply.ts";
import { keyOf, type Resource } from "./resource.ts";
import { dryRunParam, numberParam, type ResourceRoute, viewOf } from "./route.ts";
import { scaleOf } from "./scale.ts";
import { badRequest, failure, methodNotAllowed, noSuchKind, noSuchPath } from "./status.ts";
import { listViewText, viewText } from "./table.ts";
import { requestToken } from "./token-request.ts";
import { readWatchQuery, streamWatch } from "./watch-stream.ts";
import { reviewed, reviewedPart } from "./webhooks/exchange.ts";
import { serveCreate, serveUpdate } from "./write-handler.ts";

/** Serves /api/v1/… and /apis/<group>/<version>/… for every kind alike. */
export async function serveResource(server: Server, exchange: Exchange, route: ResourceRoute): Promise<void> {
  const resource = server.engine.catalog.find(route.group, route.version, route.plural);
  if (resource === undefined) throw noSuchKind(route.group, route.plural);
  if (!resource.definition.namespaced && route.namespace !== undefined) throw noSuchPath();
  warn(exchange, resource);
  const { verb } = route;
  if (route.subresource !== "") return serveSubresource(server, exchange, route, resource);
  if (verb === "list") return serveList(server, exchange, route, resource);
  if (verb === "watch") return serveWatch(server, exchange, route, resource);
  if (verb === "create") return serveCreate(server, exchange, resource, addressOf(resource, route).namespace);
  if (verb === "deletecollection") return serveDeleteCollection(server, exchange, route, resource);
  const address = addressOf(resource, route);
  if (verb === "get") return serveGet(server, exchange, address);
  if (verb === "update" || verb === "patch") return serveUpdate(server, exchange, address, "");
  if (verb === "delete") return serveDelete(server, exchange, address);
  throw methodNotAllowed();
}

function addressOf(resource: Resource, route: ResourceRoute): Address {
  if (resource.definition.namespaced && route.namespace === undefined) {
    throw failure({
      code: 405,
      reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource: a namespace is needed",
      details: {},
    });
  }
  return { resource, namespace: route.namespace ?? "", name: route.name };
}

function warn({ response }: Exchange, resource: Resource): void {
  const { group, plural } = resource.definition;
  if (group !== "" || plural !== "endpoints") return;
  const text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
  addWarning(response, text);
}

function serveGet(server: Server, { request, response, route }: Exchange, address: Address): void {
  server.engine.store.flush();
  const entry = readEntry(server.engine, address);
  const view = viewOf(request.headers.accept, route.query);
  sendText(response, 200, viewText(address.resource, entry, view, server.engine.clock.now()));
}

function serveList(
  server: Server,
  { request, response, route }: Exchange,
  where: ResourceRoute,
  resource: Resource,
): void {
  const { query } = route;
  const result = listObjects(server.engine, resource, {
    ...readListOptions(query, false),
    namespace: where.namespace,
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
  });
  const view = viewOf(request.headers.accept, query);
  sendText(response, 200, listViewText(resource, result, view, server.engine.clock.now()));
}

function serveWatch(server: Server, exchange: Exchange, where: ResourceRoute, resource: Resource): void {
  const { request, response, route } = exchange;
  const query = readWatchQuery(route.query, where);
  const view = viewOf(request.headers.accept, route.query);
  const stop = streamWatch(server.engine, resource, query, view, response);
  server.streams.add(stop);
  response.on("close", () => server.streams.delete(stop));
}

async function serveDelete(server: Server, exchange: Exchange, address: Address): Promise<void> {
  const { engine } = server;
  const options = await readRemoveOptions(exchange);
  const removal = await reviewed(server, exchange, {}, (review) =>
    removeObject(engine, address, { ...options, review }),
  );
  await engine.store.durable();
  const { entry, gone } = removal;
  const podLike = address.resource.definition.group === "" && address.resource.definition.plural === "pods";
  if (!gone || podLike)
    return sendText(exchange.response, 200, viewText(address.resource, entry, { kind: "object" }, 0));
  const uid = textAt(entry.object, "metadata", "uid");
  sendJson(exchange.response, 200, success(address.resource.definition, address.name, uid));
}

async function serveDeleteCollection(
  server: Server,
  exchange: Exchange,
  where: ResourceRoute,
  resource: Resource,
): Promise<void> {
  const { engine } = server;
  const { query } = exchange.route;
  if (resource.definition.namespaced && where.namespace === undefined) throw methodNotAllowed();
  const options = await readRemoveOptions(exchange);
  const result = listObjects(engine, resource, {
    namespace: where.namespace,
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
  });
  const removed: Entry[] = [];
  for (const entry of result.entries) {
    const address = { resource, namespace: where.namespace ?? "", name: textAt(entry.object, "metadata", "name") };
    // Webhooks take time: it may have gone meanwhile.
    if (engine.store.get(resource.bucket, storeKey(address)) === undefined) continue;
    const removal = await reviewed(server, exchange, {}, (review) =>
      removeObject(engine, address, { ...options, review }),
    );
    removed.push(removal.entry);
  }
  await engine.store.durable();
  sendText(exchange.response, 200, listText(resource, { entries: removed, revision: engine.store.revision }));
}

async function readRemoveOptions({ request, route }: Exchange): Promise<RemoveOptions> {
  const { query } = route;
  const hasBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  const body = hasBody ? await readData(request) : {};
  if (!isObject(body)) throw badRequest("the body of a deletion is DeleteOptions, a JSON object");
  const orphan = at(body, "orphanDependents") === true ? "Orphan" : undefined;
  return {
    propagation: textAt(body, "propagationPolicy") || query.get("propagationPolicy") || orphan,
    gracePeriodSeconds: numberAt(body, "gracePeriodSeconds") ?? numberParam(query, "gracePeriodSeconds"),
    uid: textAt(body, "preconditions", "uid") || undefined,
    resourceVersion: textAt(body, "preconditions", "resourceVersion") || undefined,
    dryRun: dryRunParam(query) || listAt(body, "dryRun").includes("All"),
  };
}

const NOT_SERVED: ReadonlySet<string> = new Set([
  "exec",
  "attach",
  "portforward",
  "proxy",
  "ephemeralcontainers",
  "resize",
]);

async function serveSubresource(
  server: Server,
  exchange: Exchange,
  where: ResourceRoute,
  resource: Resource,
): Promise<void> {
  const { definition } = resource;
  const { subresource } = where;
  if (NOT_SERVED.has(subresource.split("/")[0] ?? "")) {
    throw failure({
      code: 405,
      reason: "MethodNotAllowed",
      message: `the Berth sandbox does not serve "${subresource}" on ${definition.plural}: its pods are not containers`,
      details: {},
    });
  }
  if (!definition.subresources.includes(subresource)) throw noSuchPath();
  const address = addressOf(resource, where);
  const { engine } = server;
  const { request, response, route } = exchange;
  switch (subresource) {
    case "status":
    case "finalize":
      if (route.method === "GET") return serveGet(server, exchange, address);
      return serveUpdate(server, exchange, address, subresource);
    case "scale":
      if (route.method !== "GET") return serveUpdate(server, exchange, address, "scale");
      engine.store.flush();
      return sendJson(response, 200, scaleOf(resource, readEntry(engine, address).object));
    case "log":
      if (route.method !== "GET") throw methodNotAllowed();
      return serveLog(server, exchange, address);
  }
  if (route.method !== "POST") throw methodNotAllowed();
  const body = await readData(request);
  const done = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  switch (subresource) {
    case "binding":
      await reviewedPart(server, exchange, address, body, () =>
        bindPod(engine, address, body, dryRunParam(route.query)),
      );
      await engine.store.durable();
      return sendJson(response, 201, done);
    case "eviction":
      await reviewedPart(server, exchange, address, body, () =>
        evictPod(engine, address, body, dryRunParam(route.query)),
      );
      await engine.store.durable();
      return sendJson(response, 201, done);
    case "token":
      return sendJson(
        response,
        201,
        await reviewedPart(server, exchange, address, body, () => requestToken(engine, address, body, server.users)),
      );
    default:
      throw noSuchPath();
  }
}

async function serveLog(server: Server, { response, route }: Exchange, address: Address): Promise<void> {
  const { engine } = server;
  const pod = readEntry(engine, address).object;
  const query = readLogQuery(route.query, engine.clock.now());
  const container = chooseContainer(pod, query.container);
  const directory = join(server.dataDir, "pods", textAt(pod, "metadata", "uid"), "logs");
  const file = await chooseFile(pod, directory, container, query.previous);
  const abort = new AbortController();
  const stop = () => abort.abort();
  response.on("close", stop);
  server.streams.add(stop);
  const key = keyOf(address.namespace, address.name);
  try {
    response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
    response.flushHeaders();
    await streamLog(file, query, {
      clock: engine.clock,
      signal: abort.signal,
      write: (text) => void (text !== "" && response.write(text)),
      ended: () => hasEnded(engine.store.get(address.resource.bucket, key)?.object, container, file),
    });
  } finally {
    server.streams.delete(stop);
    response.end();
  }
}
