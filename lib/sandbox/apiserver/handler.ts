import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "#runtime/log";
import type { Engine } from "./context.ts";
import type { Discovery } from "./discovery.ts";
import { FieldValidation, readDirective, type Validated } from "./field-validation.ts";
import { impersonationOf } from "./impersonation.ts";
import type { OpenApi } from "./openapi.ts";
import { servePath } from "./paths.ts";
import type { Authorizer } from "./rbac.ts";
import { refusal } from "./refusal.ts";
import { sendJson, sendStatus } from "./reply.ts";
import { serveResource } from "./resource-handler.ts";
import { reviewAt } from "./review-kinds.ts";
import { answerReview } from "./reviews.ts";
import { actionOf, type ResourceRoute, type Route, readRoute } from "./route.ts";
import { methodNotAllowed, statusOf } from "./status.ts";
import type { User, Users } from "./users.ts";
import type { Webhooks } from "./webhooks/driver.ts";
import { readChecked } from "./write-handler.ts";

/** What a running API server consists of. */
export interface Server {
  readonly engine: Engine;
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly webhooks: Webhooks;
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
    else {
      const review = reviewAt(route.resource.group, route.resource.version, route.resource.plural);
      if (review === undefined) await serveResource(server, exchange, route.resource);
      else await serveReview(server, exchange, route.resource, review);
    }
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
  const asked = impersonationOf(request);
  if (asked === undefined) return user;
  for (const action of asked.needs) if (!server.authorizer.allows(user, action)) throw refusal(user, action);
  return asked.user;
}

async function serveReview(
  server: Server,
  exchange: Exchange,
  route: ResourceRoute,
  definition: Validated["definition"],
): Promise<void> {
  if (exchange.route.method !== "POST") throw methodNotAllowed();
  const directive = readDirective(exchange.route.query, "CreateOptions");
  const validation = new FieldValidation({ definition }, directive, exchange.response);
  const body = await readChecked(exchange, validation);
  const { users, authorizer, engine } = server;
  const deps = { users, authorizer, now: engine.clock.now() };
  sendJson(exchange.response, 201, answerReview(route.plural, route.namespace ?? "", body, exchange.user, deps));
}
