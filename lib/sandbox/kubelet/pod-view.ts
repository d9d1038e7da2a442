import type { Pod } from "#api/kubernetes/pods";
import { type Loose, number, record, records, text, texts } from "./loose.ts";
import { type HookView, type ProbeView, viewHook, viewProbe } from "./probe-view.ts";

/** Where a container's environment variable or a volume's file takes its text from. */
interface FieldRef {
  readonly kind: "field";
  readonly path: string;
}
interface KeyRef {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}
export interface EnvEntry {
  readonly name: string;
  readonly value: string;
  readonly from: FieldRef | KeyRef | { readonly kind: "unsupported"; readonly what: string } | null;
}
interface EnvSource {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly prefix: string;
  readonly optional: boolean;
}

interface MountView {
  readonly volume: string;
  readonly path: string;
  readonly subPath: string;
  readonly readOnly: boolean;
}

export interface ContainerView {
  readonly name: string;
  readonly init: boolean;
  /** An init container with `restartPolicy: Always`: runs beside the others (a sidecar). */
  readonly sidecar: boolean;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly EnvEntry[];
  readonly envFrom: readonly EnvSource[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly mounts: readonly MountView[];
  readonly readiness: ProbeView | null;
  readonly liveness: ProbeView | null;
  readonly startup: ProbeView | null;
  readonly postStart: HookView | null;
  readonly preStop: HookView | null;
}

interface FileItem {
  readonly key: string;
  readonly path: string;
}
export type VolumeSource =
  | { readonly kind: "emptyDir" }
  | {
      readonly kind: "configMap" | "secret";
      readonly name: string;
      readonly optional: boolean;
      readonly items: readonly FileItem[] | null;
    }
  | { readonly kind: "downwardAPI"; readonly items: readonly { readonly path: string; readonly field: string }[] }
  | {
      readonly kind: "token";
      readonly path: string;
      readonly audience: string | null;
      readonly expirationSeconds: number;
    }
  | { readonly kind: "projected"; readonly sources: readonly VolumeSource[] }
  | { readonly kind: "unsupported"; readonly what: string };
export interface VolumeView {
  readonly name: string;
  readonly source: VolumeSource;
}

/** The least a kubelet needs of a Pod, with every default applied. */
export interface PodView {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodeName: string;
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly graceSeconds: number;
  readonly init: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
  readonly volumes: readonly VolumeView[];
}

/** Reads a Pod leniently: a field of the wrong type counts as absent, so that no object can stop a kubelet. */
export function viewPod(pod: Pod): PodView {
  const { metadata } = pod;
  const spec = record(pod.spec);
  const namespace = metadata.namespace ?? "default";
  const name = metadata.name ?? "";
  const policy = text(spec.restartPolicy);
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid: metadata.uid ?? "",
    generation: metadata.generation ?? null,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    nodeName: text(spec.nodeName),
    serviceAccount: text(spec.serviceAccountName) || text(spec.serviceAccount) || "default",
    hostNetwork: spec.hostNetwork === true,
    restartPolicy: policy === "Never" || policy === "OnFailure" ? policy : "Always",
    graceSeconds: Math.max(0, number(spec.terminationGracePeriodSeconds, 30)),
    init: records(spec.initContainers).map((entry) => viewContainer(entry, true)),
    containers: records(spec.containers).map((entry) => viewContainer(entry, false)),
    volumes: records(spec.volumes).map((entry) => ({ name: text(entry.name), source: viewVolume(entry) })),
  };
}

function viewContainer(entry: Loose, init: boolean): ContainerView {
  return {
    name: text(entry.name),
    init,
    sidecar: init && entry.restartPolicy === "Always",
    image: text(entry.image),
    command: texts(entry.command),
    args: texts(entry.args),
    workingDir: text(entry.workingDir),
    env: records(entry.env).map(viewEnv),
    envFrom: records(entry.envFrom).map(viewEnvFrom),
    ports: records(entry.ports).map((port) => ({
      name: text(port.name),
      port: number(port.containerPort, 0),
      protocol: text(port.protocol) || "TCP",
    })),
    mounts: records(entry.volumeMounts).map((mount) => ({
      volume: text(mount.name),
      path: text(mount.mountPath),
      subPath: text(mount.subPath),
      readOnly: mount.readOnly === true,
    })),
    readiness: viewProbe(entry.readinessProbe),
    liveness: viewProbe(entry.livenessProbe),
    startup: viewProbe(entry.startupProbe),
    postStart: viewHook(record(entry.lifecycle).postStart),
    preStop: viewHook(record(entry.lifecycle).preStop),
  };
}

function viewEnv(entry: Loose): EnvEntry {
  const from = record(entry.valueFrom);
  const base = { name: text(entry.name), value: text(entry.value) };
  if (Object.keys(from).length === 0) return { ...base, from: null };
  if (from.fieldRef !== undefined)
    return { ...base, from: { kind: "field", path: text(record(from.fieldRef).fieldPath) } };
  for (const [field, kind] of [
    ["configMapKeyRef", "configMap"],
    ["secretKeyRef", "secret"],
  ] as const) {
    const ref = record(from[field]);
    if (from[field] === undefined) continue;
    return { ...base, from: { kind, name: text(ref.name), key: text(ref.key), optional: ref.optional === true } };
  }
  return { ...base, from: { kind: "unsupported", what: Object.keys(from).join(", ") } };
}

function viewEnvFrom(entry: Loose): EnvSource {
  const kind = entry.secretRef !== undefined ? "secret" : "configMap";
  const ref = record(kind === "secret" ? entry.secretRef : entry.configMapRef);
  return { kind, name: text(ref.name), prefix: text(entry.prefix), optional: ref.optional === true };
}

function viewVolume(entry: Loose): VolumeSource {
  if (entry.emptyDir !== undefined) return { kind: "emptyDir" };
  if (entry.configMap !== undefined) return viewFiles("configMap", record(entry.configMap));
  if (entry.secret !== undefined) return viewFiles("secret", record(entry.secret));
  if (entry.downwardAPI !== undefined) return viewDownward(record(entry.downwardAPI));
  if (entry.projected !== undefined) {
    return { kind: "projected", sources: records(record(entry.projected).sources).map(viewProjection) };
  }
  return { kind: "unsupported", what: Object.keys(entry).find((key) => key !== "name") ?? "empty" };
}

function viewProjection(entry: Loose): VolumeSource {
  if (entry.serviceAccountToken === undefined) return viewVolume(entry);
  const token = record(entry.serviceAccountToken);
  return {
    kind: "token",
    path: text(token.path) || "token",
    audience: text(token.audience) || null,
    expirationSeconds: number(token.expirationSeconds, 3600),
  };
}

function viewFiles(kind: "configMap" | "secret", source: Loose): VolumeSource {
  return {
    kind,
    name: text(source.secretName) || text(source.name),
    optional: source.optional === true,
    items: Array.isArray(source.items)
      ? records(source.items).map((item) => ({ key: text(item.key), path: text(item.path) }))
      : null,
  };
}

function viewDownward(source: Loose): VolumeSource {
  return {
    kind: "downwardAPI",
    items: records(source.items).map((item) => ({
      path: text(item.path),
      field: text(record(item.fieldRef).fieldPath),
    })),
  };
}
