import type { Namespace } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import { CONFIG_MAPS, CRDS, EVENTS, NAMESPACES, PODS, type ResourceRef, SERVICE_ACCOUNTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { KindRegistry } from "#sandbox/kinds/definition";
import { obj, sameJson } from "#sandbox/kinds/json";
import { asObject, type ControllerContext, enqueueAll, removeIfThere, startLoop, timestamp } from "./context.ts";
import { builtinRefs, customRefs } from "./kinds.ts";
import { type Leftover, terminationConditions } from "./namespace-conditions.ts";

const ROOT_CA = "kube-root-ca.crt";
const AGAIN_MS = 250;

/**
 * Gives every namespace its default ServiceAccount and, when the authority is known, the ConfigMap kube-root-ca.crt;
 * empties a namespace that is being deleted and then lets it go.
 */
export function startNamespaces(
  context: ControllerContext,
  kinds: KindRegistry,
  ca: string | undefined,
): Promise<void> {
  const { objects } = context;
  const namespaces = objects.cache(NAMESPACES);
  const accounts = objects.cache(SERVICE_ACCOUNTS);
  const configMaps = objects.cache(CONFIG_MAPS);
  const crds = objects.cache(CRDS);

  const reconcile = async (name: string) => {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return {};
    if (namespace.metadata.deletionTimestamp !== undefined) return empty(namespace, name);
    if (accounts.get(`${name}/default`) === undefined) await createOnce(SERVICE_ACCOUNTS, name, "default", {});
    const known = configMaps.get(`${name}/${ROOT_CA}`);
    if (ca !== undefined && known === undefined) {
      await createOnce(CONFIG_MAPS, name, ROOT_CA, { data: { "ca.crt": ca } }, ROOT_CA_NOTE);
    } else if (ca !== undefined && known?.data?.["ca.crt"] !== ca) {
      await objects.patch(
        CONFIG_MAPS,
        { name: ROOT_CA, namespace: name },
        { kind: "merge", body: { data: { "ca.crt": ca } } },
      );
    }
    return {};
  };

  const createOnce = async (
    resource: ResourceRef,
    namespace: string,
    name: string,
    content: object,
    annotations?: object,
  ) => {
    const metadata = { name, namespace, ...(annotations !== undefined && { annotations }) };
    const object = { apiVersion: "v1", kind: resource.kind, metadata, ...content };
    try {
      await objects.create<KubeObject>(resource, asObject(resource, object as Parameters<typeof asObject>[1]));
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code !== "already_exists" && !/being terminated/.test(fault.message)) throw thrown;
    }
  };

  const empty = async (namespace: Namespace, name: string) => {
    const refs = [...builtinRefs(kinds), ...customRefs(crds.list())].filter(
      (ref) => ref.namespaced && ref.plural !== EVENTS.plural,
    );
    const left: Leftover[] = [];
    for (const ref of refs) left.push(...(await clear(ref, name)));
    // Events last: deleting the rest has caused some.
    if (left.length === 0) left.push(...(await clear(EVENTS, name)));
    if (left.length > 0) {
      await report(namespace, left);
      return { requeueAfterMs: AGAIN_MS };
    }
    const body = { ...namespace, spec: { finalizers: [] } };
    const { resourceVersion: _version, ...metadata } = namespace.metadata;
    await objects.replace(NAMESPACES, { ...body, metadata }, { subresource: "finalize" });
    return {};
  };

  /** Says in the namespace's conditions what it still waits for. */
  const report = async (namespace: Namespace, left: readonly Leftover[]): Promise<void> => {
    const conditions = terminationConditions(obj(namespace.status).conditions, left, timestamp(context.clock.now()));
    if (sameJson(conditions, obj(namespace.status).conditions)) return;
    const { name = "" } = namespace.metadata;
    await objects.patch(
      NAMESPACES,
      { name },
      { kind: "merge", body: { status: { conditions } }, subresource: "status" },
    );
  };

  /** Asks everything of this kind to go; what is still there. */
  const clear = async (resource: ResourceRef, namespace: string): Promise<readonly Leftover[]> => {
    const items = await listOrNone(resource, namespace);
    for (const item of items) {
      // A pod that is already on its way out keeps its grace period.
      if (item.metadata.deletionTimestamp !== undefined && resource.plural === PODS.plural) continue;
      await removeIfThere(objects, resource, { ...item, metadata: { ...item.metadata, namespace } });
    }
    if (items.length === 0) return [];
    return (await listOrNone(resource, namespace)).map(({ metadata }) => ({
      resource: `${resource.plural}.${resource.group}`,
      finalizers: metadata.finalizers ?? [],
    }));
  };

  const listOrNone = async (resource: ResourceRef, namespace: string): Promise<readonly KubeObject[]> => {
    try {
      return (await objects.list(resource, { namespace })).items;
    } catch (thrown) {
      // A definition that went away while we looked.
      if (Fault.from(thrown).code === "not_found") return [];
      throw thrown;
    }
  };

  const loop = startLoop(context, "namespace", reconcile, 2);
  const ofNamespace = (object: KubeObject) => [object.metadata.namespace ?? ""];
  enqueueAll(namespaces, loop.queue);
  accounts.onChange((_key, now, before) => {
    if (now === undefined && before?.metadata.name === "default") loop.queue.add(ofNamespace(before)[0] ?? "");
  });
  configMaps.onChange((_key, now, before) => {
    const one = now ?? before;
    if (one?.metadata.name === ROOT_CA) loop.queue.add(ofNamespace(one)[0] ?? "");
  });
  return loop.done;
}

const ROOT_CA_NOTE = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};
