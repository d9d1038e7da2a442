import { setFlagsFromString } from "node:v8";

// Patterns come from users (CRD schemas, CEL). RE2, which the real server uses, is linear; V8 backtracks, and a pattern
// like (a+)+$ would stop the process for years. With this flag V8 goes over to its own linear engine when that happens.
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");

/** A pattern in Go's dialect (RE2) as far as JavaScript has the same. Throws SyntaxError when it cannot be read. */
export function compilePattern(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = (flags === null ? pattern : pattern.slice(flags[0].length))
    .replace(/\(\?P</g, "(?<")
    .replace(/\\z/g, "$$")
    .replace(/\\A/g, "^")
    .replace(/\[:(alpha|digit|alnum|upper|lower|space|punct):\]/g, (_all, name: string) => CLASSES[name] ?? "");
  // Without "u": V8's linear engine knows no such patterns.
  return new RegExp(body, [...new Set(flags?.[1] ?? "")].join(""));
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "0-9A-Za-z",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  punct: "!-\\/:-@\\[-`{-~",
};
