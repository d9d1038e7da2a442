import { invalid as invalidField } from "#sandbox/kinds/causes";
import type { Cause, Json, JsonValue } from "#sandbox/kinds/definition";
import { type Address, type Engine, readEntry } from "./context.ts";
import { at, isObject, numberAt, textAt, textList, timestamp } from "./json.ts";
import { bucketOf, keyOf } from "./resource.ts";
import { badRequest, conflict, invalid, notFound } from "./status.ts";
import { type BoundObject, ISSUER, type Users } from "./users.ts";

const SECONDS_DEFAULT = 3600;
const SECONDS_MIN = 600;
const SECONDS_MAX = 2 ** 32;
const TARGET = { group: "authentication.k8s.io", plural: "tokenrequests", kind: "TokenRequest" };

/**
 * POST serviceaccounts/<name>/token: a TokenRequest with its status filled in. 404 without account or bound object,
 * 409 when that is not the one with the uid asked for, 422 for a bad duration.
 */
export function requestToken(engine: Engine, address: Address, body: unknown, users: Users): Json {
  const account = readEntry(engine, address);
  const spec = isObject(body) ? at(body, "spec") : undefined;
  const seconds = numberAt(spec, "expirationSeconds") ?? SECONDS_DEFAULT;
  const causes = secondsCauses(seconds);
  if (causes.length > 0) throw invalid(TARGET, "", causes);
  const asked = textList(at(spec, "audiences"));
  const audiences = asked.length > 0 ? asked : [ISSUER];
  const reference = at(spec, "boundObjectRef");
  const bound = isObject(reference) ? boundObject(engine, address, reference) : undefined;
  const { namespace, name } = address;
  const issued = users.issue(
    { namespace, name, audiences, expirationSeconds: seconds, ...(bound === undefined ? {} : { bound }) },
    textAt(account.object, "metadata", "uid"),
  );
  return {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name, namespace, creationTimestamp: timestamp(engine.clock.now()) },
    spec: {
      audiences: [...audiences],
      expirationSeconds: seconds,
      boundObjectRef: bound === undefined || !isObject(reference) ? null : { ...reference, uid: bound.uid },
    },
    status: { token: issued.token, expirationTimestamp: issued.expires },
  };
}

function secondsCauses(seconds: number): readonly Cause[] {
  const field = "spec.expirationSeconds";
  if (!Number.isInteger(seconds)) return [invalidField(field, seconds, "must be a whole number of seconds")];
  if (seconds < SECONDS_MIN) return [invalidField(field, seconds, "may not specify a duration less than 10 minutes")];
  if (seconds > SECONDS_MAX) {
    return [invalidField(field, seconds, "may not specify a duration larger than 2^32 seconds")];
  }
  return [];
}

const BINDABLE: Readonly<Record<string, { readonly kind: BoundObject["kind"]; readonly plural: string }>> = {
  Pod: { kind: "pod", plural: "pods" },
  Secret: { kind: "secret", plural: "secrets" },
  Node: { kind: "node", plural: "nodes" },
};

function boundObject(engine: Engine, address: Address, reference: Json): BoundObject {
  const kind = textAt(reference, "kind");
  const apiVersion = textAt(reference, "apiVersion") || "v1";
  const known = Object.hasOwn(BINDABLE, kind) && apiVersion === "v1" ? BINDABLE[kind] : undefined;
  if (known === undefined) throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`);
  const name = textAt(reference, "name");
  const key = keyOf(known.kind === "node" ? "" : address.namespace, name);
  const target = { group: "", plural: known.plural, kind };
  const found: JsonValue = engine.store.get(bucketOf("", known.plural), key)?.object;
  if (found === undefined) throw notFound(target, name);
  if (known.kind === "pod" && (textAt(found, "spec", "serviceAccountName") || "default") !== address.name) {
    throw badRequest(
      `cannot bind token for serviceaccount "${address.name}" to pod running with different serviceaccount name.`,
    );
  }
  const uid = textAt(found, "metadata", "uid");
  const wanted = textAt(reference, "uid");
  if (wanted !== "" && wanted !== uid) {
    throw conflict(
      target,
      name,
      `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { kind: known.kind, name, uid };
}
