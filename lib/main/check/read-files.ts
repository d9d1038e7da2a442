import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { Fault } from "#core/errors";
import { type Found, itemsOf } from "./classify.ts";

interface FilesRead {
  readonly found: readonly Found[];
  readonly files: number;
  /** One sentence per file that cannot be read, with its line. */
  readonly unreadable: readonly string[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/**
 * Every object of files, of folders with everything below them, and of standard
 * input ("-"). What cannot be read does not keep the rest from being read.
 */
export function readFiles(paths: readonly string[], readInput: () => string): FilesRead {
  const found: Found[] = [];
  const unreadable: string[] = [];
  let files = 0;
  const read = (source: string, text: () => string) => {
    files += 1;
    try {
      found.push(...parse(text(), source));
    } catch (thrown) {
      unreadable.push(sentence(source, thrown));
    }
  };
  for (const path of paths) {
    if (path === "-") {
      read("(stdin)", readInput);
      continue;
    }
    try {
      const names = manifestsOf(path);
      if (names.length === 0) unreadable.push(`${path}: no .yaml, .yml or .json file in this folder`);
      for (const name of names) read(name, () => readFileSync(name, "utf8"));
    } catch (thrown) {
      unreadable.push(sentence(path, thrown));
    }
  }
  return { found, files, unreadable };
}

/** The path itself when it is a file; below a folder every manifest, by name. */
function manifestsOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return manifestsOf(inside);
    return entry.isFile() && MANIFEST.test(entry.name) ? [inside] : [];
  });
}

function parse(text: string, source: string): readonly Found[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document: Document.Parsed) => {
    const at = `${source}:${lines.linePos(document.contents?.range?.[0] ?? document.range[0]).line}`;
    const [problem] = document.errors;
    if (problem !== undefined) {
      throw new Fault("invalid", `${source}:${lines.linePos(problem.pos[0]).line}: ${problem.message.split("\n")[0]}`);
    }
    return itemsOf(value(document, at)).map((object) => ({ object, source: at }));
  });
}

// Unknown and runaway aliases only show when the document is turned into values.
function value(document: Document.Parsed, at: string): unknown {
  try {
    return document.toJS();
  } catch (thrown) {
    throw new Fault("invalid", `${at}: ${Fault.from(thrown).message.split("\n")[0]}`);
  }
}

function sentence(source: string, thrown: unknown): string {
  const fault = Fault.from(thrown);
  if (fault.code === "invalid") return fault.message;
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOENT") return `${source}: there is no such file or folder`;
  if (code === "EACCES") return `${source}: may not be read`;
  return `${source}: ${fault.message.split("\n")[0]}`;
}
