import { afterAll, beforeAll } from "vitest";
import type { ApiClient } from "./api-server.ts";
import { POOL_CRD } from "./pool-crd.ts";

export const APPLY = "application/apply-patch+yaml";
export const SERVICES = "/api/v1/namespaces/default/services";
export const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
export const POOLS = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools";

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
}

/** "ci/Apply", "kubelet/Update/status": who owns fields of an object, in the order of its managedFields. */
export const managersOf = (body: { metadata: { managedFields: readonly Entry[] } }) =>
  body.metadata.managedFields.map(({ manager, operation, subresource }) =>
    [manager, operation, ...(subresource === undefined ? [] : [subresource])].join("/"),
  );

/** A Service with one port, as somebody applies it. */
export const service = (name: string, more: object = {}, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...more },
  spec: { ports: [{ port: 80 }], ...spec },
});

/** An API server with pools, for the tests of this file, and server-side apply to it. */
export function applyTo(start: () => Promise<ApiClient>) {
  let api: ApiClient | undefined;
  beforeAll(async () => {
    api = await start();
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
  });
  afterAll(() => api?.close());
  const running = () => {
    if (api === undefined) throw new Error("the API server did not start");
    return api;
  };
  const apply = (path: string, body: unknown, query = "fieldManager=ci", headers = {}) =>
    running().send("PATCH", `${path}?${query}`, body, { type: APPLY, headers });
  return { running, apply };
}
