import { CONFIGURATION_RESOURCES } from "#api/configuration-source";
import type { KubeObject } from "#api/kubernetes/objects";
import type { BGPPeer } from "#api/metallb-bgp";
import { NAMESPACES, NODES, type ResourceRef, SECRETS, SERVICES } from "#api/resources";
import type { ConfigurationInput } from "#core/configuration";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";

interface ClusterRead {
  readonly input: ConfigurationInput;
  readonly count: number;
  /** What could not be read, and so is not judged. */
  readonly notes: readonly string[];
}

/**
 * The configuration of a cluster and what it depends on. A kind that is not
 * installed has no objects; what may not be read beyond the configuration itself
 * is left unjudged, with a note. Throws when the configuration may not be read.
 */
export async function readCluster(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<ClusterRead> {
  const notes: string[] = [];
  const optional = async <T extends KubeObject>(resource: ResourceRef<T>) => {
    try {
      return (await cluster.list(resource, { signal })).items;
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code !== "forbidden") throw thrown;
      notes.push(`${resource.plural} may not be listed, so what depends on them is not judged`);
      return undefined;
    }
  };
  const configuration = async <T extends KubeObject>(resource: ResourceRef<T>): Promise<readonly T[]> => {
    try {
      return (await cluster.list(resource, { namespace, signal })).items;
    } catch (thrown) {
      if (Fault.from(thrown).code !== "not_found") throw thrown;
      notes.push(`${resource.plural}.metallb.io is not installed`);
      return [];
    }
  };
  const lists = await Promise.all(
    Object.entries(CONFIGURATION_RESOURCES).map(
      async ([field, resource]) => [field, await configuration<KubeObject>(resource)] as const,
    ),
  );
  const [nodes, namespaces, services] = await Promise.all([optional(NODES), optional(NAMESPACES), optional(SERVICES)]);
  const objects = Object.fromEntries(lists);
  const secrets = await secretsOf(objects.peers ?? [], { cluster, namespace, signal, notes });
  const input = { ...objects, nodes, namespaces, services, secrets, namespace, complete: true };
  return { input, notes, count: lists.reduce((sum, [, list]) => sum + list.length, 0) };
}

/** Only the Secrets that peers name: listing all would need more rights, and would read passwords of others. */
async function secretsOf(
  peers: readonly BGPPeer[],
  on: { readonly cluster: Cluster; readonly namespace: string; readonly signal: AbortSignal; readonly notes: string[] },
) {
  const names = new Set(peers.map(({ spec }) => spec?.passwordSecret?.name ?? "").filter((name) => name !== ""));
  const secrets: KubeObject[] = [];
  for (const name of names) {
    try {
      secrets.push(await on.cluster.get(SECRETS, { name, namespace: on.namespace }, on.signal));
    } catch (thrown) {
      const { code } = Fault.from(thrown);
      if (code === "not_found") continue;
      if (code !== "forbidden") throw thrown;
      on.notes.push("secrets may not be read, so the passwords of peers are not judged");
      return undefined;
    }
  }
  return secrets;
}
