import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#api/kubernetes/objects";
import { CONFIG_MAPS, CRDS, IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";

let api: TestApi;
let cluster: HttpCluster;
beforeAll(async () => {
  api = await startTestApi();
  const connection = connectionFromToken({ server: api.server.url, ca: api.ca, token: TOKENS.admin });
  cluster = new HttpCluster({ connection, clock: systemClock, log: silentLog });
});
afterAll(async () => {
  await cluster.close();
  await api.close();
});

function manifests(dir: string): readonly KubeObject[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => parseAllDocuments(readFileSync(join(dir, file), "utf8")).map((one) => one.toJS() as KubeObject));
}

const codeOf = async (task: Promise<unknown>) =>
  task.then(
    () => "no failure",
    (thrown: unknown) => Fault.from(thrown).code,
  );

describe("Berth's own client against the sandbox's API", () => {
  it("reads, writes, and gets the right Fault for every refusal", async () => {
    const name = { name: "c", namespace: "default" };
    const made = await cluster.create(CONFIG_MAPS, { metadata: { ...name }, data: { a: "1" } });
    expect(await codeOf(cluster.create(CONFIG_MAPS, { metadata: { ...name } }))).toBe("already_exists");
    expect(await codeOf(cluster.get(CONFIG_MAPS, { ...name, name: "nope" }))).toBe("not_found");
    const changed = await cluster.patch(CONFIG_MAPS, name, { kind: "merge", body: { data: { a: "2" } } });
    expect(changed.data?.a).toBe("2");
    expect(await codeOf(cluster.replace(CONFIG_MAPS, made))).toBe("conflict");
    const stale = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { a: "3" } };
    expect(await codeOf(cluster.patch(CONFIG_MAPS, name, { kind: "merge", body: stale }))).toBe("conflict");
    const bad = cluster.create(SERVICES, {
      metadata: { name: "b", namespace: "default" },
      spec: { ports: [{ port: 0 }] },
    });
    await expect(bad).rejects.toMatchObject({ code: "invalid", fields: { "spec.ports.0.port": expect.any(String) } });
    await cluster.remove(CONFIG_MAPS, name);
    expect(await codeOf(cluster.remove(CONFIG_MAPS, name))).toBe("not_found");
    expect(await cluster.version()).toBe("v1.36.2");
  });

  it("keeps a cache that follows, and that finds its way back after 410", async () => {
    const cache = cluster.cache(CONFIG_MAPS, { labelSelector: "cached" });
    await cache.whenSynced(AbortSignal.timeout(30_000));
    await cluster.create(CONFIG_MAPS, { metadata: { name: "x", namespace: "default", labels: { cached: "y" } } });
    await expect.poll(() => cache.get("default/x")?.metadata.labels).toEqual({ cached: "y" });
    cache.close();
  });

  it("takes the project's own CRDs, and what they describe", async () => {
    for (const crd of manifests("deploy/crds")) await cluster.create(CRDS, crd);
    await cluster.create(IP_ADDRESS_POOLS, {
      metadata: { name: "production", namespace: "default" },
      spec: { addresses: ["127.77.10.1-127.77.10.254"] },
    } as KubeObject);
    const pool = await cluster.get(IP_ADDRESS_POOLS, { name: "production", namespace: "default" });
    expect(pool).toMatchObject({ apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", spec: { autoAssign: true } });
    const printed = await api.kubectl("get", "ipaddresspools", "--no-headers");
    expect(printed.out).toMatch(/^production +true +false +\["127\.77\.10\.1-127\.77\.10\.254"\]\n$/);
  });

  it("takes the manifests of deploy/base and deploy/sandbox by kubectl apply, twice", {
    timeout: 120_000,
  }, async () => {
    await api.kubectl("apply", "-f", "deploy/base/namespace.yaml");
    for (const dir of ["deploy/base", "deploy/sandbox"]) {
      const first = await api.kubectl("apply", "-f", dir);
      expect([first.err.replace(/^Warning.*\n/gm, ""), first.code]).toEqual(["", 0]);
      const again = await api.kubectl("apply", "-f", dir);
      expect(again.out.split("\n").filter((line) => line !== "" && !line.endsWith(" unchanged"))).toEqual([]);
    }
  });
});
