import { expect, it } from "vitest";
import { importSpecifiers } from "./imports.ts";

const rows: readonly { name: string; source: string; found: readonly string[] }[] = [
  { name: "a default import", source: 'import a from "a";', found: ["a"] },
  { name: "a side-effect import", source: 'import "a";', found: ["a"] },
  { name: "a type import", source: 'import type { A } from "a";', found: ["a"] },
  { name: "an import over several lines", source: 'import {\n  a,\n  type B as C,\n} from "a";', found: ["a"] },
  { name: "a namespace import", source: "import * as a from 'a';", found: ["a"] },
  { name: "a re-export", source: 'export * from "a";\nexport { b } from "b";', found: ["a", "b"] },
  { name: "a dynamic import", source: 'const a = await import("a");', found: ["a"] },
  { name: "not an import in a comment", source: '// import a from "a"\n/* import "b" */', found: [] },
  { name: "not an import inside a template", source: 'const a = `import b from "b"`;', found: [] },
  { name: "not a string that mentions one", source: "const a = 'import b from \"b\"';", found: [] },
  { name: "an import after a comment with a quote", source: '// don\'t\nimport a from "a";', found: ["a"] },
];

it.each(rows)("finds $name", ({ source, found }) => {
  expect(importSpecifiers(source)).toEqual(found);
});
