import { NAMESPACE } from "#api/names";
import { CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, NODES, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import { createMissing } from "./apply.ts";
import { readManifests } from "./manifests.ts";

/** Remembers, in the cluster itself, that the story was laid out once; what people delete later stays deleted. */
const MARKER = { name: "berth-sandbox", namespace: "kube-system" } as const;

/**
 * Lays out a new sandbox: its own kube-proxy always; steps 1 to 5 of the story
 * unless it is to start from scratch. Returns whether the cluster holds the story.
 */
export async function bootstrap(
  cluster: Cluster,
  options: { readonly fromScratch: boolean; readonly signal: AbortSignal },
): Promise<"story" | "empty"> {
  const { signal } = options;
  const marker = await cluster.get(CONFIG_MAPS, MARKER, signal).catch((thrown: unknown) => {
    if (Fault.from(thrown).code === "not_found") return null;
    throw thrown;
  });
  if (marker !== null) return marker.data?.story === "true" ? "story" : "empty";

  const proxy = readManifests("sandbox").filter(({ metadata }) => metadata.name === "kube-proxy");
  if (options.fromScratch) {
    await createMissing(cluster, proxy, signal);
  } else {
    const strict = proxy.map((object) => ({
      ...object,
      ...("data" in object ? { data: strictArp(object.data) } : {}),
    }));
    const pool = readManifests("sandbox").filter(({ kind }) => kind === "IPAddressPool" || kind === "L2Advertisement");
    for (const objects of [strict, readManifests("base"), readManifests("crds")]) {
      await createMissing(cluster, [...objects].sort(namespacesFirst), signal);
    }
    await createMissing(cluster, [...pool, ...readManifests("demo")], signal);
  }
  const story = options.fromScratch ? "false" : "true";
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { ...MARKER }, data: { story } };
  await createMissing(cluster, [body], signal);
  return options.fromScratch ? "empty" : "story";
}

function namespacesFirst(a: { kind?: string | undefined }, b: { kind?: string | undefined }): number {
  return Number(b.kind === "Namespace") - Number(a.kind === "Namespace");
}

/** Step 1 of the story, preflight: the manifest carries the common mistake, so that from scratch it is there to be found. */
function strictArp(data: unknown): unknown {
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, String(text).replace("strictARP: false", "strictARP: true")]),
  );
}

/**
 * Resolves once the cluster does what it did before: nodes Ready, Berth's own
 * pods Ready, and every LoadBalancer Service that holds an address announced.
 * After 60 s it says what is missing and resolves all the same, because the
 * dashboard is where one finds out why.
 */
export async function whenServing(
  cluster: Cluster,
  options: {
    readonly nodes: number;
    readonly signal: AbortSignal;
    readonly say: (text: string) => void;
    readonly empty: boolean;
  },
): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  let missing: string | null = "the cluster's state";
  while (!options.signal.aborted) {
    missing = await firstMissing(cluster, options).catch((thrown: unknown) => Fault.from(thrown).message);
    if (missing === null) return;
    if (performance.now() > giveUpAt) break;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  if (!options.signal.aborted) options.say(`berth: still waiting for ${missing}; the dashboard shows why`);
}

async function firstMissing(
  cluster: Cluster,
  options: { readonly nodes: number; readonly signal: AbortSignal; readonly empty: boolean },
): Promise<string | null> {
  const { signal } = options;
  const nodes = await cluster.list(NODES, { signal });
  const readyNodes = nodes.items.filter((node) =>
    node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  if (readyNodes.length < options.nodes) return `node ${readyNodes.length + 1} of ${options.nodes}`;
  const [deployments, daemons, services] = await Promise.all([
    cluster.list(DEPLOYMENTS, { namespace: NAMESPACE, signal }),
    cluster.list(DAEMON_SETS, { namespace: NAMESPACE, signal }),
    cluster.list(SERVICES, { signal }),
  ]);
  for (const { metadata, spec, status } of deployments.items) {
    if ((status?.readyReplicas ?? 0) < (spec?.replicas ?? 1)) return `Deployment ${metadata.name}`;
  }
  for (const { metadata, status } of daemons.items) {
    const wanted = status?.desiredNumberScheduled ?? 0;
    if (wanted === 0 || (status?.numberReady ?? 0) < wanted) return `DaemonSet ${metadata.name}`;
  }
  if (options.empty || deployments.items.length === 0) return null;
  for (const service of services.items) {
    if (service.spec?.type !== "LoadBalancer") continue;
    const announced = service.status?.conditions?.find(({ type }) => type === "berth.dev/Announced");
    const assigned = service.status?.conditions?.find(({ type }) => type === "berth.dev/AddressAssigned");
    if (assigned?.status === "False") continue;
    const hasEndpoints = announced?.reason !== "NoServingEndpoint";
    if (announced?.status !== "True" && hasEndpoints) {
      return `Service ${service.metadata.namespace}/${service.metadata.name} to be announced`;
    }
  }
  return null;
}
