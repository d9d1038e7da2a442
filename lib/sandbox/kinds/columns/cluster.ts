import { since } from "../age.ts";
import type { Column, Json } from "../definition.ts";
import { at, metaOf, num, obj, objects, str, strings } from "../json.ts";
import { AGE, CREATED_AT, column, NAME, orNone, wide } from "./common.ts";
import { conditionStatus } from "./pods.ts";

function nodeStatus(node: Json): string {
  const ready = conditionStatus(node, "Ready");
  const words = [ready === "" ? "Unknown" : ready === "True" ? "Ready" : "NotReady"];
  if (at(node, "spec", "unschedulable") === true) words.push("SchedulingDisabled");
  return words.join(",");
}

function nodeRoles(node: Json): string {
  const roles = Object.entries(strings(metaOf(node).labels)).flatMap(([key, value]) => {
    if (key.startsWith("node-role.kubernetes.io/")) return [key.slice("node-role.kubernetes.io/".length)];
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return orNone(
    [...new Set(roles)]
      .filter((role) => role !== "")
      .sort()
      .join(","),
  );
}

function nodeAddress(node: Json, type: string): string {
  return orNone(str(objects(at(node, "status", "addresses")).find((one) => one.type === type)?.address));
}

function nodeInfo(node: Json, field: string): string {
  return str(at(node, "status", "nodeInfo", field)) || "<unknown>";
}

function kernel(node: Json): string {
  const architecture = str(at(node, "status", "nodeInfo", "architecture"));
  const version = nodeInfo(node, "kernelVersion");
  return architecture === "" ? version : `${version} (${architecture})`;
}

export const NODE_COLUMNS: readonly Column[] = [
  NAME,
  column("Status", "string", "The status of the node", nodeStatus),
  column("Roles", "string", "The roles of the node", nodeRoles),
  AGE,
  column("Version", "string", "Kubelet Version reported by the node.", (node) =>
    str(at(node, "status", "nodeInfo", "kubeletVersion")),
  ),
  wide("Internal-IP", "List of addresses reachable to the node.", (node) => nodeAddress(node, "InternalIP")),
  wide("External-IP", "List of addresses reachable to the node.", (node) => nodeAddress(node, "ExternalIP")),
  wide("OS-Image", "OS Image reported by the node.", (node) => nodeInfo(node, "osImage")),
  wide("Kernel-Version", "Kernel Version reported by the node.", kernel),
  wide("Container-Runtime", "ContainerRuntime Version reported by the node.", (node) =>
    nodeInfo(node, "containerRuntimeVersion"),
  ),
];

export const NAMESPACE_COLUMNS: readonly Column[] = [
  NAME,
  column("Status", "string", "The status of the namespace", (one) => str(at(one, "status", "phase"))),
  AGE,
];

function count(...fields: readonly string[]): Column["value"] {
  return (object) => fields.reduce((sum, field) => sum + Object.keys(obj(object[field])).length, 0);
}

export const CONFIG_MAP_COLUMNS: readonly Column[] = [
  NAME,
  column("Data", "string", "Data contains the configuration data.", count("data", "binaryData")),
  AGE,
];

export const SECRET_COLUMNS: readonly Column[] = [
  NAME,
  column("Type", "string", "Used to facilitate programmatic handling of secret data.", (secret) => str(secret.type)),
  column("Data", "string", "Data contains the secret data.", count("data")),
  AGE,
];

export const SERVICE_ACCOUNT_COLUMNS: readonly Column[] = [NAME, AGE];

const firstSeen = (event: Json, now: number) => since(event.firstTimestamp ?? event.eventTime, now);

function lastSeen(event: Json, now: number): string {
  if (event.series !== undefined) return since(at(event, "series", "lastObservedTime"), now);
  return event.lastTimestamp ? since(event.lastTimestamp, now) : firstSeen(event, now);
}

function eventObject(event: Json): string {
  const { kind, name } = obj(event.involvedObject);
  const lower = str(kind).toLowerCase();
  return str(name) === "" ? lower : `${lower}/${str(name)}`;
}

function eventSource(event: Json): string {
  const component = str(at(event, "source", "component")) || str(event.reportingComponent);
  const host = str(at(event, "source", "host")) || str(event.reportingInstance);
  return [component, host].filter((text) => text !== "").join(", ");
}

export const EVENT_COLUMNS: readonly Column[] = [
  column("Last Seen", "string", "The time at which the most recent occurrence of this event was recorded.", lastSeen),
  column("Type", "string", "Type of this event (Normal, Warning), new types could be added in the future", (event) =>
    str(event.type),
  ),
  column("Reason", "string", "Short, machine understandable string that gives the reason.", (event) =>
    str(event.reason),
  ),
  column("Object", "string", "The object that this event is about.", eventObject),
  wide("Subobject", "The object that this event is about.", (event) => str(at(event, "involvedObject", "fieldPath"))),
  wide("Source", "The component reporting this event.", eventSource),
  column("Message", "string", "A human-readable description of the status of this operation.", (event) =>
    str(event.message).trim(),
  ),
  wide("First Seen", "The time at which the event was first recorded.", firstSeen),
  { ...wide("Count", "The number of times this event has occurred.", eventCount), type: "integer" },
  { ...wide("Name", NAME.description, (event) => str(metaOf(event).name)), format: "name" },
];

function eventCount(event: Json): number {
  return event.series === undefined ? num(event.count) || 1 : num(at(event, "series", "count"));
}

export const LEASE_COLUMNS: readonly Column[] = [
  NAME,
  column("Holder", "string", "holderIdentity contains the identity of the holder of a current lease.", (lease) =>
    str(at(lease, "spec", "holderIdentity")),
  ),
  AGE,
];

export const CREATED_COLUMNS: readonly Column[] = [NAME, CREATED_AT];

function subjects(binding: Json, kind: string): string {
  return objects(binding.subjects)
    .filter((subject) => subject.kind === kind)
    .map((subject) =>
      kind === "ServiceAccount" ? `${str(subject.namespace)}/${str(subject.name)}` : str(subject.name),
    )
    .join(", ");
}

export const BINDING_COLUMNS: readonly Column[] = [
  NAME,
  column("Role", "string", "RoleRef can reference a Role or a ClusterRole.", (binding) => {
    const role = obj(binding.roleRef);
    return `${str(role.kind)}/${str(role.name)}`;
  }),
  AGE,
  wide("Users", "Users in the subjects", (binding) => subjects(binding, "User")),
  wide("Groups", "Groups in the subjects", (binding) => subjects(binding, "Group")),
  wide("ServiceAccounts", "ServiceAccounts in the subjects", (binding) => subjects(binding, "ServiceAccount")),
];

export const WEBHOOK_COLUMNS: readonly Column[] = [
  NAME,
  column(
    "Webhooks",
    "integer",
    "Webhooks indicates the number of webhooks registered.",
    (one) => objects(one.webhooks).length,
  ),
  AGE,
];
