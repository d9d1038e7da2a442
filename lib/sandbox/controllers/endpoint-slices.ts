import type { Node } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import { ENDPOINT_SLICES, ENDPOINTS, keyOf, NODES, PODS, SERVICES } from "#api/resources";
import type { Json } from "#sandbox/kinds/definition";
import { objects as jsonObjects, obj, sameJson, strings } from "#sandbox/kinds/json";
import { asObject, type ControllerContext, enqueueAll, removeIfThere, startLoop, timestamp } from "./context.ts";
import { planSlices, planSubsets, type SlicePlan } from "./endpoint-plan.ts";
import { ownerReference } from "./owners.ts";
import { Index, Pending } from "./pending.ts";

const SERVICE_LABEL = "kubernetes.io/service-name";
const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslice-controller.k8s.io";
const TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time";

/** Keeps EndpointSlices, and the Endpoints object of old, of every Service with a selector. */
export function startEndpointSlices(context: ControllerContext): Promise<void> {
  const { objects, clock } = context;
  const services = objects.cache(SERVICES);
  const pods = objects.cache(PODS);
  const nodes = objects.cache(NODES);
  const slices = objects.cache(ENDPOINT_SLICES);
  const endpoints = objects.cache(ENDPOINTS);
  const ofService = new Index(slices, serviceKeys);
  const ofNamespace = new Index(pods, (pod) => [pod.metadata.namespace ?? ""]);
  const selecting = new Index(services, (service) => [service.metadata.namespace ?? ""]);
  const pending = new Pending(slices, clock);

  const reconcile = async (key: string) => {
    const service = services.get(key);
    // What belonged to a deleted Service goes with it by owner reference.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return {};
    if (!hasSelector(service)) return {};
    const byName = new Map<string, Node>(nodes.list().map((node) => [node.metadata.name ?? "", node]));
    const selected = ofNamespace.of(service.metadata.namespace ?? "").filter((pod) => selects(service, pod));
    const plans = planSlices(service, selected, byName);
    const managed = ofService.of(key).filter((slice) => slice.metadata.labels?.[MANAGED_BY] === MANAGER);
    const missing = pending.missing((slice) => serviceKeys(slice)[0] === key);
    await writeSlices(service, plans, [...managed, ...missing]);
    await writeEndpoints(service, key, planSubsets(plans));
    return {};
  };

  const writeSlices = async (service: Service, plans: readonly SlicePlan[], existing: readonly EndpointSlice[]) => {
    const free = new Set(existing);
    const take = (fits: (slice: EndpointSlice) => boolean) => {
      const found = [...free].find(fits);
      if (found !== undefined) free.delete(found);
      return found;
    };
    // A slice with the same ports keeps its name; any other of the family is taken over rather than replaced.
    const same = plans.map((plan) =>
      take((slice) => slice.addressType === plan.addressType && sameJson(jsonObjects(slice.ports), plan.ports)),
    );
    for (const [index, plan] of plans.entries()) {
      const slice = same[index] ?? take((one) => one.addressType === plan.addressType);
      if (slice === undefined) pending.add(await objects.create(ENDPOINT_SLICES, newSlice(service, plan)));
      else await updateSlice(service, slice, plan);
    }
    for (const slice of free) await removeIfThere(objects, ENDPOINT_SLICES, slice);
  };

  const trigger = () => timestamp(clock.now());

  const newSlice = (service: Service, plan: SlicePlan): EndpointSlice => {
    const { name = "", namespace } = service.metadata;
    return asObject(ENDPOINT_SLICES, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        generateName: `${name}-`,
        namespace,
        labels: sliceLabels(service),
        annotations: { [TRIGGER]: trigger() },
        ownerReferences: [obj(ownerReference(SERVICES, service))],
      },
      ...obj(plan),
    });
  };

  const updateSlice = async (service: Service, slice: EndpointSlice, plan: SlicePlan) => {
    const labels = sliceLabels(service);
    const unchanged =
      sameJson(jsonObjects(slice.endpoints), plan.endpoints) &&
      sameJson(jsonObjects(slice.ports), plan.ports) &&
      sameJson(slice.metadata.labels, labels);
    if (unchanged) return;
    const annotations = { ...slice.metadata.annotations, [TRIGGER]: trigger() };
    const metadata = { ...slice.metadata, labels, annotations };
    await objects.replace(
      ENDPOINT_SLICES,
      asObject(ENDPOINT_SLICES, { ...obj(slice), ...obj(plan), metadata: obj(metadata) }),
    );
  };

  const writeEndpoints = async (service: Service, key: string, subsets: Json[]) => {
    const known = endpoints.get(key);
    const { name = "", namespace, labels } = service.metadata;
    if (known !== undefined && sameJson(obj(known).subsets ?? [], subsets)) return;
    const metadata = {
      name,
      namespace,
      labels: { ...strings(labels), "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
      annotations: { [TRIGGER]: trigger() },
      ...(known?.metadata.resourceVersion !== undefined && { resourceVersion: known.metadata.resourceVersion }),
    };
    const body: Json = { apiVersion: "v1", kind: "Endpoints", metadata, ...(subsets.length > 0 && { subsets }) };
    const next: KubeObject = asObject(ENDPOINTS, body);
    if (known === undefined) await objects.create(ENDPOINTS, next);
    else await objects.replace(ENDPOINTS, next);
  };

  const loop = startLoop(context, "endpointslice", reconcile, 4);
  const servicesOf = (pod: Pod) =>
    selecting
      .of(pod.metadata.namespace ?? "")
      .filter((service) => hasSelector(service) && selects(service, pod))
      .map(keyOf);
  services.onChange((key, now, before) => {
    loop.queue.add(key);
    // The Endpoints object has no owner: it goes here.
    if (now === undefined && before !== undefined && hasSelector(before))
      dropEndpoints(context, key, endpoints.get(key));
  });
  for (const service of services.list()) loop.queue.add(keyOf(service));
  pods.onChange((_key, now, before) => {
    if (now !== undefined && before !== undefined && sameForEndpoints(now, before)) return;
    const keys = [now, before].flatMap((pod) => (pod === undefined ? [] : servicesOf(pod)));
    for (const key of new Set(keys)) loop.queue.add(key);
  });
  enqueueAll(slices, loop.queue, (slice) =>
    slice.metadata.labels?.[MANAGED_BY] === MANAGER ? serviceKeys(slice) : [],
  );
  return loop.done;
}

function dropEndpoints(context: ControllerContext, key: string, known: KubeObject | undefined): void {
  if (known === undefined) return;
  removeIfThere(context.objects, ENDPOINTS, known).catch((thrown: unknown) => {
    context.log.debug("endpoints not removed", { key, error: thrown });
  });
}

function serviceKeys(slice: EndpointSlice): readonly string[] {
  const name = slice.metadata.labels?.[SERVICE_LABEL];
  return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
}

function hasSelector(service: Service): boolean {
  return service.spec?.type !== "ExternalName" && Object.keys(service.spec?.selector ?? {}).length > 0;
}

function selects(service: Service, pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {};
  return Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels[key] === value);
}

function sliceLabels(service: Service): Readonly<Record<string, string>> {
  const headless = service.spec?.clusterIP === "None";
  return {
    ...service.metadata.labels,
    ...(headless && { "service.kubernetes.io/headless": "" }),
    [MANAGED_BY]: MANAGER,
    [SERVICE_LABEL]: service.metadata.name ?? "",
  };
}

// Container states and counters change often and say nothing about endpoints.
function sameForEndpoints(now: Pod, before: Pod): boolean {
  const facts = (pod: Pod) => ({
    ip: pod.status?.podIPs ?? pod.status?.podIP,
    node: pod.spec?.nodeName,
    phase: pod.status?.phase,
    ready: pod.status?.conditions?.find((condition) => condition.type === "Ready")?.status,
    labels: pod.metadata.labels,
    going: pod.metadata.deletionTimestamp,
  });
  return sameJson(facts(now), facts(before));
}
