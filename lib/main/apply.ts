import type { KubeObject } from "#api/kubernetes";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";

const CLUSTER_SCOPED = new Set(["Namespace", "Node", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"]);
const IRREGULAR: Readonly<Record<string, string>> = {
  L2Advertisement: "l2advertisements",
  IPAddressPool: "ipaddresspools",
};

/** The resource of a manifest's object, by the naming rule all our kinds follow (lower case, plus "s"). */
export function resourceOf(object: KubeObject): ResourceRef {
  const { apiVersion = "v1", kind = "" } = object;
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return {
    group: group ?? "",
    version: version ?? "v1",
    kind,
    plural: IRREGULAR[kind] ?? `${kind.toLowerCase()}s`,
    namespaced: !CLUSTER_SCOPED.has(kind),
  };
}

/** Creates what is missing; leaves what is there as people made it. Waits out a CRD that is not served yet. */
export async function createMissing(
  cluster: Cluster,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects) {
    const resource = resourceOf(object);
    const namespace = resource.namespaced ? (object.metadata.namespace ?? "default") : undefined;
    const body = namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
    for (let attempt = 0; ; attempt++) {
      try {
        await cluster.create(resource, body, { signal });
        break;
      } catch (thrown) {
        const fault = Fault.from(thrown);
        if (fault.code === "already_exists") break;
        const mayCome = fault.code === "not_found" || fault.code === "unavailable" || fault.code === "forbidden";
        if (!mayCome || attempt >= 50 || signal.aborted) {
          throw new Fault(fault.code, `${resource.kind} ${object.metadata.name}: ${fault.message}`, { cause: thrown });
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
