/**
 * What is wrong, or doubtful, with an object of the configuration. A closed list: it reaches CI logs, metrics and
 * screens unchanged. The second half are always warnings: legal input that probably does not do what was meant.
 */
export const CONFIGURATION_REASONS = [
  "missing_name",
  "duplicate_name",
  "wrong_namespace",
  "wrong_type",
  "out_of_range",
  "missing_field",
  "contradiction",
  "duplicate_entry",
  "malformed_selector",
  "malformed_range",
  "malformed_address",
  "malformed_duration",
  "malformed_community",
  "overlap",
  "duplicate_alias",
  "unknown_reference",
  "wrong_secret",
  "aggregation_too_wide",
  "local_pref_conflict",
  "peer_conflict",
  "echo_with_ipv6",
  "unknown_field",
  "not_advertised",
  "matches_nothing",
  "host_bits",
  "contains_node",
  "deprecated",
  "no_effect",
] as const;
export type ConfigurationReason = (typeof CONFIGURATION_REASONS)[number];

export type ConfigurationKind =
  | "IPAddressPool"
  | "L2Advertisement"
  | "BGPAdvertisement"
  | "BGPPeer"
  | "Community"
  | "BFDProfile"
  | "Service";

/** An error keeps the object (or this version of it) out of force; a warning does not. */
export interface ConfigurationFinding {
  readonly severity: "error" | "warning";
  readonly kind: ConfigurationKind;
  /** "namespace/name", or "name" when the object says no namespace. */
  readonly object: string;
  /** Dotted path ("spec.addresses.0"). */
  readonly field: string;
  readonly reason: ConfigurationReason;
  /** What is wrong; never holds a password. */
  readonly message: string;
  /** What would be right. */
  readonly fix: string;
}

/** A finding about an object that the receiver knows. */
export type Remark = Omit<ConfigurationFinding, "kind" | "object">;
export type Report = (remark: Remark) => void;

export function failure(field: string, reason: ConfigurationReason, message: string, fix: string): Remark {
  return { severity: "error", field, reason, message, fix };
}

export function doubt(field: string, reason: ConfigurationReason, message: string, fix: string): Remark {
  return { severity: "warning", field, reason, message, fix };
}

/** Waits for another object to appear, rather than for this one to change (metallb.md 4 "transient"). */
export function isTransient({ severity, reason }: ConfigurationFinding): boolean {
  return severity === "error" && reason === "unknown_reference";
}

/** Errors first; then by kind, object, field. Equal findings are said once. */
export function inOrder(findings: readonly ConfigurationFinding[]): readonly ConfigurationFinding[] {
  const keyed = new Map(
    findings.map((finding) => {
      const { severity, kind, object, field, reason, message } = finding;
      return [[severity, kind, object, field, reason, message].join("\u0000"), finding];
    }),
  );
  return [...keyed].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, finding]) => finding);
}

/** Text from a user within a message: quoted, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
