import type { Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry, storeKey, targetOf } from "./context.ts";
import { at, isObject, listAt, numberAt, textAt, timestamp, withAt } from "./json.ts";
import { type Removal, removeObject } from "./remove.ts";
import { badRequest, conflict } from "./status.ts";
import type { Users } from "./users.ts";

/** POST pods/<name>/binding: puts the pod on a node, once. 409 when it has one already. */
export function bindPod(engine: Engine, address: Address, body: unknown): Entry {
  const entry = readEntry(engine, address);
  const node = isObject(body) ? textAt(body, "target", "name") : "";
  if (node === "") throw badRequest("target.name: Required value");
  const current = textAt(entry.object, "spec", "nodeName");
  if (current !== "") {
    throw conflict(
      targetOf(address.resource),
      address.name,
      `pod ${address.name} is already assigned to node "${current}"`,
    );
  }
  const now = timestamp(engine.clock.now());
  const others = listAt(entry.object, "status", "conditions").filter((one) => textAt(one, "type") !== "PodScheduled");
  const scheduled: Json = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  const bound = withAt(entry.object, ["spec", "nodeName"], node);
  const next = withAt(bound, ["status", "conditions"], [...others, scheduled]);
  return engine.store.put(address.resource.bucket, storeKey(address), next, entry.revision);
}

/** POST pods/<name>/eviction: deletes the pod with the options inside (disruption budgets come with issue C). */
export function evictPod(engine: Engine, address: Address, body: unknown, dryRun: boolean): Removal {
  const options = isObject(body) ? at(body, "deleteOptions") : undefined;
  return removeObject(engine, address, {
    dryRun,
    gracePeriodSeconds: numberAt(options, "gracePeriodSeconds"),
    uid: textAt(options, "preconditions", "uid") || undefined,
  });
}

/** POST serviceaccounts/<name>/token: a TokenRequest with its status filled in. */
export function requestToken(engine: Engine, address: Address, body: unknown, users: Users): Json {
  const account = readEntry(engine, address);
  const spec = isObject(body) ? at(body, "spec") : undefined;
  const seconds = numberAt(spec, "expirationSeconds");
  const audiences = listAt(spec, "audiences").filter((audience) => typeof audience === "string");
  const bound = at(spec, "boundObjectRef");
  const issued = users.issue(
    {
      namespace: address.namespace,
      name: address.name,
      audiences,
      ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
      ...(textAt(bound, "kind") === "Pod" ? { pod: { name: textAt(bound, "name"), uid: textAt(bound, "uid") } } : {}),
    },
    textAt(account.object, "metadata", "uid"),
  );
  return {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name: address.name,
      namespace: address.namespace,
      creationTimestamp: timestamp(engine.clock.now()),
    },
    spec: { audiences: [...audiences], expirationSeconds: seconds ?? 3600, boundObjectRef: bound ?? null },
    status: { token: issued.token, expirationTimestamp: issued.expires },
  };
}
