import { type Configuration, type ConfigurationInput, compileConfiguration } from "#core/configuration";
import type { ConfigurationFinding } from "#core/configuration/finding";

export type Spec = Readonly<Record<string, unknown>>;

/** An object of the configuration as a cluster holds it. */
export const object = (
  name: string,
  spec: Spec,
  more: { labels?: Spec; created?: string; apiVersion?: string } = {},
) => ({
  ...(more.apiVersion !== undefined && { apiVersion: more.apiVersion }),
  metadata: {
    name,
    namespace: "metallb-system",
    ...(more.labels !== undefined && { labels: more.labels }),
    ...(more.created !== undefined && { creationTimestamp: more.created }),
  },
  spec,
});

export const node = (name: string, labels: Spec = {}, address = "192.0.2.1") => ({
  metadata: { name, labels },
  status: { addresses: [{ type: "InternalIP", address }] },
});

export const pool = (name: string, addresses: unknown, more: Spec = {}, labels: Spec = {}) =>
  object(name, { addresses, ...more }, { labels });

export const peer = (name: string, spec: Spec = {}) =>
  object(name, { myASN: 64512, peerASN: 64513, peerAddress: "192.0.2.254", ...spec });

/** What a row says of one input: whether it is refused, where, and why. */
export interface Row {
  readonly name: string;
  readonly input: ConfigurationInput;
  /** `<kind> <object> <field> <reason>` of every error; none: accepted. */
  readonly errors?: readonly string[];
  /** The same of warnings; undefined: not looked at. */
  readonly warnings?: readonly string[];
}

const line = ({ kind, object: name, field, reason }: ConfigurationFinding) =>
  `${kind} ${name.replace("metallb-system/", "")} ${field} ${reason}`;

export function linesOf(input: ConfigurationInput, severity: "error" | "warning", previous?: Configuration) {
  const { findings } = compileConfiguration(input, previous);
  return findings.filter((finding) => finding.severity === severity).map(line);
}

export const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
