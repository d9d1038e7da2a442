import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { Json } from "#sandbox/kinds/definition";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from "./bootstrap-roles.ts";
import type { Engine } from "./context.ts";
import { createObject } from "./create.ts";
import { equal, nameOf, namespaceOf } from "./json.ts";
import { furnishNamespace } from "./namespace-content.ts";
import { keyOf } from "./resource.ts";
import { replaceObject } from "./update.ts";

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Makes what every cluster begins with: system namespaces, the default roles (renewed when this version's differ),
 * and the Service `kubernetes`. A kind that is not served is left out.
 */
export function bootstrap(engine: Engine, options: { readonly port: number; readonly log: Log }): void {
  for (const name of NAMESPACES) {
    ensure(engine, "", "v1", "namespaces", { metadata: { name } }, options.log);
    furnishNamespace(engine, name, createObject);
  }
  const rbac = "rbac.authorization.k8s.io";
  for (const role of CLUSTER_ROLES) ensure(engine, rbac, "v1", "clusterroles", role, options.log, true);
  for (const one of CLUSTER_ROLE_BINDINGS) ensure(engine, rbac, "v1", "clusterrolebindings", one, options.log);
  ensure(engine, "", "v1", "services", KUBERNETES_SERVICE, options.log);
  ensure(engine, "discovery.k8s.io", "v1", "endpointslices", kubernetesSlice(options.port), options.log);
}

const KUBERNETES_SERVICE: Json = {
  metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
  spec: {
    clusterIP: "10.96.0.1",
    clusterIPs: ["10.96.0.1"],
    type: "ClusterIP",
    ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }],
  },
};

// The server listens on loopback, which no EndpointSlice may name (RFC 5737 address instead): this object is for
// people and tools that look for it, no traffic takes it.
function kubernetesSlice(port: number): Json {
  return {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "kubernetes" },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
}

function ensure(
  engine: Engine,
  group: string,
  version: string,
  plural: string,
  object: Json,
  log: Log,
  renew = false,
): void {
  const resource = engine.catalog.find(group, version, plural);
  if (resource === undefined) return;
  const namespace = namespaceOf(object);
  const name = nameOf(object);
  const entry = engine.store.get(resource.bucket, keyOf(namespace, name));
  try {
    if (entry === undefined) createObject(engine, resource, namespace, object);
    else if (
      renew &&
      !(equal(entry.object.rules, object.rules) && equal(entry.object.aggregationRule, object.aggregationRule))
    ) {
      replaceObject(engine, { resource, namespace, name }, object);
    }
  } catch (thrown) {
    log.warn("bootstrap object refused", { plural, name, error: Fault.from(thrown).message });
  }
}
