/** Who answered, as the workload says it in its reply. */
interface Identity {
  readonly pod: string;
  readonly node: string;
}

/** Names of pods and nodes (RFC 1123 subdomain), after any blanks, tabs or line breaks. */
const LINE = /(?:^|[\s>"'({[])POD:\s*([A-Za-z0-9][A-Za-z0-9.-]{0,252})\s+NODE:\s*([A-Za-z0-9][A-Za-z0-9.-]{0,252})/;

/** Finds `POD: <name> NODE: <node>` anywhere in a reply, with any spacing; null when it is not there. */
export function readIdentity(body: string): Identity | null {
  const found = LINE.exec(body);
  const [, pod, node] = found ?? [];
  return pod === undefined || node === undefined ? null : { pod, node };
}

const LINE_MAX = 200;

/** The first line with something on it as a terminal shows it: blanks folded, control characters gone, ≤ 200 characters. */
export function firstLine(body: string): string {
  for (const line of body.split(/\r\n|\n|\r/)) {
    const shown = line
      .replace(/\s+/g, " ")
      .replace(/\p{Cc}/gu, "")
      .trim();
    if (shown !== "") return shown.length > LINE_MAX ? `${shown.slice(0, LINE_MAX - 1)}…` : shown;
  }
  return "";
}
