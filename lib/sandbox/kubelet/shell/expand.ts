import { Fault } from "#core/errors";
import type { ShellState } from "./state.ts";
import type { Script, Word, WordPart } from "./syntax.ts";

/** Longest text an expansion may make: a loop that doubles a variable must not eat the process. */
const MAX_TEXT = 1024 * 1024;

export interface Expander {
  readonly state: ShellState;
  /** Runs `$( … )` and resolves with what it printed. */
  substitute(script: Script): Promise<string>;
}

/** Expands words into arguments: unquoted variables are split at blanks, `"$@"` becomes one argument each. */
export async function expandWords(words: readonly Word[], expander: Expander): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) fields.push(...(await expandWord(word, expander)));
  return fields;
}

/** Expands one word without splitting: assignments, redirection targets. */
export async function expandText(word: Word, expander: Expander): Promise<string> {
  let text = "";
  for (const part of word) text += await partText(part, expander);
  return bounded(text);
}

async function expandWord(word: Word, expander: Expander): Promise<string[]> {
  const fields: string[] = [];
  let current: string | null = null;
  for (const part of word) {
    if (part.kind === "variable" && part.name === "@" && part.quoted) {
      const [first, ...others] = expander.state.parameters.slice(1);
      if (first !== undefined) current = (current ?? "") + first;
      for (const other of others) {
        if (current !== null) fields.push(current);
        current = other;
      }
      continue;
    }
    const text = await partText(part, expander);
    if (part.kind === "text" || part.quoted) {
      current = bounded((current ?? "") + text);
      continue;
    }
    const pieces = text.split(/[ \t\n]+/);
    pieces.forEach((piece, index) => {
      if (index > 0 && current !== null) {
        fields.push(current);
        current = null;
      }
      if (piece !== "") current = bounded((current ?? "") + piece);
    });
  }
  if (current !== null) fields.push(current);
  return fields;
}

async function partText(part: WordPart, expander: Expander): Promise<string> {
  if (part.kind === "text") return part.text;
  if (part.kind === "command") return (await expander.substitute(part.script)).replace(/\n+$/, "");
  const value = expander.state.variable(part.name);
  const { fallback } = part;
  if (fallback !== null && (value === undefined || (value === "" && fallback.whenEmpty))) {
    return expandText(fallback.word, expander);
  }
  return value ?? "";
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw new Fault("invalid", "sh: out of memory (text longer than 1 MiB)");
  return text;
}
