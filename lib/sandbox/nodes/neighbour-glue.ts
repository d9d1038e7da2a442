import type { ConfigMap } from "#api/kubernetes/cluster";
import { EDGE_CONFIG_MAP } from "#api/names";
import { CONFIG_MAPS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import type { Log } from "#runtime/log";
import type { Edge } from "../edge/start.ts";
import type { Objects } from "../port.ts";

const NAMESPACE = "kube-system";
/** At most five writes a second. */
const MIN_GAP_MS = 200;
const RETRY_MS = 1_000;

/** Publishes the edge's neighbour table as ConfigMap kube-system/berth-sandbox-edge, key `neighbours`. Returns how to stop. */
export function publishNeighbours(deps: {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
  readonly edge: Pick<Edge, "neighbours" | "onNeighbours">;
}): () => void {
  const { objects, clock, log, edge } = deps;
  let written = "";
  const write = async () => {
    const text = JSON.stringify(
      edge.neighbours().map(({ address, mac, state, updatedAt }) => ({ address, mac, state, updatedAt })),
    );
    if (text === written) return;
    const data = { neighbours: text };
    try {
      await objects.patch(
        CONFIG_MAPS,
        { namespace: NAMESPACE, name: EDGE_CONFIG_MAP },
        { kind: "merge", body: { data } },
      );
    } catch (error) {
      if (Fault.from(error).code !== "not_found") throw error;
      const metadata = { namespace: NAMESPACE, name: EDGE_CONFIG_MAP };
      const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
      await objects.create(CONFIG_MAPS, object);
    }
    written = text;
  };
  const publish = new Coalesced({
    clock,
    minGapMs: MIN_GAP_MS,
    task: write,
    onError(error) {
      log.debug("neighbours not published", { error: Fault.from(error).message });
      clock.schedule(RETRY_MS, () => publish.request());
    },
  });
  const stop = edge.onNeighbours(() => publish.request());
  publish.request();
  return () => {
    stop();
    publish.close();
  };
}
