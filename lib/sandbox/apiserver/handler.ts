import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "#runtime/log";
import { readData } from "./body.ts";
import type { Engine } from "./context.ts";
import type { Discovery } from "./discovery.ts";
import type { OpenApi } from "./openapi.ts";
import { servePath } from "./paths.ts";
import type { Action, Authorizer } from "./rbac.ts";
import { sendJson, sendStatus } from "./reply.ts";
import { serveResource } from "./resource-handler.ts";
import { isReview } from "./review-kinds.ts";
import { answerReview } from "./reviews.ts";
import { actionOf, type ResourceRoute, type Route, readRoute } from "./route.ts";
import { failure, forbidden, methodNotAllowed, type StatusFault, statusOf } from "./status.ts";
import { impersonated, type User, type Users } from "./users.ts";

/** What a running API server consists of. */
export interface Server {
  readonly engine: Engine;
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly discovery: Discovery;
  readonly openapi: OpenApi;
  readonly dataDir: string;
  readonly log: Log;
  /** Ends of the streams that are open. */
  readonly streams: Set<() => void>;
}

/** One request, with who asks. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly user: User;
}

/** Answers one request; whatever goes wrong becomes a Status, never a stack trace or an unanswered request. */
export async function handle(server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const route = readRoute(request.method ?? "GET", request.url ?? "/");
    const user = identify(server, request);
    const action = actionOf(route);
    if (!server.authorizer.allows(user, action)) throw refusal(user, action);
    const exchange: Exchange = { request, response, route, user };
    if (route.resource === undefined) servePath(server, exchange);
    else if (isReview(route.resource.group, route.resource.version, route.resource.plural)) {
      await serveReview(server, exchange, route.resource);
    } else await serveResource(server, exchange, route.resource);
  } catch (thrown) {
    const status = statusOf(thrown);
    if (status.code === 500) server.log.error("request failed", { url: request.url, error: thrown });
    if (response.headersSent) response.destroy();
    else sendStatus(response, status);
    // The rest of a body that nobody reads must not block the connection.
    if (!request.complete) request.resume();
  }
}

function identify(server: Server, request: IncomingMessage): User {
  const user = server.users.authenticate(request.headers);
  const asked = impersonated(request.headers);
  if (asked === undefined) return user;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(asked.name);
  const base = { verb: "impersonate", group: "", subresource: "", namespace: "" };
  const wanted: Action[] = [
    account === null
      ? { ...base, resource: "users", name: asked.name }
      : { ...base, resource: "serviceaccounts", name: account[2] ?? "", namespace: account[1] ?? "" },
  ];
  if (request.headers["impersonate-group"] !== undefined) {
    for (const group of asked.groups) {
      if (group !== "system:authenticated") wanted.push({ ...base, resource: "groups", name: group });
    }
  }
  for (const action of wanted) if (!server.authorizer.allows(user, action)) throw refusal(user, action);
  return asked;
}

function refusal(user: User, action: Action): StatusFault {
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

async function serveReview(server: Server, exchange: Exchange, route: ResourceRoute): Promise<void> {
  if (exchange.route.method !== "POST") throw methodNotAllowed();
  const body = await readData(exchange.request);
  const { users, authorizer, engine } = server;
  const deps = { users, authorizer, now: engine.clock.now() };
  sendJson(exchange.response, 201, answerReview(route.plural, route.namespace ?? "", body, exchange.user, deps));
}
