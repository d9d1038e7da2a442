import type { ConfigMap, Secret } from "#api/kubernetes/cluster";
import type { Configuration } from "../kubelet/env.ts";
import type { ObjectView } from "../port.ts";

const ROOT_CA = "kube-root-ca.crt";

/**
 * ConfigMaps and Secrets out of the caches. `kube-root-ca.crt` is there for
 * every namespace even before its controller has written it, so that the first pods need not wait.
 */
export function cachedConfiguration(
  configMaps: ObjectView<ConfigMap>,
  secrets: ObjectView<Secret>,
  ca: string,
): Configuration {
  return {
    configMap(namespace, name) {
      const object = configMaps.get(`${namespace}/${name}`);
      if (object === undefined) return name === ROOT_CA ? { "ca.crt": Buffer.from(ca) } : undefined;
      return { ...bytesOf(object.data, "utf8"), ...bytesOf(object.binaryData, "base64") };
    },
    secret(namespace, name) {
      const object = secrets.get(`${namespace}/${name}`);
      return object === undefined ? undefined : bytesOf(object.data, "base64");
    },
  };
}

function bytesOf(data: unknown, encoding: "utf8" | "base64"): Record<string, Uint8Array> {
  if (typeof data !== "object" || data === null) return {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), encoding)]));
}
