import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NAMESPACE } from "#api/names";

type Environment = Readonly<Record<string, string | undefined>>;

/** A path inside the pod. The sandbox has no mount namespaces and shows the pod's files below BERTH_ROOT. */
export function podPath(env: Environment, path: string): string {
  return env.BERTH_ROOT === undefined ? path : join(env.BERTH_ROOT, path);
}

/** The namespace Berth runs in: METALLB_NAMESPACE, else the service account's, else metallb-system. */
export function namespaceOf(env: Environment): string {
  if (env.METALLB_NAMESPACE !== undefined && env.METALLB_NAMESPACE !== "") return env.METALLB_NAMESPACE;
  return readText(podPath(env, "/var/run/secrets/kubernetes.io/serviceaccount/namespace")) ?? NAMESPACE;
}

/** The trimmed text of a file, or null when there is none. */
export function readText(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? null : text;
  } catch {
    return null;
  }
}
