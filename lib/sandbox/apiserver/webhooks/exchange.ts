import type { Json } from "#sandbox/kinds/definition";
import type { Address } from "../context.ts";
import { readEntry } from "../context.ts";
import type { Exchange, Server } from "../handler.ts";
import { isObject, textAt } from "../json.ts";
import { addWarning } from "../reply.ts";
import type { Review } from "../review.ts";
import { dryRunParam } from "../route.ts";

/** Runs one write of a request through the admission webhooks; their warnings become headers of the reply. */
export function reviewed<T>(
  server: Server,
  exchange: Exchange,
  about: { readonly name?: string },
  write: (review: Review) => T,
): Promise<T> {
  const requester = { user: exchange.user, options: optionsOf(exchange), ...about };
  return server.webhooks.reviewed(write, requester, (text) => addWarning(exchange.response, text));
}

/** As `reviewed`, for a subresource that is only created: `body` is what webhooks are shown. */
export function reviewedPart<T>(
  server: Server,
  exchange: Exchange,
  address: Address,
  body: unknown,
  write: () => T,
): Promise<T> {
  const subresource = exchange.route.resource?.subresource ?? "";
  const dryRun = dryRunParam(exchange.route.query);
  return reviewed(server, exchange, {}, (review) => {
    const { revision } = readEntry(server.engine, address);
    const object = isObject(body) ? body : {};
    return review({ operation: "CREATE", address, subresource, object, revision, dryRun }, write);
  });
}

/** The name that a body asks for; "" when the server is to make one up. */
export function givenName(body: unknown): string {
  return isObject(body) ? textAt(body, "metadata", "name") : "";
}

const OPTIONS_KINDS: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
  DELETE: "DeleteOptions",
};

function optionsOf({ route }: Exchange): Json {
  const { method, query } = route;
  const options: Json = { kind: OPTIONS_KINDS[method] ?? "UpdateOptions", apiVersion: "meta.k8s.io/v1" };
  if (query.getAll("dryRun").includes("All")) options.dryRun = ["All"];
  for (const name of ["fieldManager", "fieldValidation", "propagationPolicy"]) {
    const value = query.get(name);
    if (value !== null && value !== "") options[name] = value;
  }
  return options;
}
