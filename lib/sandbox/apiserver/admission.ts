import { Fault } from "#core/errors";
import type { Cause, Json } from "#sandbox/kinds/definition";
import { type Address, admissionContext, type Engine, targetOf } from "./context.ts";
import { completeCrd, validateCrd } from "./crd.ts";
import { at, equal, isObject, metadataOf, nameOf, textAt } from "./json.ts";
import { finalizerCauses, metadataTypeProblem, validateMetadata } from "./metadata.ts";
import { bucketOf, CRD_BUCKET, NAMESPACE_BUCKET, type Resource } from "./resource.ts";
import { badRequest, failure, forbidden, invalid, notFound } from "./status.ts";
import { conditionCauses } from "./webhooks/conditions.ts";
import { WEBHOOK_BUCKET } from "./webhooks/hooks.ts";

/** Whether this kind keeps `status` apart from the rest. */
export function hasStatus(resource: Resource): boolean {
  return resource.definition.subresources.includes("status");
}

/**
 * The body of a write as an object of this kind, its type and namespace filled in. Throws 400 in the server's words
 * when it is no object, of another kind, or says another name or namespace than the path.
 */
export function readBody(address: Address, body: unknown): Json {
  const { resource, namespace, name } = address;
  const { kind, version, namespaced } = resource.definition;
  if (!isObject(body)) {
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: the body is not a JSON object`);
  }
  const apiVersion = textAt(body, "apiVersion") || resource.apiVersion;
  if (apiVersion !== resource.apiVersion) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${resource.apiVersion})`,
    );
  }
  const bodyKind = textAt(body, "kind") || kind;
  if (bodyKind !== kind) {
    throw badRequest(
      `${bodyKind} in version "${version}" cannot be handled as a ${kind}: the kind in the data does not match`,
    );
  }
  const problem = metadataTypeProblem(body);
  if (problem !== undefined) {
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);
  }
  const metadata = { ...metadataOf(body) };
  const bodyNamespace = textAt(metadata, "namespace");
  if (namespaced && bodyNamespace !== "" && bodyNamespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const bodyName = textAt(metadata, "name");
  if (name !== "" && bodyName !== "" && bodyName !== name) {
    throw badRequest(`the name of the object (${bodyName}) does not match the name on the URL (${name})`);
  }
  if (namespaced) metadata.namespace = namespace;
  else delete metadata.namespace;
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = body;
  return { apiVersion: resource.apiVersion, kind, metadata, ...rest };
}

/** Refuses a creation in a namespace that is not there or is going away, in the server's words. */
export function checkNamespace(engine: Engine, address: Address): void {
  const { resource, namespace, name } = address;
  if (!resource.definition.namespaced) return;
  const found = engine.store.get(NAMESPACE_BUCKET, namespace);
  if (found === undefined) throw notFound({ group: "", plural: "namespaces", kind: "Namespace" }, namespace);
  if (at(found.object, "metadata", "deletionTimestamp") === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refused = forbidden(targetOf(resource), name, why);
  const { plural, group } = resource.definition;
  throw failure({
    code: 403,
    reason: "Forbidden",
    message: refused.message,
    details: {
      name,
      ...(group === "" ? {} : { group }),
      kind: plural,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  });
}

/** Refuses an object of a custom kind whose definition is being deleted. */
export function checkOpen(resource: Resource): void {
  if (resource.custom?.open !== false) return;
  throw failure({
    code: 405,
    reason: "MethodNotAllowed",
    message: `create not allowed while custom resource definition is terminating`,
    details: {},
  });
}

// What these are given follows from their spec alone, and looking for it costs a pass over all of them: an annotation
// must not pay for that.
const ALLOCATED_BY_SPEC: ReadonlySet<string> = new Set([bucketOf("", "services")]);

interface Admission {
  /** Allocation belongs to whole-object writes only. */
  readonly allocate: boolean;
  readonly old?: Json;
  /** The kind's defaults are in already. */
  readonly defaulted?: boolean;
}

/** Defaults, allocation and validation: the object as it will be stored (metadata untouched), or 422 with every cause. */
export function admit(engine: Engine, resource: Resource, object: Json, how: Admission): Json {
  const { definition } = resource;
  const { old } = how;
  let next = how.defaulted === true ? object : definition.defaults(object);
  if (resource.bucket === CRD_BUCKET) next = completeCrd(next, old, engine.clock.now());
  const early = causesOf(resource, next, old);
  if (early.length > 0) throw invalid(targetOf(resource), nameOf(object), early);
  if (!how.allocate || definition.admit === undefined) return next;
  if (old !== undefined && ALLOCATED_BY_SPEC.has(resource.bucket) && equal(next.spec, old.spec)) return next;
  const admitted = allocated(engine, resource, next, old);
  if (admitted === next) return next;
  const late = causesOf(resource, admitted, old);
  if (late.length > 0) throw invalid(targetOf(resource), nameOf(object), late);
  return admitted;
}

/** The kind's own `admit`; a refusal gets the shape of any other (422 with the field as a cause). */
function allocated(engine: Engine, resource: Resource, object: Json, old: Json | undefined): Json {
  try {
    return resource.definition.admit?.(object, old, admissionContext(engine)) ?? object;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== "invalid" || "status" in thrown) throw thrown;
    const causes = Object.entries(thrown.fields).map(
      ([field, message]): Cause => ({ reason: "FieldValueInvalid", field, message }),
    );
    if (causes.length === 0) throw thrown;
    throw invalid(targetOf(resource), nameOf(object), causes);
  }
}

function causesOf(resource: Resource, object: Json, old: Json | undefined): readonly Cause[] {
  const { definition } = resource;
  const own = definition.validate(object, old);
  const known = new Set(own.map((cause) => cause.field));
  const generic = validateMetadata(object, definition.group).filter((cause) => !known.has(cause.field));
  return [
    ...generic,
    ...(old === undefined ? [] : finalizerCauses(object, old)),
    ...own,
    ...(resource.bucket === CRD_BUCKET ? validateCrd(object, old) : []),
    ...(resource.bucket === WEBHOOK_BUCKET ? conditionCauses(object) : []),
  ];
}
