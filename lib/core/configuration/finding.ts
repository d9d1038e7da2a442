import type { Finding } from "../findings.ts";

/**
 * What is wrong, or doubtful, with an object of the configuration. A closed list: it reaches CI logs, metrics and
 * screens unchanged. The second half are always warnings: legal input that probably does not do what was meant.
 */
const CONFIGURATION_REASONS = [
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
  "in_use",
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
  | "Service"
  | "AddressHold";

/** An error keeps the object (or this version of it) out of force; a warning does not. */
export interface ConfigurationFinding extends Finding {
  readonly kind: ConfigurationKind;
  readonly reason: ConfigurationReason;
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

/** One object may be wrong in so many ways at once; what comes after is counted. */
const LISTED_MAX = 20;

/** Takes findings in: of each object the first of a severity one by one, and then how many more there are. */
export class Findings {
  readonly #all: ConfigurationFinding[] = [];
  readonly #counts = new Map<string, number>();
  readonly #more = new Map<string, ConfigurationFinding>();

  readonly collect = (finding: ConfigurationFinding): void => {
    const { severity, kind, object } = finding;
    const whose = [severity, kind, object].join("\u0000");
    const count = (this.#counts.get(whose) ?? 0) + 1;
    this.#counts.set(whose, count);
    if (count <= LISTED_MAX) this.#all.push(finding);
    else if (!this.#more.has(whose)) this.#more.set(whose, finding);
  };

  /** Errors first; then by kind, object, field. Equal findings are said once. */
  inOrder(): readonly ConfigurationFinding[] {
    const rest = [...this.#more].map(([whose, finding]) => {
      const message = `${(this.#counts.get(whose) ?? 0) - LISTED_MAX} more problems are not listed`;
      return { ...finding, field: "spec", message, fix: "correct these first" };
    });
    const keyed = new Map(
      [...this.#all, ...rest].map((finding) => {
        const { severity, kind, object, field, reason, message } = finding;
        return [[severity, kind, object, sortable(field), reason, message].join("\u0000"), finding];
      }),
    );
    return [...keyed].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, finding]) => finding);
  }
}

/** Entry 10 of a list comes after entry 9. */
function sortable(field: string): string {
  return field.replace(/\d+/g, (digits) => digits.padStart(8, "0"));
}

/** Text from a user within a message: quoted, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
