import { randomUUID } from "node:crypto";
import type { Json } from "#sandbox/kinds/definition";
import { inVersion, type Resource } from "../resource.ts";
import type { Attributes } from "../review.ts";
import { userInfo } from "../reviews.ts";
import type { User } from "../users.ts";

/** Who writes, and with which options (CreateOptions, UpdateOptions, PatchOptions, DeleteOptions of meta.k8s.io/v1). */
export interface Requester {
  readonly user: User;
  readonly options?: Json;
  /** The name in the path or the body; "" when the server is to make one up. Default: the object's. */
  readonly name?: string;
}

interface AdmissionReview {
  readonly uid: string;
  readonly body: Json;
}

/** The `AdmissionReview` (admission.k8s.io/v1) of one write, as the version `shown` of its resource. */
export function admissionReview(attributes: Attributes, shown: Resource, requester: Requester): AdmissionReview {
  const { address, subresource, operation, object, old, dryRun } = attributes;
  const { resource, namespace } = address;
  const uid = randomUUID();
  const part = subresource === "" ? {} : { subResource: subresource };
  const requestPart = subresource === "" ? {} : { requestSubResource: subresource };
  const request: Json = {
    uid,
    kind: kindOf(shown, subresource),
    resource: resourceOf(shown),
    ...part,
    requestKind: kindOf(resource, subresource),
    requestResource: resourceOf(resource),
    ...requestPart,
    ...((requester.name ?? address.name) === "" ? {} : { name: requester.name ?? address.name }),
    ...(namespace === "" ? {} : { namespace }),
    operation,
    userInfo: userInfo(requester.user),
    object: object === undefined ? null : seen(object, shown, subresource),
    oldObject: old === undefined ? null : seen(old, shown, subresource),
    dryRun,
    options: requester.options ?? { kind: OPTIONS[operation], apiVersion: "meta.k8s.io/v1" },
  };
  return { uid, body: { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request } };
}

const OPTIONS: Readonly<Record<Attributes["operation"], string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
};

/** Subresources whose bodies are of a kind of their own. */
const PART_KINDS: Readonly<Record<string, Json>> = {
  scale: { group: "autoscaling", version: "v1", kind: "Scale" },
  eviction: { group: "policy", version: "v1", kind: "Eviction" },
  binding: { group: "", version: "v1", kind: "Binding" },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
};

function kindOf(resource: Resource, subresource: string): Json {
  const { group, version, kind } = resource.definition;
  return PART_KINDS[subresource] ?? { group, version, kind };
}

function resourceOf(resource: Resource): Json {
  const { group, version, plural } = resource.definition;
  return { group, version, resource: plural };
}

function seen(object: Json, shown: Resource, subresource: string): Json {
  return PART_KINDS[subresource] === undefined ? inVersion(shown, object) : object;
}
