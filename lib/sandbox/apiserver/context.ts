import { randomBytes } from "node:crypto";
import type { Clock } from "#runtime/clock";
import type { AdmissionContext } from "#sandbox/kinds/definition";
import type { Entry, Store } from "#sandbox/store/types";
import type { Catalog } from "./catalog.ts";
import { bucketOf, keyOf, type Resource } from "./resource.ts";
import { notFound, type StatusFault, type Target } from "./status.ts";

/** What every operation on objects works with. All of them are synchronous; acknowledge after `store.durable()`. */
export interface Engine {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** PEM of the server's authority, for `kube-root-ca.crt`; absent: no such ConfigMap is made. */
  readonly ca?: string;
}

/** Which object of which kind; `namespace` is "" for cluster-scoped kinds. */
export interface Address {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

export function targetOf(resource: Resource): Target {
  return resource.definition;
}

export function storeKey(address: Address): string {
  return keyOf(address.resource.definition.namespaced ? address.namespace : "", address.name);
}

/** The stored object, or 404 in the server's words. */
export function readEntry(engine: Engine, address: Address): Entry {
  const entry = engine.store.get(address.resource.bucket, storeKey(address));
  if (entry === undefined) throw missing(address);
  return entry;
}

export function missing(address: Address): StatusFault {
  return notFound(targetOf(address.resource), address.name);
}

// Kubernetes' alphabet for generated names: no vowels, no characters that are mistaken for others.
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

export function randomName(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 243 = 9 × 27: every character equally likely.
      if (byte < 243 && text.length < length) text += ALPHABET[byte % 27];
    }
  }
  return text;
}

/** What a kind's `admit` may look at. */
export function admissionContext(engine: Engine): AdmissionContext {
  const { store, clock } = engine;
  return {
    now: clock.now(),
    holders: (group, plural, of) => store.index(bucketOf(group, plural), of),
    get: (group, plural, name, namespace) => store.get(bucketOf(group, plural), keyOf(namespace ?? "", name))?.object,
    randomName,
  };
}
