import { Fault } from "#core/errors";
import type { PodView } from "./pod-view.ts";

/** What the downward API can tell beside the pod itself. */
export interface PodFacts {
  readonly podAddress: string;
  readonly hostAddress: string;
}

/**
 * The text of a downward API field (`metadata.name`, `metadata.labels['x']`,
 * `spec.nodeName`, `status.podIP` …). Fault `invalid` names a field that Kubernetes would not accept either.
 */
export function fieldText(path: string, pod: PodView, facts: PodFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (subscript !== null) {
    const from = subscript[1] === "labels" ? pod.labels : pod.annotations;
    return from[subscript[2] ?? ""] ?? "";
  }
  switch (path) {
    case "metadata.name":
      return pod.name;
    case "metadata.namespace":
      return pod.namespace;
    case "metadata.uid":
      return pod.uid;
    case "metadata.labels":
      return listing(pod.labels);
    case "metadata.annotations":
      return listing(pod.annotations);
    case "spec.nodeName":
      return pod.nodeName;
    case "spec.serviceAccountName":
      return pod.serviceAccount;
    case "status.hostIP":
    case "status.hostIPs":
      return facts.hostAddress;
    case "status.podIP":
    case "status.podIPs":
      return facts.podAddress;
    default:
      throw new Fault("invalid", `unsupported fieldPath: ${path}`);
  }
}

/** One `key="value"` a line, sorted: how the downward API writes all labels into a file. */
function listing(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}
