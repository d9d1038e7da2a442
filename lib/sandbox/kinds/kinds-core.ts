import { invalid, notSupported, required } from "./causes.ts";
import {
  CONFIG_MAP_COLUMNS,
  EVENT_COLUMNS,
  NAMESPACE_COLUMNS,
  NODE_COLUMNS,
  SECRET_COLUMNS,
  SERVICE_ACCOUNT_COLUMNS,
} from "./columns/cluster.ts";
import { POD_COLUMNS } from "./columns/pods.ts";
import { ENDPOINTS_COLUMNS, SERVICE_COLUMNS } from "./columns/services.ts";
import type { Cause, Json, KindDefinition } from "./definition.ts";
import { at, fill, metaOf, obj, objects, sameJson, str, strings } from "./json.ts";
import { kind } from "./kind.ts";
import { checkLabelName } from "./names.ts";
import { admitPod } from "./pod-admit.ts";
import { defaultPodSpec } from "./pod-defaults.ts";
import { validatePod } from "./pod-validate.ts";
import { admitService } from "./service-admit.ts";
import { defaultService } from "./service-defaults.ts";
import { validateService } from "./service-validate.ts";

function defaultNamespace(namespace: Json): Json {
  const metadata = metaOf(namespace);
  const name = str(metadata.name);
  // Only at creation: an empty list later means that the namespace may go.
  const spec = fill(obj(namespace.spec), { finalizers: ["kubernetes"] });
  const labels = name === "" ? metadata.labels : { ...strings(metadata.labels), "kubernetes.io/metadata.name": name };
  const phase = metadata.deletionTimestamp === undefined ? "Active" : "Terminating";
  return { ...namespace, metadata: { ...metadata, labels }, spec, status: fill(obj(namespace.status), { phase }) };
}

function validateNode(node: Json): readonly Cause[] {
  return objects(at(node, "spec", "taints")).flatMap((taint, index) => {
    const path = `spec.taints[${index}]`;
    const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if (str(taint.key) === "") return [required(`${path}.key`)];
    return effects.includes(str(taint.effect)) ? [] : [notSupported(`${path}.effect`, str(taint.effect), effects)];
  });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function defaultSecret(secret: Json): Json {
  const { stringData, ...rest } = secret;
  const encoded = Object.entries(strings(stringData)).map(([key, text]) => [
    key,
    Buffer.from(text, "utf8").toString("base64"),
  ]);
  const data = encoded.length === 0 ? {} : { data: { ...obj(rest.data), ...Object.fromEntries(encoded) } };
  return { ...fill(rest, { type: "Opaque" }), ...data };
}

function checkDataKeys(object: Json): readonly Cause[] {
  const keys = [...Object.keys(obj(object.data)), ...Object.keys(obj(object.binaryData))];
  const rule =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
  return keys.filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key)).map((key) => invalid(`data[${key}]`, key, rule));
}

function checkImmutable(object: Json, old: Json | undefined): readonly Cause[] {
  if (old?.immutable !== true) return [];
  const same = sameJson(object.data, old.data) && sameJson(object.binaryData, old.binaryData);
  return same ? [] : [invalid("data", "", "field is immutable when `immutable` is set")];
}

/** What a Secret of a known type must hold. */
const KEYS_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

function validateSecret(secret: Json, old: Json | undefined): readonly Cause[] {
  const bad = Object.entries(strings(secret.data)).filter(([, text]) => text.length % 4 !== 0 || !BASE64.test(text));
  return [
    ...checkDataKeys(secret),
    ...bad.map(([key]) => invalid(`data[${key}]`, "", "illegal base64 data")),
    ...(KEYS_OF_TYPE[str(secret.type)] ?? [])
      .filter((key) => obj(secret.data)[key] === undefined)
      .map((key) => required(`data[${key}]`)),
    ...checkImmutable(secret, old),
    ...(old !== undefined && old.type !== secret.type
      ? [invalid("type", secret.type ?? null, "field is immutable")]
      : []),
  ];
}

function validateEvent(event: Json): readonly Cause[] {
  const namespace = str(at(event, "involvedObject", "namespace")) || "default";
  const own = str(metaOf(event).namespace);
  return own === "" || own === namespace || namespace === "default"
    ? []
    : [invalid("involvedObject.namespace", namespace, "does not match event.namespace")];
}

/** The core group. */
export const CORE_KINDS: readonly KindDefinition[] = [
  kind("core", "v1", "Namespace", "namespaces", {
    shortNames: ["ns"],
    namespaced: false,
    subresources: ["status", "finalize"],
    columns: NAMESPACE_COLUMNS,
    defaults: defaultNamespace,
    validate: (namespace) => checkLabelName("metadata.name", str(metaOf(namespace).name)),
  }),
  kind("core", "v1", "Node", "nodes", {
    shortNames: ["no"],
    namespaced: false,
    subresources: ["status"],
    columns: NODE_COLUMNS,
    defaults: (node) => ({ ...node, spec: obj(node.spec), status: obj(node.status) }),
    validate: validateNode,
  }),
  kind("core", "v1", "Pod", "pods", {
    shortNames: ["po"],
    categories: ["all"],
    subresources: ["status", "log", "binding", "eviction"],
    hasGeneration: true,
    columns: POD_COLUMNS,
    defaults: (pod) => ({ ...pod, spec: defaultPodSpec(obj(pod.spec)) }),
    admit: admitPod,
    validate: validatePod,
  }),
  kind("core", "v1", "Service", "services", {
    shortNames: ["svc"],
    categories: ["all"],
    subresources: ["status"],
    columns: SERVICE_COLUMNS,
    defaults: defaultService,
    admit: admitService,
    validate: validateService,
  }),
  kind("core", "v1", "Endpoints", "endpoints", {
    singular: "endpoints",
    shortNames: ["ep"],
    columns: ENDPOINTS_COLUMNS,
  }),
  kind("core", "v1", "ConfigMap", "configmaps", {
    shortNames: ["cm"],
    columns: CONFIG_MAP_COLUMNS,
    validate: (map, old) => [...checkDataKeys(map), ...checkImmutable(map, old)],
  }),
  kind("core", "v1", "Secret", "secrets", {
    columns: SECRET_COLUMNS,
    defaults: defaultSecret,
    validate: validateSecret,
  }),
  kind("core", "v1", "ServiceAccount", "serviceaccounts", {
    shortNames: ["sa"],
    subresources: ["token"],
    columns: SERVICE_ACCOUNT_COLUMNS,
  }),
  kind("core", "v1", "Event", "events", {
    shortNames: ["ev"],
    columns: EVENT_COLUMNS,
    defaults: (event) => fill(event, { source: {}, reportingComponent: "", reportingInstance: "" }),
    validate: validateEvent,
  }),
];
