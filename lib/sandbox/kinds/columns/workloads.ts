import type { Column, Json } from "../definition.ts";
import { at, metaOf, num, objects, str } from "../json.ts";
import { AGE, CONTAINERS, column, IMAGES, labelText, NAME, orNone, SELECTOR } from "./common.ts";

function status(name: string, field: string, description: string): Column {
  return column(name, "integer", description, (object) => num(at(object, "status", field)));
}

const readyOf = (object: Json) =>
  `${num(at(object, "status", "readyReplicas"))}/${num(at(object, "spec", "replicas"))}`;

export const DEPLOYMENT_COLUMNS: readonly Column[] = [
  NAME,
  column("Ready", "string", "Number of the pod with ready state", readyOf),
  status("Up-to-date", "updatedReplicas", "Total number of non-terminated pods that have the desired template spec."),
  status("Available", "availableReplicas", "Total number of available pods targeted by this deployment."),
  AGE,
  CONTAINERS,
  IMAGES,
  SELECTOR,
];

export const REPLICA_SET_COLUMNS: readonly Column[] = [
  NAME,
  column("Desired", "integer", "Replicas is the number of desired pods.", (set) => num(at(set, "spec", "replicas"))),
  status("Current", "replicas", "Replicas is the most recently observed number of non-terminating pods."),
  status("Ready", "readyReplicas", "The number of non-terminating pods with a Ready Condition."),
  AGE,
  CONTAINERS,
  IMAGES,
  SELECTOR,
];

export const DAEMON_SET_COLUMNS: readonly Column[] = [
  NAME,
  status("Desired", "desiredNumberScheduled", "The number of nodes that should be running the daemon pod."),
  status("Current", "currentNumberScheduled", "The number of nodes that run at least one daemon pod."),
  status("Ready", "numberReady", "The number of nodes with a ready daemon pod."),
  status("Up-to-date", "updatedNumberScheduled", "The number of nodes that run an updated daemon pod."),
  status("Available", "numberAvailable", "The number of nodes with an available daemon pod."),
  column("Node Selector", "string", "NodeSelector must match a node's labels for the pod to run there.", (set) =>
    labelText(at(set, "spec", "template", "spec", "nodeSelector")),
  ),
  AGE,
  CONTAINERS,
  IMAGES,
  SELECTOR,
];

export const STATEFUL_SET_COLUMNS: readonly Column[] = [
  NAME,
  column("Ready", "string", "Number of the pod with ready state", readyOf),
  AGE,
  CONTAINERS,
  IMAGES,
];

function controllerOf(object: Json): string {
  const owner = objects(metaOf(object).ownerReferences).find((one) => one.controller === true);
  if (owner === undefined) return "<none>";
  const group = str(owner.apiVersion).split("/").slice(0, -1).join("");
  return `${str(owner.kind).toLowerCase()}${group === "" ? "" : `.${group}`}/${str(owner.name)}`;
}

export const CONTROLLER_REVISION_COLUMNS: readonly Column[] = [
  NAME,
  column("Controller", "string", "Controller of the object", controllerOf),
  column("Revision", "integer", "Revision indicates the revision of the state.", (object) => num(object.revision)),
  AGE,
];

function limit(value: unknown): string {
  return orNone(typeof value === "number" ? `${value}` : str(value)).replace("<none>", "N/A");
}

export const DISRUPTION_BUDGET_COLUMNS: readonly Column[] = [
  NAME,
  column("Min Available", "string", "How many pods must stay available.", (one) =>
    limit(at(one, "spec", "minAvailable")),
  ),
  column("Max Unavailable", "string", "How many pods may be unavailable.", (one) =>
    limit(at(one, "spec", "maxUnavailable")),
  ),
  status("Allowed Disruptions", "disruptionsAllowed", "Calculated number of pods that may be disrupted now."),
  AGE,
];
