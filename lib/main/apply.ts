import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";

const CLUSTER_SCOPED = new Set([
  "Namespace",
  "Node",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "ValidatingWebhookConfiguration",
]);
const IRREGULAR: Readonly<Record<string, string>> = {
  L2Advertisement: "l2advertisements",
  IPAddressPool: "ipaddresspools",
  Community: "communities",
};

/** The resource of a manifest's object, by the naming rule all our kinds follow (lower case, plus "s"). */
function resourceOf(object: KubeObject): ResourceRef {
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

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The object as `kubectl apply` would have created it: applying the same manifest later says "unchanged", not a warning. */
function asApplied(object: KubeObject): KubeObject {
  const annotations = object.metadata.annotations ?? {};
  const text = goJson({ ...object, metadata: { ...object.metadata, annotations } });
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: `${text}\n` } } };
}

/** As Go's encoder writes it: keys in order, and characters that matter to HTML escaped. */
function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
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
    const body = asApplied(
      namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } },
    );
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
