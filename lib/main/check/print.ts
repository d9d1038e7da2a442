import type { CheckFinding } from "./classify.ts";

/** One line per finding: severity, object, field, message and fix, in columns. */
export function findingLines(findings: readonly CheckFinding[]): readonly string[] {
  const cells = findings.map((finding) => [finding.severity, `${finding.kind} ${finding.object}`, finding.field]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((cell) => cell[column]?.length ?? 0)));
  return findings.map(({ message, fix, source }, index) => {
    const head = (cells[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
    return oneLine(`${head}  ${message}  (fix: ${fix})${source === undefined ? "" : `  [${source}]`}`);
  });
}

// Names come from files: a line feed or an escape sequence in one must not write lines of its own.
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function summary(findings: readonly CheckFinding[], looked: string): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return `nothing found in ${looked}`;
  return `${plural(errors, "error")}, ${plural(warnings, "warning")} in ${looked}`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
