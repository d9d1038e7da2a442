/**
 * Reads and edits the two settings of a KubeProxyConfiguration that layer 2
 * announcing depends on (`mode`, `ipvs.strictARP`), in block or flow YAML or
 * JSON, without touching anything else of the text.
 */
interface ProxySettings {
  /** "" = the platform's default, which is iptables on Linux. */
  readonly mode: string;
  /** Unset counts as false (kubeproxy.config.k8s.io/v1alpha1 KubeProxyIPVSConfiguration). */
  readonly strictARP: boolean;
}

/** Null when the text is no KubeProxyConfiguration that this reader understands. */
export function readProxySettings(text: string): ProxySettings | null {
  if (text.trimStart().startsWith("{")) return readJson(text);
  const lines = text.split("\n");
  if (!lines.some((line) => /^[A-Za-z"'][\w"']*\s*:/.test(line))) return null;
  const strict = findStrict(lines);
  return { mode: topLevel(lines, "mode"), strictARP: strict.kind !== "absent" && strict.value };
}

/** The same text with `ipvs.strictARP: true`. Comments, order and every other key stay as they are. */
export function withStrictArp(text: string): string {
  if (text.trimStart().startsWith("{")) return jsonWithStrictArp(text);
  const lines = text.split("\n");
  const found = findStrict(lines);
  if (found.kind === "block")
    return replaceAt(lines, found.line, (line) =>
      line.replace(VALUE, (_all, key: string, _old, rest: string) => `${key.trimEnd()} true${rest}`),
    );
  if (found.kind === "flow") return replaceAt(lines, found.line, (line) => line.replace(FLOW_VALUE, "$1true"));
  const ipvs = lines.findIndex((line) => IPVS.test(line));
  if (ipvs < 0) return `${text.replace(/\n*$/, "\n")}ipvs:\n  strictARP: true\n`;
  const line = lines[ipvs] ?? "";
  const flow = /^(\s*["']?ipvs["']?\s*:\s*)\{\s*(.*?)\s*\}(.*)$/.exec(line);
  if (flow !== null) {
    const inner = flow[2] === "" ? "strictARP: true" : `strictARP: true, ${flow[2]}`;
    return replaceAt(lines, ipvs, () => `${flow[1]}{${inner}}${flow[3]}`);
  }
  const indent = childIndent(lines, ipvs) ?? "  ";
  const head = line.replace(/:\s*(?:null|~)\s*(#.*)?$/, (_all, comment?: string) => (comment ? `: ${comment}` : ":"));
  return [...lines.slice(0, ipvs), head, `${indent}strictARP: true`, ...lines.slice(ipvs + 1)].join("\n");
}

const IPVS = /^["']?ipvs["']?\s*:/;
const VALUE = /^(\s*["']?strictARP["']?\s*:\s*)(["']?\w+["']?|~)?(\s*(?:#.*)?)$/;
const FLOW_VALUE = /(["']?strictARP["']?\s*:\s*)["']?\w+["']?/;

type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "block" | "flow"; readonly line: number; readonly value: boolean };

function findStrict(lines: readonly string[]): Found {
  const start = lines.findIndex((line) => IPVS.test(line));
  if (start < 0) return { kind: "absent" };
  const flow = FLOW_VALUE.exec(lines[start] ?? "");
  if (flow !== null) return { kind: "flow", line: start, value: /:\s*["']?true["']?/i.test(flow[0]) };
  for (let at = start + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (/^\S/.test(line) && !line.startsWith("#")) break;
    const value = VALUE.exec(line);
    if (value !== null) return { kind: "block", line: at, value: /^["']?true["']?$/i.test(value[2] ?? "") };
  }
  return { kind: "absent" };
}

function topLevel(lines: readonly string[], key: string): string {
  const pattern = new RegExp(`^["']?${key}["']?\\s*:\\s*(?:"([^"]*)"|'([^']*)'|([^#\\s]*))`);
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match[1] ?? match[2] ?? match[3] ?? "";
  }
  return "";
}

function childIndent(lines: readonly string[], parent: number): string | undefined {
  const next = lines.slice(parent + 1).find((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  const indent = /^(\s+)\S/.exec(next ?? "")?.[1];
  return indent === "" ? undefined : indent;
}

function replaceAt(lines: readonly string[], at: number, change: (line: string) => string): string {
  return lines.map((line, index) => (index === at ? change(line) : line)).join("\n");
}

function readJson(text: string): ProxySettings | null {
  const parsed = parseJson(text);
  if (parsed === null) return null;
  const ipvs = asRecord(parsed.ipvs);
  return { mode: typeof parsed.mode === "string" ? parsed.mode : "", strictARP: ipvs.strictARP === true };
}

function jsonWithStrictArp(text: string): string {
  const parsed = parseJson(text) ?? {};
  return JSON.stringify({ ...parsed, ipvs: { ...asRecord(parsed.ipvs), strictARP: true } }, undefined, 2);
}

function parseJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return asRecord(JSON.parse(text));
  } catch {
    return null;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
