const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** Backslash escapes as `echo -e` and `printf` read them; `\c` ends the output there. */
export function escapes(text: string): { readonly output: string; readonly stopped: boolean } {
  const stop = /(^|[^\\])(\\\\)*\\c/.exec(text);
  const kept = stop === null ? text : text.slice(0, stop.index + stop[0].length - 2);
  const output = kept.replace(/\\(0?[0-7]{1,3}|x[0-9a-fA-F]{1,2}|[abefnrtv\\])/g, (all, code: string) => {
    if (code.startsWith("x")) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
    return SIMPLE[code] ?? all;
  });
  return { output, stopped: stop !== null };
}

/** `printf format values…`: the format is used again until every value has been printed. */
export function formatPrintf(format: string, values: readonly string[]): string {
  let output = "";
  let next = 0;
  do {
    const before = next;
    output += escapes(format).output.replace(/%([-0 +]*)(\d*)(?:\.(\d+))?([sdiuxXcb%])/g, (...match) => {
      const [, flags = "", width = "", precision, kind = ""] = match as (string | undefined)[];
      if (kind === "%") return "%";
      const value = values[next++] ?? "";
      return pad(shown(kind, value, precision), flags, Number(width));
    });
    if (next === before) break;
  } while (next < values.length);
  return output;
}

function shown(kind: string, value: string, precision: string | undefined): string {
  if (kind === "s") return precision === undefined ? value : value.slice(0, Number(precision));
  if (kind === "b") return escapes(value).output;
  if (kind === "c") return value.slice(0, 1);
  const number = Math.trunc(Number(value)) || 0;
  if (kind === "x") return number.toString(16);
  return kind === "X" ? number.toString(16).toUpperCase() : String(number);
}

function pad(text: string, flags: string, width: number): string {
  const bounded = Math.min(width, 1000);
  if (flags.includes("-")) return text.padEnd(bounded);
  return text.padStart(bounded, flags.includes("0") ? "0" : " ");
}
