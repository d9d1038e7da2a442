import { bucketOf, type Resource } from "./resource.ts";

const GENERIC: readonly string[] = ["metadata.name", "metadata.namespace"];

const EVENTS = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
  (field) => `involvedObject.${field}`,
);

/** What the real server lets `--field-selector` ask of a kind, beside name and namespace. */
const LABELS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    bucketOf("", "pods"),
    [
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.phase",
      "status.podIP",
      "status.podIPs",
      "status.nominatedNodeName",
    ],
  ],
  [bucketOf("", "nodes"), ["spec.unschedulable"]],
  [bucketOf("", "namespaces"), ["status.phase"]],
  [bucketOf("", "secrets"), ["type"]],
  [bucketOf("", "services"), ["spec.clusterIP", "spec.type"]],
  [bucketOf("", "events"), [...EVENTS, "reason", "reportingComponent", "source", "type"]],
  [bucketOf("apps", "replicasets"), ["status.replicas"]],
]);

/** The field paths that a field selector on this kind may name. */
export function fieldLabels(resource: Pick<Resource, "bucket" | "custom">): ReadonlySet<string> {
  const own = resource.custom === undefined ? LABELS.get(resource.bucket) : resource.custom.selectable;
  return new Set([...GENERIC, ...(own ?? [])]);
}

/** Why a field selector on this kind may not name `path`, in the server's words. */
export function unsupportedLabel(resource: Pick<Resource, "bucket" | "custom">, path: string): string {
  if (resource.custom !== undefined || LABELS.has(resource.bucket)) return `field label not supported: ${path}`;
  const known = GENERIC.map((label) => JSON.stringify(label)).join(", ");
  return `${JSON.stringify(path)} is not a known field selector: only ${known}`;
}
