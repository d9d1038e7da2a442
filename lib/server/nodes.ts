import { z } from "zod";
import { Neighbour, type NodeRow } from "#api/dashboard/nodes";
import { ANNOTATION, EDGE_CONFIG_MAP, KUBE_PROXY } from "#api/names";
import { CONFIG_MAPS, NODES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { find } from "./objects.ts";
import { nodeRow } from "./rows/nodes.ts";

export function listNodes(on: Dashboard): NodeRow[] {
  const view = on.views.now();
  return view.facts.nodes.map((node) => nodeRow(node, view)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readNode(on: Dashboard, name: string): NodeRow {
  const node = on.world.nodes.get(name);
  if (node === undefined) throw new Fault("not_found", `There is no node ${name}.`);
  return nodeRow(node, on.views.now());
}

/** Switches a node of the sandbox off or on; everywhere else machines are not ours to switch. */
export async function setPower(on: Dashboard, name: string, power: "on" | "off"): Promise<NodeRow> {
  if (!on.sandbox) throw new Fault("forbidden", "Only nodes of the sandbox can be switched from here.");
  const annotations = { [ANNOTATION.power]: power };
  const written = await on.cluster
    .patch(NODES, { name }, { kind: "merge", body: { metadata: { annotations } } })
    .catch((thrown: unknown) => {
      if (Fault.from(thrown).code === "not_found") throw new Fault("not_found", `There is no node ${name}.`);
      throw thrown;
    });
  await on.world.seen(on.world.nodes, name, written);
  return nodeRow(written, on.views.now());
}

/** What the sandbox's edge last learned by ARP. */
export async function neighbours(on: Dashboard, signal: AbortSignal): Promise<Neighbour[]> {
  const name = { name: EDGE_CONFIG_MAP, namespace: KUBE_PROXY.namespace };
  const found = on.sandbox ? await find(on.cluster, CONFIG_MAPS, name, signal) : null;
  if (found === null) throw new Fault("not_found", "There is no edge here: only the sandbox has one.");
  return parseNeighbours(found.data?.neighbours ?? "[]");
}

/** Entries that are not understood are left out. */
export function parseNeighbours(text: string): Neighbour[] {
  try {
    const entries = z.array(z.unknown()).safeParse(JSON.parse(text));
    return (entries.data ?? []).flatMap((entry) => {
      const parsed = Neighbour.safeParse(entry);
      return parsed.success ? [parsed.data] : [];
    });
  } catch {
    return [];
  }
}
