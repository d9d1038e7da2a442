import type { Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import { type Address, type Engine, readEntry, storeKey, targetOf } from "./context.ts";
import { isObject, listAt, textAt, timestamp, withAt } from "./json.ts";
import { badRequest, conflict } from "./status.ts";

/** POST pods/<name>/binding: puts the pod on a node, once. 409 when it has one already. */
export function bindPod(engine: Engine, address: Address, body: unknown, dryRun: boolean): Entry {
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
  if (dryRun) return entry;
  return engine.store.put(address.resource.bucket, storeKey(address), next, entry.revision);
}
