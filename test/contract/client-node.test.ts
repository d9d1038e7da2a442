import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  type V1ConfigMap,
  type V1ObjectMeta,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";
import { startTestApi, type TestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";

let api: TestApi;
const config = new KubeConfig();
beforeAll(async () => {
  api = await startTestApi({ store: openStore({ path: ":memory:", log: silentLog, historyEvents: 20 }) });
  config.loadFromFile(api.kubeconfig);
  await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
});
afterAll(() => api.close());

async function eventually(what: () => boolean): Promise<void> {
  const limit = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > limit) throw new Error(`not in 30 s: ${what}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}

const namespace = "default";
const configMap = (name: string, data: Record<string, string>): V1ConfigMap & { metadata: { name: string } } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels: { set: "informed" } },
  data,
});

describe("the official JavaScript client, unchanged", () => {
  it("informs of everything that is there and of every change, through a reconnect and a forgotten version", async () => {
    const core = config.makeApiClient(CoreV1Api);
    await core.createNamespacedConfigMap({ namespace, body: configMap("first", { n: "0" }) });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const labelSelector = "set=informed";
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector });
    const informer = makeInformer<V1ConfigMap>(config, path, list, labelSelector);
    const seen: string[] = [];
    for (const verb of ["add", "update", "delete"] as const) {
      informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name} ${object.data?.n}`));
    }
    let errors = 0;
    informer.on("error", () => {
      errors++;
      void informer.start();
    });
    await informer.start();
    await core.createNamespacedConfigMap({ namespace, body: configMap("second", { n: "0" }) });
    await core.replaceNamespacedConfigMap({ name: "second", namespace, body: configMap("second", { n: "1" }) });
    await core.deleteNamespacedConfigMap({ name: "first", namespace });
    await eventually(() => seen.length >= 4);
    expect(seen).toEqual(["add first 0", "add second 0", "update second 1", "delete first 0"]);
    expect(informer.list(namespace).map((object) => object.metadata?.name)).toEqual(["second"]);

    await informer.stop();
    for (let i = 0; i < 25; i++) {
      await core.replaceNamespacedConfigMap({ name: "second", namespace, body: configMap("second", { n: `x${i}` }) });
    }
    await informer.start();
    await eventually(() => informer.get("second", namespace)?.data?.n === "x24");
    await informer.stop();
    expect(errors).toBeLessThan(3);
  });

  it("watches, and is told by an event that a version is forgotten", async () => {
    const phases: string[] = [];
    let ended: unknown = "open";
    const watch = new Watch(config);
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const query = { resourceVersion: "1", allowWatchBookmarks: true };
    const told = (phase: string, object: { code?: number }) => phases.push(`${phase} ${object.code}`);
    await watch.watch(path, query, told, (error) => {
      ended = error;
    });
    await eventually(() => ended !== "open");
    expect(phases).toEqual(["ERROR 410"]);
  });

  it("applies, patches, reads, lists and deletes objects of any kind", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const spec: KubernetesObject & { metadata: { name: string; namespace: string } & V1ObjectMeta } = {
      ...pool("gold", ["192.0.2.0/28"]),
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "gold", namespace },
    };
    const applied = await objects.patch(spec, undefined, undefined, "tests", true, PatchStrategy.ServerSideApply);
    expect(applied.metadata?.managedFields?.[0]?.manager).toBe("tests");
    const change = { ...spec, metadata: { name: "gold", namespace, labels: { a: "b" } } };
    await objects.patch(change, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
    const read = await objects.read(spec);
    expect(read.metadata?.labels).toEqual({ a: "b" });
    const list = await objects.list("metallb.io/v1beta1", "IPAddressPool", namespace);
    expect(list.items.map(({ metadata }) => metadata?.name)).toEqual(["gold"]);
    const replaced = await objects.replace({
      ...read,
      metadata: { ...read.metadata, labels: { a: "c" } },
    });
    expect(replaced.metadata?.labels).toEqual({ a: "c" });
    await objects.delete(spec);
    await expect(objects.read(spec)).rejects.toMatchObject({ code: 404 });
  });

  it("pages through a list", async () => {
    const custom = config.makeApiClient(CustomObjectsApi);
    const kind = { group: "metallb.io", version: "v1beta1", namespace, plural: "ipaddresspools" };
    for (const name of ["p1", "p2", "p3"]) {
      const body = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", ...pool(name, ["192.0.2.0/28"]) };
      await custom.createNamespacedCustomObject({ ...kind, body });
    }
    const first = await custom.listNamespacedCustomObject({ ...kind, limit: 2 });
    expect(first.items).toHaveLength(2);
    const rest = await custom.listNamespacedCustomObject({
      ...kind,
      limit: 2,
      _continue: first.metadata._continue ?? first.metadata.continue,
    });
    expect(rest.items).toHaveLength(1);
  });
});
