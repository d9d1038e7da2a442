/**
 * Writes a Kubernetes object as YAML the way kubectl prints it: block style,
 * keys sorted (apiVersion, kind, metadata, spec, status already are), strings
 * quoted only where YAML would read something else. `managedFields` are left out.
 */
export function toYaml(value: unknown): string {
  const text = isRecord(value) || Array.isArray(value) ? block(clean(value), "") : `${scalar(value)}\n`;
  return text.startsWith("\n") ? text.slice(1) : text;
}

function clean(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.metadata)) return value;
  const { managedFields: _, ...metadata } = value.metadata;
  return { ...value, metadata };
}

/** The value after "key:" or "-": either " scalar\n" or a block on the following lines. */
function after(value: unknown, indent: string, inList: boolean): string {
  if (Array.isArray(value)) return value.length === 0 ? " []\n" : `\n${list(value, inList ? `${indent}  ` : indent)}`;
  if (isRecord(value)) {
    return entries(value).length === 0 ? " {}\n" : `\n${block(value, `${indent}  `)}`;
  }
  if (typeof value === "string" && value.includes("\n") && literal(value)) return text(value, `${indent}  `);
  return ` ${scalar(value)}\n`;
}

function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) return value.length === 0 ? `${indent}[]\n` : list(value, indent);
  if (!isRecord(value)) return `${indent}${scalar(value)}\n`;
  const held = entries(value);
  if (held.length === 0) return `${indent}{}\n`;
  return held.map(([key, item]) => `${indent}${scalar(key)}:${after(item, indent, false)}`).join("");
}

function list(items: readonly unknown[], indent: string): string {
  return items
    .map((item) => {
      if (isRecord(item) && entries(item).length > 0) {
        // The first key stands beside the dash; the others line up below it.
        return `${indent}- ${block(item, `${indent}  `).slice(indent.length + 2)}`;
      }
      return `${indent}-${after(item, indent, true)}`;
    })
    .join("");
}

function entries(value: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A literal block keeps text as it is, unless it begins with a blank or holds what YAML cannot show. */
function literal(value: string): boolean {
  return !/^[\s]/.test(value) && ![...value].some((letter) => letter !== "\n" && letter < " ") && !/[ ]\n/.test(value);
}

function text(value: string, indent: string): string {
  const keep = value.endsWith("\n\n") ? "+" : value.endsWith("\n") ? "" : "-";
  const body = value.endsWith("\n") ? value.slice(0, -1) : value;
  return ` |${keep}\n${body
    .split("\n")
    .map((line) => (line === "" ? "\n" : `${indent}${line}\n`))
    .join("")}`;
}

const PLAIN = /^[A-Za-z0-9_./<([^~+][^\n\r\t]*$/;
const MEANS_SOMETHING = /^(?:<<|true|false|yes|no|on|off|y|n|null|~|\.inf|\.nan|[-+]?\.inf)$/i;
const NUMBER =
  /^[-+]?(?:0x[0-9a-f]+|0o?[0-7]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9]+(?:e[-+]?[0-9]+)?)$/i;
/** YAML 1.1 reads even a lone dot as a number. */
const DOTTED = /^[-+]?[0-9_]*\.?[0-9_]*(?:e[-+]?[0-9]*)?$/i;
const DATE_OR_TIME = /^\d{4}-\d{1,2}-\d{1,2}|^\d+(?::[0-5]?\d)+/;

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "string") return String(value);
  const plain =
    PLAIN.test(value) &&
    !value.startsWith("[") &&
    !value.includes(": ") &&
    !value.includes(" #") &&
    !/[\s:]$/.test(value) &&
    !MEANS_SOMETHING.test(value) &&
    !NUMBER.test(value) &&
    !DOTTED.test(value) &&
    !DATE_OR_TIME.test(value);
  return plain ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
