import type { Node, Pod } from "#api/kubernetes";
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
  facts: { readonly nodes: readonly Node[]; readonly pods: readonly Pod[]; readonly kept: ReadonlySet<string> },
  log: Log,
): Promise<void> {
  const retired = facts.nodes.map(keyOf).filter((name) => OWN_NAME.test(name) && !facts.kept.has(name));
  for (const node of retired) {
    const pods = facts.pods.filter(({ spec }) => spec?.nodeName === node);
    try {
      // The node first: a DaemonSet would put its pod on it again.
      await gone(objects.remove(NODES, { name: node }));
      const removed = pods.map(({ metadata: { name = "", namespace } }) =>
        gone(objects.remove(PODS, { name, namespace }, { gracePeriodSeconds: 0 })),
      );
      await Promise.all(removed);
      log.info("node retired", { node, pods: pods.length });
    } catch (thrown) {
      log.warn("node not retired", { node, error: Fault.from(thrown).message });
    }
  }
}

async function gone(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (thrown) {
    if (Fault.from(thrown).code !== "not_found") throw thrown;
  }
}
