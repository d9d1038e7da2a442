import type { Condition } from "#api/kubernetes/objects";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION, NAMESPACE } from "#api/names";
import { CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, LEASES, NODES, PODS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import { createMissing } from "./apply.ts";
import { readManifests } from "./manifests.ts";

/** Remembers, in the cluster itself, that the story was laid out once; what people delete later stays deleted. */
const MARKER = { name: "berth-sandbox", namespace: "kube-system" } as const;

/**
 * Lays out a new sandbox: its own kube-proxy always; steps 1 to 5 of the story
 * unless it is to start from scratch.
 */
export async function bootstrap(
  cluster: Cluster,
  options: {
    readonly fromScratch: boolean;
    readonly nodes: number;
    /** How the sandbox's nodes are joined: where its pool is. */
    readonly network: "loopback" | "netns";
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { signal } = options;
  const marker = await cluster.get(CONFIG_MAPS, MARKER, signal).catch((thrown: unknown) => {
    if (Fault.from(thrown).code === "not_found") return null;
    throw thrown;
  });
  if (marker !== null) return;

  const proxy = readManifests("sandbox").filter(({ metadata }) => metadata.name === "kube-proxy");
  if (options.fromScratch) {
    await createMissing(cluster, proxy, signal);
  } else {
    const strict = proxy.map((object) => ({
      ...object,
      ...("data" in object ? { data: strictArp(object.data) } : {}),
    }));
    const pool = readManifests("sandbox")
      .filter(({ kind }) => kind === "IPAddressPool" || kind === "L2Advertisement")
      .map((object) => (options.network === "netns" && object.kind === "IPAddressPool" ? onLabLan(object) : object));
    for (const objects of [strict, readManifests("base"), readManifests("crds")]) {
      await createMissing(cluster, [...objects].sort(neededFirst), signal);
    }
    await createMissing(cluster, pool, signal);
    // The scheduler spreads over the nodes there are: the demo waits for all of them, so that each gets a pod.
    await allNodesReady(cluster, options.nodes, signal);
    await createMissing(cluster, readManifests("demo"), signal);
  }
  const story = options.fromScratch ? "false" : "true";
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { ...MARKER }, data: { story } };
  await createMissing(cluster, [body], signal);
}

/** What others refer to comes first: a pod is refused while its service account is missing. */
const NEEDED_FIRST = ["Namespace", "ServiceAccount"];

function neededFirst(a: { kind?: string | undefined }, b: { kind?: string | undefined }): number {
  const rank = (kind = "") => (NEEDED_FIRST.includes(kind) ? NEEDED_FIRST.indexOf(kind) : NEEDED_FIRST.length);
  return rank(a.kind) - rank(b.kind);
}

/** Step 1 of the story, preflight: the manifest carries the common mistake, so that from scratch it is there to be found. */
function strictArp(data: unknown): unknown {
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, String(text).replace("strictARP: false", "strictARP: true")]),
  );
}

/** The manifest's pool is of this machine's loopback; the lab's LAN is 10.77.0.0/16. */
function onLabLan<T extends object>(pool: T): T {
  return { ...pool, spec: { addresses: ["10.77.10.1-10.77.10.254"] } };
}

async function allNodesReady(cluster: Cluster, wanted: number, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!signal.aborted && performance.now() < giveUpAt) {
    const { items } = await cluster.list(NODES, { signal });
    if (items.filter(isReady).length >= wanted) return;
    await pause();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

function isReady(object: { status?: { conditions?: readonly Condition[] | undefined } | undefined }): boolean {
  return object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

interface Waiting {
  readonly nodes: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Whether something answers HTTP there, asked from where clients are. */
  readonly answers?: (url: string) => Promise<boolean>;
  /** Wall time at which this start began, ms since the epoch: what is older is from an earlier run. */
  readonly since: number;
}

/**
 * Resolves once the cluster does what it did before: nodes Ready, every pod
 * that should run started anew and Ready, every LoadBalancer Service that holds
 * an address announced, and the first of them answering. After 60 s it says
 * what is missing and resolves all the same, because the dashboard is where
 * one finds out why.
 */
export async function whenServing(cluster: Cluster, waiting: Waiting): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  let missing: string | null = "the cluster's state";
  while (!waiting.signal.aborted) {
    missing = await firstMissing(cluster, waiting).catch((thrown: unknown) => Fault.from(thrown).message);
    if (missing === null) return;
    if (performance.now() > giveUpAt) break;
    await pause();
  }
  if (!waiting.signal.aborted) waiting.say(`berth: still waiting for ${missing}; the dashboard shows why`);
}

async function firstMissing(
  cluster: Cluster,
  { nodes: wanted, signal, since, answers: ask }: Waiting,
): Promise<string | null> {
  const [nodes, leases] = await Promise.all([
    cluster.list(NODES, { signal }),
    cluster.list(LEASES, { namespace: "kube-node-lease", signal }),
  ]);
  const renewed = new Set(
    leases.items.filter(({ spec }) => isFresh(spec?.renewTime, since)).map(({ metadata }) => metadata.name),
  );
  const up = nodes.items.filter((node) => isReady(node) && renewed.has(node.metadata.name));
  const off = nodes.items.filter(({ metadata }) => metadata.annotations?.[ANNOTATION.power] === "off");
  if (up.length + off.length < wanted) return `node ${up.length + 1} of ${wanted}`;
  const [deployments, daemons, pods, services] = await Promise.all([
    cluster.list(DEPLOYMENTS, { signal }),
    cluster.list(DAEMON_SETS, { signal }),
    cluster.list(PODS, { namespace: NAMESPACE, signal }),
    cluster.list(SERVICES, { signal }),
  ]);
  for (const { metadata, spec, status } of deployments.items) {
    if ((status?.readyReplicas ?? 0) < (spec?.replicas ?? 1)) return `Deployment ${metadata.name}`;
  }
  for (const { metadata, status } of daemons.items) {
    const desired = (status?.desiredNumberScheduled ?? 0) - off.length;
    if (status?.desiredNumberScheduled === undefined || (status.numberReady ?? 0) < desired)
      return `DaemonSet ${metadata.name}`;
  }
  for (const pod of pods.items) {
    const started = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
    const onDarkNode = off.some(({ metadata }) => metadata.name === pod.spec?.nodeName);
    if (!onDarkNode && !isFresh(started, since)) return `pod ${pod.metadata.name}`;
  }
  return serviceMissing(services.items, ask ?? answers);
}

async function serviceMissing(
  services: readonly Service[],
  ask: (url: string) => Promise<boolean>,
): Promise<string | null> {
  const announced: Service[] = [];
  for (const service of services) {
    const name = `Service ${service.metadata.namespace}/${service.metadata.name}`;
    const condition = (wanted: string) => service.status?.conditions?.find(({ type }) => type === wanted);
    if (service.spec?.type !== "LoadBalancer" || condition(CONDITION.addressAssigned)?.status !== "True") continue;
    // A Service that cannot be announced (no pods, say) was so before too: its condition says why, and that will do.
    const state = condition(CONDITION.announced);
    if (state === undefined) return `${name} to be announced`;
    if (state.status === "True") announced.push(service);
  }
  for (const service of announced.slice(0, 1)) {
    const [port] = service.spec?.ports ?? [];
    const address = service.status?.loadBalancer?.ingress?.[0]?.ip;
    const mapped = service.metadata.annotations?.[ANNOTATION.reachableAt]?.split("=")[1]?.split(",")[0];
    if (port?.port !== 80 || address === undefined) continue;
    if (!(await ask(`http://${mapped ?? address}/`)))
      return `Service ${service.metadata.namespace}/${service.metadata.name} to answer`;
  }
  return null;
}

/** Any HTTP reply will do: the path from here to a pod is complete. */
async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await reply.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Kubernetes times have whole seconds, so a start within the second before `since` counts. */
function isFresh(time: unknown, since: number): boolean {
  return typeof time === "string" && Date.parse(time) >= Math.floor(since / 1000) * 1000;
}
