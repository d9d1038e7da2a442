import { duplicate, forbidden, invalid, notFound, notSupported, required } from "./causes.ts";
import type { Cause, Json } from "./definition.ts";
import { at, metaOf, num, obj, objects, sameJson, str, without } from "./json.ts";
import { checkLabelName, checkSubdomain } from "./names.ts";

/** A pod, or on updates whether only what may change of a pod has changed. */
export function validatePod(pod: Json, old: Json | undefined): readonly Cause[] {
  const name = str(metaOf(pod).name);
  const causes = [...checkSubdomain("metadata.name", name), ...validatePodSpec(obj(pod.spec), "spec")];
  return old === undefined ? causes : [...causes, ...validateChange(obj(pod.spec), obj(old.spec))];
}

const CHANGE_RULE =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function validateChange(spec: Json, old: Json): readonly Cause[] {
  const bound = str(old.nodeName) !== "" && spec.nodeName !== old.nodeName;
  return bound || !sameJson(frozen(spec), frozen(old)) ? [forbidden("spec", CHANGE_RULE)] : [];
}

// nodeName may be set once: that is how a pod is bound here, besides the binding subresource.
function frozen(spec: Json): Json {
  const open = [
    "activeDeadlineSeconds",
    "tolerations",
    "terminationGracePeriodSeconds",
    "nodeName",
    "ephemeralContainers",
  ];
  const imageless = (list: unknown) => objects(list).map((one) => without(one, "image", "resources"));
  const rest = without(spec, ...open, "schedulingGates");
  return { ...rest, containers: imageless(spec.containers), initContainers: imageless(spec.initContainers) };
}

/** The spec of a pod or of a pod template; `path` is where it stands ("spec.template.spec"). */
export function validatePodSpec(spec: Json, path: string): readonly Cause[] {
  const volumes = objects(spec.volumes);
  const volumeNames = new Set(volumes.map((volume) => str(volume.name)));
  const containers = objects(spec.containers);
  const inits = objects(spec.initContainers);
  const seen = new Set<string>();
  return [
    ...volumes.flatMap((volume, index) => checkVolume(volume, `${path}.volumes[${index}]`, volumes.slice(0, index))),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containers.flatMap((one, index) => checkContainer(one, `${path}.containers[${index}]`, volumeNames, seen)),
    ...inits.flatMap((one, index) => checkContainer(one, `${path}.initContainers[${index}]`, volumeNames, seen)),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "Never", "OnFailure"]),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ...(num(spec.terminationGracePeriodSeconds) < 0
      ? [invalid(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds, NOT_NEGATIVE)]
      : []),
  ];
}

export const NOT_NEGATIVE = "must be greater than or equal to 0";

function oneOf(field: string, value: unknown, supported: readonly string[]): readonly Cause[] {
  if (value === undefined || value === "") return [required(field)];
  return supported.includes(str(value)) ? [] : [notSupported(field, value, supported)];
}

function checkMode(mode: unknown, field: string): readonly Cause[] {
  const good = mode === undefined || (num(mode) >= 0 && num(mode) <= 0o777);
  return good ? [] : [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function checkVolume(volume: Json, path: string, before: readonly Json[]): readonly Cause[] {
  const name = str(volume.name);
  const sources = Object.keys(volume).filter((key) => key !== "name");
  const twice = before.some((one) => one.name === volume.name);
  return [
    ...(name === "" ? [required(`${path}.name`)] : checkLabelName(`${path}.name`, name)),
    ...(twice ? [duplicate(`${path}.name`, name)] : []),
    ...sources.flatMap((source) => checkMode(obj(volume[source]).defaultMode, `${path}.${source}.defaultMode`)),
    ...sources.slice(1).map((source) => forbidden(`${path}.${source}`, "may not specify more than 1 volume type")),
  ];
}

function checkContainer(one: Json, path: string, volumes: ReadonlySet<string>, seen: Set<string>): readonly Cause[] {
  const name = str(one.name);
  const causes: Cause[] = name === "" ? [required(`${path}.name`)] : [...checkLabelName(`${path}.name`, name)];
  if (name !== "" && seen.has(name)) causes.push(duplicate(`${path}.name`, name));
  seen.add(name);
  const image = str(one.image);
  if (image === "") causes.push(required(`${path}.image`));
  else if (image !== image.trim())
    causes.push(invalid(`${path}.image`, image, "must not have leading or trailing whitespace"));
  const mounts = objects(one.volumeMounts);
  return [
    ...causes,
    ...objects(one.ports).flatMap((port, index) => checkPort(port, `${path}.ports[${index}]`)),
    ...objects(one.env).flatMap((variable, index) => checkEnv(variable, `${path}.env[${index}]`)),
    ...mounts.flatMap((mount, index) =>
      checkMount(mount, `${path}.volumeMounts[${index}]`, volumes, mounts.slice(0, index)),
    ),
    ...["livenessProbe", "readinessProbe", "startupProbe"].flatMap((probe) => checkProbe(one, probe, path)),
    ...oneOf(`${path}.imagePullPolicy`, one.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
  ];
}

export const PORT_RULE = "must be between 1 and 65535, inclusive";

export function isPort(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}

function checkPort(port: Json, path: string): readonly Cause[] {
  const number = num(port.containerPort);
  const causes: Cause[] = [];
  if (port.name !== undefined && str(port.name) !== "") causes.push(...checkPortName(`${path}.name`, str(port.name)));
  if (number === 0) causes.push(required(`${path}.containerPort`));
  else if (!isPort(number)) causes.push(invalid(`${path}.containerPort`, number, PORT_RULE));
  if (!["TCP", "UDP", "SCTP"].includes(str(port.protocol))) {
    causes.push(notSupported(`${path}.protocol`, str(port.protocol), ["SCTP", "TCP", "UDP"]));
  }
  return causes;
}

/** IANA service name: at most 15 characters, at least one letter. */
export function checkPortName(field: string, name: string): readonly Cause[] {
  const causes: Cause[] = [];
  if (name.length > 15) causes.push(invalid(field, name, "must be no more than 15 characters"));
  if (!/^[-a-z0-9]+$/.test(name))
    causes.push(invalid(field, name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"));
  if (!/[a-z]/.test(name)) causes.push(invalid(field, name, "must contain at least one letter (a-z)"));
  if (name.includes("--")) causes.push(invalid(field, name, "must not contain consecutive hyphens"));
  if (name.startsWith("-") || name.endsWith("-"))
    causes.push(invalid(field, name, "must not begin or end with a hyphen"));
  return causes;
}

function checkEnv(variable: Json, path: string): readonly Cause[] {
  if (str(variable.name) === "") return [required(`${path}.name`)];
  const both = str(variable.value) !== "" && variable.valueFrom !== undefined;
  return both ? [invalid(`${path}.valueFrom`, "", "may not be specified when `value` is not empty")] : [];
}

function checkMount(
  mount: Json,
  path: string,
  volumes: ReadonlySet<string>,
  before: readonly Json[],
): readonly Cause[] {
  const name = str(mount.name);
  const mountPath = str(mount.mountPath);
  const causes: Cause[] = [];
  if (name === "") causes.push(required(`${path}.name`));
  else if (!volumes.has(name)) causes.push(notFound(`${path}.name`, name));
  if (mountPath === "") causes.push(required(`${path}.mountPath`));
  if (before.some((one) => one.mountPath === mount.mountPath)) {
    causes.push(invalid(`${path}.mountPath`, mountPath, "must be unique"));
  }
  return causes;
}

function checkProbe(container: Json, name: string, path: string): readonly Cause[] {
  const probe = container[name];
  if (probe === undefined) return [];
  const here = `${path}.${name}`;
  const handlers = ["exec", "httpGet", "tcpSocket", "grpc"].filter((kind) => at(obj(probe), kind) !== undefined);
  if (handlers.length === 0) return [required(here, "must specify a handler type")];
  const extra = handlers
    .slice(1)
    .map((kind) => forbidden(`${here}.${kind}`, "may not specify more than 1 handler type"));
  const port = at(obj(probe), handlers[0] ?? "", "port");
  const wrong = typeof port === "number" && !isPort(port);
  return [...extra, ...(wrong ? [invalid(`${here}.${handlers[0]}.port`, port, PORT_RULE)] : [])];
}
