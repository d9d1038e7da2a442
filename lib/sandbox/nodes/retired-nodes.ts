import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { keyOf, NODES, PODS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";

/** Nodes as this process names them; any other Node object is somebody else's. */
const OWN_NAME = /^node-\d\d$/;

/**
 * A start with fewer nodes than the last one: the others are not down but gone.
 * Their Node objects go, and at once what they ran, so that it is replaced.
 */
export async function removeRetiredNodes(
  objects: Objects,
  nodes: readonly Node[],
  kept: ReadonlySet<string>,
  log: Log,
): Promise<void> {
  const retired = nodes.map(keyOf).filter((name) => OWN_NAME.test(name) && !kept.has(name));
  if (retired.length === 0) return;
  try {
    // All nodes first: what replaces the pods of one must not be placed on the next.
    await Promise.all(retired.map((name) => gone(objects.remove(NODES, { name }))));
    const { items } = await objects.list(PODS);
    const left = items.filter(({ spec }) => spec?.nodeName !== undefined && retired.includes(spec.nodeName));
    await Promise.all(left.map(({ metadata }) => gone(removeNow(objects, metadata))));
    log.info("nodes retired", { nodes: retired.join(", "), pods: left.length });
  } catch (thrown) {
    log.warn("nodes not retired", { nodes: retired.join(", "), error: Fault.from(thrown).message });
  }
}

function removeNow(objects: Objects, { name = "", namespace }: Pod["metadata"]): Promise<void> {
  return objects.remove(PODS, { name, namespace }, { gracePeriodSeconds: 0 });
}

async function gone(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (thrown) {
    if (Fault.from(thrown).code !== "not_found") throw thrown;
  }
}
