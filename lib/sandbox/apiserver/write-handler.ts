import { applyObject } from "./apply.ts";
import { mediaType, parseJson, parseYaml, readData, readText } from "./body.ts";
import { type Address, storeKey } from "./context.ts";
import { createObject } from "./create.ts";
import { FieldValidation, type RawBody, readDirective } from "./field-validation.ts";
import type { Exchange, Server } from "./handler.ts";
import { timestamp } from "./json.ts";
import { managerCauses, managerOf, type Writer } from "./managed-fields/entries.ts";
import { refusal } from "./refusal.ts";
import { sendText } from "./reply.ts";
import type { Resource } from "./resource.ts";
import { dryRunParam, isTrue, viewOf } from "./route.ts";
import { invalid, methodNotAllowed, unsupportedMediaType } from "./status.ts";
import { viewText } from "./table.ts";
import { type Part, type Patch, patchObject, replaceObject } from "./update.ts";
import { givenName, reviewed } from "./webhooks/exchange.ts";

type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/** POST to a collection. */
export async function serveCreate(
  server: Server,
  exchange: Exchange,
  resource: Resource,
  namespace: string,
): Promise<void> {
  const { request, response, route } = exchange;
  const { engine } = server;
  const dryRun = dryRunParam(route.query);
  const writer = writerOf(server, exchange, resource, "", "CreateOptions");
  const validation = new FieldValidation(resource, readDirective(route.query, "CreateOptions"), response);
  const body = await readChecked(exchange, validation);
  const entry = await reviewed(server, exchange, { name: givenName(body) }, (review) =>
    createObject(engine, resource, namespace, body, { dryRun, review, writer }),
  );
  await engine.store.durable();
  const view = viewOf(request.headers.accept, route.query);
  sendText(response, 201, viewText(resource, entry, view, engine.clock.now()));
}

/** The body of a request as data, with its fields checked as `fieldValidation` asks. */
export async function readChecked({ request }: Exchange, validation: FieldValidation): Promise<unknown> {
  let raw: RawBody | undefined;
  const body = await readData(request, (text) => {
    raw = text;
  });
  validation.check(body, raw);
  return body;
}

const PATCH_KINDS: Readonly<Record<string, Patch["kind"]>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};
const APPLY = "application/apply-patch+yaml";

/** PUT and PATCH of an object or one of its parts. */
export async function serveUpdate(server: Server, exchange: Exchange, address: Address, part: Part): Promise<void> {
  const { request, route } = exchange;
  if (route.method === "PATCH") {
    return mediaType(request) === APPLY
      ? serveApply(server, exchange, address, part)
      : servePatch(server, exchange, address, part);
  }
  if (route.method !== "PUT") throw methodNotAllowed();
  const { resource } = address;
  const writer = writerOf(server, exchange, resource, part, "UpdateOptions");
  const options = { part, dryRun: dryRunParam(route.query), writer };
  const validation = new FieldValidation(resource, readDirective(route.query, "UpdateOptions"), exchange.response);
  const body = part === "" || part === "status" ? await readChecked(exchange, validation) : await readData(request);
  const entry = await reviewed(server, exchange, {}, (review) =>
    replaceObject(server.engine, address, body, { ...options, review }),
  );
  await reply(server, exchange, address, part, { entry, created: false });
}

async function servePatch(server: Server, exchange: Exchange, address: Address, part: Part): Promise<void> {
  const { request, response, route } = exchange;
  const { resource } = address;
  const type = mediaType(request);
  const kind = PATCH_KINDS[type];
  if (kind === undefined) throw unsupportedMediaType(`${UNKNOWN_FORMAT}, ${APPLY}`);
  const writer = writerOf(server, exchange, resource, part, "PatchOptions");
  if (isTrue(route.query.get("force"))) {
    throw optionsInvalid("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch");
  }
  const validation = new FieldValidation(resource, readDirective(route.query, "PatchOptions"), response);
  const text = await readText(request);
  const patch: Patch = { kind, body: parseJson(text) };
  const options = {
    part,
    dryRun: dryRunParam(route.query),
    writer,
    onPatched: (patched: Parameters<FieldValidation["checkPatched"]>[0]) =>
      validation.checkPatched(patched, patch, { text, format: "json" }),
  };
  const entry = await reviewed(server, exchange, {}, (review) =>
    patchObject(server.engine, address, patch, { ...options, review }),
  );
  await reply(server, exchange, address, part, { entry, created: false });
}

const UNKNOWN_FORMAT =
  "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, " +
  "application/merge-patch+json, application/strategic-merge-patch+json";

async function serveApply(server: Server, exchange: Exchange, address: Address, part: Part): Promise<void> {
  const { request, response, route, user } = exchange;
  const { query } = route;
  const { resource, namespace, name } = address;
  if ((query.get("fieldManager") ?? "") === "") {
    throw optionsInvalid("fieldManager", "FieldValueRequired", "Required value: is required for apply patch");
  }
  const writer = writerOf(server, exchange, resource, part, "PatchOptions");
  const validation = new FieldValidation(resource, readDirective(query, "PatchOptions"), response);
  const text = await readText(request);
  const { body, format } = readApplied(text);
  validation.checkApplied({ text, format });
  const options = { part, dryRun: dryRunParam(query), force: isTrue(query.get("force")), writer };
  const applied = await reviewed(server, exchange, {}, (review) => {
    const { group, plural } = resource.definition;
    const create = { verb: "create", group, resource: plural, subresource: "", name, namespace };
    const result = () => applyObject(server.engine, address, body, { ...options, review });
    if (server.engine.store.get(resource.bucket, storeKey(address)) !== undefined) return result();
    if (!server.authorizer.allows(user, create)) throw refusal(user, create);
    return result();
  });
  await reply(server, exchange, address, part, applied);
}

/** JSON, which most clients send, is YAML too, but reading it as such takes many times as long. */
function readApplied(text: string): { readonly body: unknown; readonly format: RawBody["format"] } {
  if (text.trimStart().startsWith("{")) {
    try {
      return { body: JSON.parse(text), format: "json" };
    } catch {
      // YAML's own braces.
    }
  }
  return { body: parseYaml(text), format: "yaml" };
}

async function reply(
  server: Server,
  { request, response, route }: Exchange,
  { resource }: Address,
  part: Part,
  { entry, created }: { readonly entry: ReturnType<typeof replaceObject>; readonly created: boolean },
): Promise<void> {
  await server.engine.store.durable();
  if (part === "scale") return sendText(response, 200, entry.text);
  const view = viewOf(request.headers.accept, route.query);
  sendText(response, created ? 201 : 200, viewText(resource, entry, view, server.engine.clock.now()));
}

function writerOf(
  server: Server,
  { request, route }: Exchange,
  resource: Resource,
  part: Part,
  kind: OptionsKind,
): Writer {
  const asked = route.query.get("fieldManager") ?? "";
  const causes = managerCauses(asked, "fieldManager");
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", plural: "", kind }, "", causes);
  const manager = managerOf(asked, request.headers["user-agent"]);
  return { manager, subresource: part, apiVersion: resource.apiVersion, now: timestamp(server.engine.clock.now()) };
}

function optionsInvalid(field: string, reason: "FieldValueForbidden" | "FieldValueRequired", message: string) {
  return invalid({ group: "meta.k8s.io", plural: "", kind: "PatchOptions" }, "", [{ reason, field, message }]);
}
