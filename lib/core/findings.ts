/** Something wrong, or odd, in an object of the configuration. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly kind: "pool" | "advertisement";
  /** Name of the pool or advertisement. */
  readonly object: string;
  /** Dotted path ("spec.addresses.0"). */
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

/** One line: the object's name, the field, what is wrong and what would be right. */
export function findingText({ kind, object, field, message, fix }: Finding): string {
  return `${kind} ${object}: ${field}: ${message}; ${fix}`;
}

/** The errors among findings; warnings keep nothing out of force. */
export function errorsAmong(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === "error");
}
