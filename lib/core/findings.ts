/** Something wrong, or odd, in an object that somebody wrote. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** Of the object ("IPAddressPool"). */
  readonly kind: string;
  /** "namespace/name", or "name". */
  readonly object: string;
  /** Dotted path ("spec.addresses.0"). */
  readonly field: string;
  /** What is wrong; never holds a password. */
  readonly message: string;
  /** What would be right. */
  readonly fix: string;
}

/** One line: kind and name of the object, the field, what is wrong and what would be right. */
export function findingText({ kind, object, field, message, fix }: Finding): string {
  return `${kind} ${nameIn(object)}: ${field}: ${message}; ${fix}`;
}

/** The name in "namespace/name". */
export function nameIn(object: string): string {
  return object.slice(object.lastIndexOf("/") + 1);
}

/** The errors among findings; warnings keep nothing out of force. */
export function errorsAmong<T extends Finding>(findings: readonly T[]): readonly T[] {
  return findings.filter(({ severity }) => severity === "error");
}
