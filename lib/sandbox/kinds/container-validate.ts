import { duplicate, forbidden, invalid, notFound, notSupported, required } from "./causes.ts";
import type { Cause, Json } from "./definition.ts";
import { at, num, obj, objects, str, strings } from "./json.ts";
import { checkLabelName } from "./names.ts";
import { quantityValue } from "./quantity.ts";

export const NOT_NEGATIVE = "must be greater than or equal to 0";

/** A required value out of a closed list. */
export function oneOf(field: string, value: unknown, supported: readonly string[]): readonly Cause[] {
  if (value === undefined || value === "") return [required(field)];
  return supported.includes(str(value)) ? [] : [notSupported(field, value, supported)];
}

/** One container of a pod; `seen` holds the names of those before it. */
export function checkContainer(
  one: Json,
  path: string,
  volumes: ReadonlySet<string>,
  seen: Set<string>,
): readonly Cause[] {
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
    ...checkPorts(objects(one.ports), `${path}.ports`),
    ...objects(one.env).flatMap((variable, index) => checkEnv(variable, `${path}.env[${index}]`)),
    ...mounts.flatMap((mount, index) =>
      checkMount(mount, `${path}.volumeMounts[${index}]`, volumes, mounts.slice(0, index)),
    ),
    ...checkResources(obj(one.resources), `${path}.resources`),
    ...["livenessProbe", "readinessProbe", "startupProbe"].flatMap((probe) => checkProbe(one, probe, path)),
    ...oneOf(`${path}.imagePullPolicy`, one.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
  ];
}

export const PORT_RULE = "must be between 1 and 65535, inclusive";

export function isPort(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}

function checkPorts(ports: readonly Json[], path: string): readonly Cause[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const here = `${path}[${index}]`;
    const name = str(port.name);
    const twice = name !== "" && names.has(name);
    names.add(name);
    return [...checkPort(port, here), ...(twice ? [duplicate(`${here}.name`, name)] : [])];
  });
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

const ENV_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='";

function checkEnv(variable: Json, path: string): readonly Cause[] {
  if (str(variable.name) === "") return [required(`${path}.name`)];
  if (!/^[ -<>-~]+$/.test(str(variable.name))) return [invalid(`${path}.name`, variable.name, ENV_RULE)];
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
  const counts = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
  const negative = counts.filter((field) => num(obj(probe)[field]) < 0);
  const threshold = num(obj(probe).successThreshold);
  return [
    ...extra,
    ...(wrong ? [invalid(`${here}.${handlers[0]}.port`, port, PORT_RULE)] : []),
    ...negative.map((field) => invalid(`${here}.${field}`, obj(probe)[field], NOT_NEGATIVE)),
    ...(name !== "readinessProbe" && threshold > 1
      ? [invalid(`${here}.successThreshold`, threshold, "must be 1")]
      : []),
  ];
}

function checkResources(resources: Json, path: string): readonly Cause[] {
  const limits = strings(resources.limits);
  const negative = (part: "limits" | "requests") =>
    Object.entries(strings(resources[part])).flatMap(([name, text]) =>
      (quantityValue(text) ?? 0) < 0 ? [invalid(`${path}.${part}[${name}]`, text, NOT_NEGATIVE)] : [],
    );
  const above = Object.entries(strings(resources.requests)).flatMap(([name, text]) => {
    const limit = limits[name];
    const over = limit !== undefined && (quantityValue(text) ?? 0) > (quantityValue(limit) ?? 0);
    return over ? [invalid(`${path}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`)] : [];
  });
  return [...negative("limits"), ...negative("requests"), ...above];
}
