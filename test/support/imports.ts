/**
 * The specifiers a module imports or re-exports, statically or by `import()`.
 * A small scanner instead of a parser (TypeScript 7 exports none): comments
 * and the insides of strings and templates are blanked first, so that text
 * which merely looks like an import does not count.
 */
export function importSpecifiers(source: string): readonly string[] {
  const found = new Set<string>();
  const code = withoutComments(source);
  const statement = /(?:^|[;}\s])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?(["'])([^"'\n]+)\1/g;
  for (const match of code.matchAll(statement)) if (match[2] !== undefined) found.add(match[2]);
  for (const match of code.matchAll(/\bimport\s*\(\s*(["'])([^"'\n]+)\1/g)) {
    if (match[2] !== undefined) found.add(match[2]);
  }
  return [...found];
}

/** Blanks comments and template literals; keeps ordinary strings, which is where specifiers live. */
function withoutComments(source: string): string {
  let out = "";
  let i = 0;
  while (i < source.length) {
    const two = source.slice(i, i + 2);
    const char = source.charAt(i);
    if (two === "//") {
      i = endOf(source, "\n", i);
    } else if (two === "/*") {
      i = endOf(source, "*/", i + 2) + 2;
    } else if (char === '"' || char === "'") {
      const end = closing(source, char, i + 1);
      out += source.slice(i, end);
      i = end;
    } else if (char === "`") {
      i = closing(source, char, i + 1);
      out += "``";
    } else {
      out += char;
      i++;
    }
  }
  return out;
}

function endOf(source: string, mark: string, from: number): number {
  const at = source.indexOf(mark, from);
  return at === -1 ? source.length : at;
}

/** The index after the quote that closes the string begun before `from`; a newline ends a plain one. */
function closing(source: string, quote: string, from: number): number {
  for (let i = from; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === "\\") i++;
    else if (char === quote || (char === "\n" && quote !== "`")) return i + 1;
  }
  return source.length;
}
