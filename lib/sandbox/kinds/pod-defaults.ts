import type { Json, JsonValue } from "./definition.ts";
import { at, fill, isObject, obj, objects, str } from "./json.ts";

/** A pod spec with what the server fills in (core/v1 defaults of 1.36). */
export function defaultPodSpec(spec: Json): Json {
  const account = str(spec.serviceAccountName) || str(spec.serviceAccount);
  const filled = fill(spec, {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    securityContext: {},
    schedulerName: "default-scheduler",
    terminationGracePeriodSeconds: 30,
    ...(account !== "" && { serviceAccountName: account, serviceAccount: account }),
  });
  const hostNetwork = spec.hostNetwork === true;
  return {
    ...filled,
    ...mapped(filled, "initContainers", (one) => defaultContainer(one, hostNetwork)),
    ...mapped(filled, "containers", (one) => defaultContainer(one, hostNetwork)),
    ...mapped(filled, "ephemeralContainers", (one) => defaultContainer(one, hostNetwork)),
    ...mapped(filled, "volumes", defaultVolume),
  };
}

/** `{ field: list.map(change) }` when the field is a list; items that are no objects pass through. */
export function mapped(object: Json, field: string, change: (item: Json) => Json): Json {
  const list = object[field];
  if (!Array.isArray(list)) return {};
  return { [field]: list.map((item): JsonValue => (isObject(item) ? change(item) : item)) };
}

function defaultContainer(container: Json, hostNetwork: boolean): Json {
  const filled = fill(container, {
    imagePullPolicy: pullPolicy(str(container.image)),
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  return {
    ...filled,
    ...mapped(filled, "ports", (port) => ({
      ...fill(port, { protocol: "TCP", ...(hostNetwork && { hostPort: port.containerPort }) }),
    })),
    ...mapped(filled, "env", defaultEnv),
    ...probes(filled),
    ...(isObject(filled.lifecycle) && { lifecycle: defaultLifecycle(filled.lifecycle) }),
    resources: defaultResources(obj(filled.resources)),
  };
}

/** Always for ":latest" and untagged images, else IfNotPresent. */
function pullPolicy(image: string): string {
  if (image.includes("@")) return "IfNotPresent";
  const last = image.slice(image.lastIndexOf("/") + 1);
  const tag = last.includes(":") ? last.slice(last.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function defaultEnv(variable: Json): Json {
  const reference = at(variable, "valueFrom", "fieldRef");
  if (!isObject(reference)) return variable;
  return { ...variable, valueFrom: { ...obj(variable.valueFrom), fieldRef: fill(reference, { apiVersion: "v1" }) } };
}

function probes(container: Json): Json {
  const names = ["livenessProbe", "readinessProbe", "startupProbe"];
  const present = names.filter((name) => isObject(container[name]));
  return Object.fromEntries(present.map((name) => [name, defaultProbe(obj(container[name]))]));
}

function defaultProbe(probe: Json): Json {
  const filled = fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  const grpc = isObject(filled.grpc) ? { grpc: fill(filled.grpc, { service: "" }) } : {};
  return { ...filled, ...defaultHttpGet(filled), ...grpc };
}

function defaultHttpGet(holder: Json): Json {
  return isObject(holder.httpGet) ? { httpGet: fill(holder.httpGet, { path: "/", scheme: "HTTP" }) } : {};
}

function defaultLifecycle(lifecycle: Json): Json {
  const hooks = ["postStart", "preStop"].filter((name) => isObject(lifecycle[name]));
  const filled = hooks.map((name) => [name, { ...obj(lifecycle[name]), ...defaultHttpGet(obj(lifecycle[name])) }]);
  return { ...lifecycle, ...Object.fromEntries(filled) };
}

/** Limits that have no request become the request. */
function defaultResources(resources: Json): Json {
  if (!isObject(resources.limits)) return resources;
  return { ...resources, requests: fill(obj(resources.requests), resources.limits) };
}

function defaultVolume(volume: Json): Json {
  const sources = Object.keys(volume).filter((key) => key !== "name");
  if (sources.length === 0) return { ...volume, emptyDir: {} };
  const modes = ["configMap", "secret", "downwardAPI", "projected"].filter((key) => isObject(volume[key]));
  const filled = modes.map((key): [string, JsonValue] => [key, fill(obj(volume[key]), { defaultMode: 420 })]);
  return deepFill({ ...volume, ...Object.fromEntries(filled) });
}

function deepFill(volume: Json): Json {
  const hostPath = isObject(volume.hostPath) ? { hostPath: fill(volume.hostPath, { type: "" }) } : {};
  const downward = isObject(volume.downwardAPI)
    ? { downwardAPI: { ...volume.downwardAPI, ...mapped(volume.downwardAPI, "items", defaultDownwardItem) } }
    : {};
  const projected = isObject(volume.projected)
    ? { projected: { ...volume.projected, ...mapped(volume.projected, "sources", defaultProjection) } }
    : {};
  return { ...volume, ...hostPath, ...downward, ...projected };
}

function defaultProjection(source: Json): Json {
  const token = source.serviceAccountToken;
  const downward = source.downwardAPI;
  return {
    ...source,
    ...(isObject(token) && { serviceAccountToken: fill(token, { expirationSeconds: 3600 }) }),
    ...(isObject(downward) && { downwardAPI: { ...downward, ...mapped(downward, "items", defaultDownwardItem) } }),
  };
}

function defaultDownwardItem(item: Json): Json {
  return isObject(item.fieldRef) ? { ...item, fieldRef: fill(item.fieldRef, { apiVersion: "v1" }) } : item;
}

/** The quality-of-service class the server writes into a new pod's status. */
export function qosClass(spec: Json): string {
  const containers = [...objects(spec.initContainers), ...objects(spec.containers)];
  const asks = containers.map(({ resources }) => ({
    requests: obj(at(obj(resources), "requests")),
    limits: obj(at(obj(resources), "limits")),
  }));
  if (asks.every(({ requests, limits }) => Object.keys({ ...requests, ...limits }).length === 0)) return "BestEffort";
  const guaranteed = asks.every(({ requests, limits }) =>
    ["cpu", "memory"].every((name) => limits[name] !== undefined && limits[name] === requests[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
