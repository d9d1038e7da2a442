import { isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";

/**
 * Paths of the members that JSON text gives more than once ("spec.ports[0].port"), in order, each once. The text must
 * be valid JSON.
 */
export function duplicateKeys(text: string): readonly string[] {
  const found = new Set<string>();
  const scopes: Scope[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    const scope = scopes.at(-1);
    if (character === QUOTE) {
      const end = endOfString(text, at);
      if (scope?.keys !== undefined && scope.expectsKey) {
        scope.key = String(JSON.parse(text.slice(at, end)));
        scope.expectsKey = false;
        if (scope.keys.has(scope.key)) found.add(pathOf(scopes));
        scope.keys.add(scope.key);
      }
      at = end;
      continue;
    }
    if (character === OPEN_OBJECT) scopes.push({ keys: new Set(), key: "", expectsKey: true, index: 0 });
    else if (character === OPEN_LIST) scopes.push({ keys: undefined, key: "", expectsKey: false, index: 0 });
    else if (character === CLOSE_OBJECT || character === CLOSE_LIST) scopes.pop();
    else if (character === COMMA && scope !== undefined) {
      scope.expectsKey = scope.keys !== undefined;
      scope.index++;
    }
    at++;
  }
  return [...found];
}

interface Scope {
  /** Undefined: a list. */
  readonly keys: Set<string> | undefined;
  key: string;
  expectsKey: boolean;
  index: number;
}

const [QUOTE, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, BACKSLASH] = [34, 123, 125, 91, 93, 44, 92];

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === BACKSLASH) at++;
    else if (character === QUOTE) return at + 1;
  }
  return text.length;
}

function pathOf(scopes: readonly Scope[]): string {
  return scopes.reduce(
    (path, scope) =>
      scope.keys === undefined ? `${path}[${scope.index}]` : path === "" ? scope.key : `${path}.${scope.key}`,
    "",
  );
}

/** What a strict reader says of keys that YAML text gives more than once; undefined: nothing. */
export function duplicateYamlKeys(text: string): string | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines });
  const found: string[] = [];
  visit(document, {
    Map(_key, map) {
      if (!isMap(map)) return;
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const { line } = lines.linePos(key.range?.[0] ?? 0);
          found.push(`  line ${line}: key ${JSON.stringify(key.value)} already set in map`);
        }
        seen.add(key.value);
      }
    },
  });
  return found.length === 0 ? undefined : `yaml: unmarshal errors:\n${found.join("\n")}`;
}
