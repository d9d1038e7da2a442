import type { Json } from "#sandbox/kinds/definition";
import type { Entry } from "#sandbox/store/types";
import type { Engine } from "./context.ts";
import { nameOf } from "./json.ts";
import { bucketOf, keyOf, type Resource } from "./resource.ts";

type Create = (engine: Engine, resource: Resource, namespace: string, object: Json) => Entry;

/**
 * What every namespace holds from its first moment: the service account `default` and the ConfigMap with the
 * server's authority. A real cluster's controllers add them a moment later, which callers have to wait out.
 */
export function furnishNamespace(engine: Engine, namespace: string, create: Create): void {
  const ensure = (plural: string, object: Json) => {
    const resource = engine.catalog.find("", "v1", plural);
    if (resource === undefined) return;
    if (engine.store.get(bucketOf("", plural), keyOf(namespace, nameOf(object))) !== undefined) return;
    create(engine, resource, namespace, object);
  };
  ensure("serviceaccounts", { metadata: { name: "default" } });
  if (engine.ca === undefined || engine.ca === "") return;
  ensure("configmaps", {
    metadata: {
      name: "kube-root-ca.crt",
      annotations: {
        "kubernetes.io/description":
          "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the " +
          "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes " +
          "clusters.",
      },
    },
    data: { "ca.crt": engine.ca },
  });
}
