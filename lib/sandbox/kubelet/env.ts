import { Fault } from "#core/errors";
import { fieldText, type PodFacts } from "./fields.ts";
import type { ContainerView, EnvEntry, PodView } from "./pod-view.ts";

/** ConfigMaps and Secrets as text by key; undefined when the object does not exist. */
export interface Configuration {
  configMap(namespace: string, name: string): Readonly<Record<string, Uint8Array>> | undefined;
  secret(namespace: string, name: string): Readonly<Record<string, Uint8Array>> | undefined;
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/**
 * A container's environment: what every container gets, then `envFrom`, then
 * `env` (later entries win, `$(NAME)` refers to earlier ones). Fault `invalid`
 * (a kubelet's CreateContainerConfigError) says which object or key is missing.
 */
export function resolveEnv(
  pod: PodView,
  container: ContainerView,
  given: {
    readonly configuration: Configuration;
    readonly facts: PodFacts;
    readonly base: Readonly<Record<string, string>>;
  },
): Record<string, string> {
  const env: Record<string, string> = { ...given.base };
  for (const source of container.envFrom) {
    const data = given.configuration[source.kind](pod.namespace, source.name);
    if (data === undefined && !source.optional) throw missingObject(source.kind, source.name);
    for (const [key, value] of Object.entries(data ?? {})) env[`${source.prefix}${key}`] = decode(value);
  }
  for (const entry of container.env) {
    const value = entryText(entry, pod, given, env);
    if (value !== null) env[entry.name] = value;
  }
  return env;
}

function entryText(
  entry: EnvEntry,
  pod: PodView,
  given: { readonly configuration: Configuration; readonly facts: PodFacts },
  env: Readonly<Record<string, string>>,
): string | null {
  const { from } = entry;
  if (from === null) return expand(entry.value, env);
  if (from.kind === "field") return fieldText(from.path, pod, given.facts);
  if (from.kind === "unsupported") {
    throw new Fault("invalid", `env ${entry.name}: the Berth sandbox does not support valueFrom.${from.what}`);
  }
  const data = given.configuration[from.kind](pod.namespace, from.name);
  if (data === undefined) {
    if (from.optional) return null;
    throw missingObject(from.kind, from.name);
  }
  const value = data[from.key];
  if (value !== undefined) return decode(value);
  if (from.optional) return null;
  const kind = from.kind === "secret" ? "Secret" : "ConfigMap";
  throw new Fault("invalid", `couldn't find key ${from.key} in ${kind} ${pod.namespace}/${from.name}`);
}

function missingObject(kind: "configMap" | "secret", name: string): Fault {
  return new Fault("invalid", `${kind.toLowerCase()} "${name}" not found`);
}

/** Replaces `$(NAME)` by its value; `$$(NAME)` stays as `$(NAME)`, and so does a name that is not set. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (all, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(env, name) ? (env[name] ?? all) : all;
  });
}
