import { describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { applyJsonPatch } from "#sandbox/apiserver/json-patch";
import { applyMergePatch } from "#sandbox/apiserver/merge-patch";
import { applyStrategicPatch, mergeKeysOf } from "#sandbox/apiserver/strategic-patch";
import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { fc } from "../../support/random.ts";

const document: Json = { spec: { ports: [{ port: 80 }, { port: 443 }], name: "a", "x/y~z": 1 } };

describe("a JSON patch", () => {
  const rows: { name: string; patch: unknown; want: JsonValue }[] = [
    { name: "adds a member", patch: [{ op: "add", path: "/spec/b", value: 1 }], want: 1 },
    { name: "replaces a member", patch: [{ op: "replace", path: "/spec/name", value: "b" }], want: "b" },
  ];
  it.each(rows)("$name", ({ patch, want }) => {
    expect(JSON.stringify(applyJsonPatch(document, patch))).toContain(JSON.stringify(want));
  });

  it("inserts into and appends to lists", () => {
    const patched = applyJsonPatch(document, [
      { op: "add", path: "/spec/ports/0", value: 1 },
      { op: "add", path: "/spec/ports/-", value: 2 },
    ]);
    expect(patched).toMatchObject({ spec: { ports: [1, { port: 80 }, { port: 443 }, 2] } });
  });

  it("unescapes ~0 and ~1, moves, copies, tests and removes", () => {
    const patched = applyJsonPatch(document, [
      { op: "test", path: "/spec/x~1y~0z", value: 1 },
      { op: "move", from: "/spec/x~1y~0z", path: "/moved" },
      { op: "copy", from: "/spec/ports/1", path: "/copied" },
      { op: "remove", path: "/spec/ports/0" },
    ]);
    expect(patched).toEqual({ spec: { ports: [{ port: 443 }], name: "a" }, moved: 1, copied: { port: 443 } });
  });

  const refused: { name: string; patch: unknown; code: number }[] = [
    { name: "removing what is not there", patch: [{ op: "remove", path: "/spec/nope" }], code: 422 },
    { name: "a failed test", patch: [{ op: "test", path: "/spec/name", value: "z" }], code: 422 },
    { name: "an index beyond the list", patch: [{ op: "add", path: "/spec/ports/9", value: 1 }], code: 422 },
    { name: "a path into a text", patch: [{ op: "add", path: "/spec/name/x", value: 1 }], code: 422 },
    { name: "something that is no list", patch: { op: "add" }, code: 400 },
    { name: "an unknown operation", patch: [{ op: "frob", path: "/spec" }], code: 400 },
    { name: "an operation without a path", patch: [{ op: "add", value: 1 }], code: 400 },
  ];
  it.each(refused)("refuses $name", ({ patch, code }) => {
    expect(() => applyJsonPatch(document, patch)).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code }) }),
    );
  });

  it("never changes its input and fails only with a Status, whatever the patch", () => {
    const before = JSON.stringify(document);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "x"),
            path: fc.constantFrom(
              "",
              "/",
              "/spec",
              "/spec/ports",
              "/spec/ports/0",
              "/spec/ports/-",
              "/__proto__/x",
              "no",
            ),
            from: fc.constantFrom("", "/spec", "/spec/ports/1", "/nope"),
            value: fc.jsonValue(),
          }),
          { maxLength: 5 },
        ),
        (patch) => {
          try {
            applyJsonPatch(document, patch);
          } catch (thrown) {
            expect(thrown instanceof Fault).toBe(true);
          }
          expect(JSON.stringify(document)).toBe(before);
          expect("x" in {}).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a merge patch", () => {
  it("does what RFC 7386 says, by its own examples", () => {
    const rows: [JsonValue, JsonValue, JsonValue][] = [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [
        ["a", "b"],
        ["c", "d"],
        ["c", "d"],
      ],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ];
    for (const [target, patch, result] of rows) expect(applyMergePatch(target, patch)).toEqual(result);
  });

  it("applied twice is the same as once", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const once = applyMergePatch(target as JsonValue, patch as JsonValue);
        expect(applyMergePatch(once, patch as JsonValue)).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });
});

const keys = mergeKeysOf({
  "spec.containers": "name",
  "spec.containers.*.env": "name",
  "spec.ports": "port",
  "spec.args": "",
});
const strategic = (now: Json, patch: Json) => applyStrategicPatch(now, patch, keys);

describe("a strategic merge patch", () => {
  const rows: { name: string; now: Json; patch: Json; want: Json }[] = [
    {
      name: "merges list elements by their key, at any depth",
      now: { spec: { containers: [{ name: "a", image: "x", env: [{ name: "E", value: "1" }] }, { name: "b" }] } },
      patch: { spec: { containers: [{ name: "a", env: [{ name: "F", value: "2" }] }] } },
      want: {
        spec: {
          containers: [
            {
              name: "a",
              image: "x",
              env: [
                { name: "E", value: "1" },
                { name: "F", value: "2" },
              ],
            },
            { name: "b" },
          ],
        },
      },
    },
    {
      name: "deletes a list element by $patch: delete",
      now: { spec: { ports: [{ port: 80 }, { port: 443 }] } },
      patch: { spec: { ports: [{ $patch: "delete", port: 80 }] } },
      want: { spec: { ports: [{ port: 443 }] } },
    },
    {
      name: "replaces a list by $patch: replace",
      now: { spec: { ports: [{ port: 80 }, { port: 443 }] } },
      patch: { spec: { ports: [{ $patch: "replace" }, { port: 1 }] } },
      want: { spec: { ports: [{ port: 1 }] } },
    },
    {
      name: "replaces and deletes objects by $patch",
      now: { a: { x: 1, y: 2 }, b: { z: 1 } },
      patch: { a: { $patch: "replace", y: 3 }, b: { $patch: "delete" } },
      want: { a: { y: 3 } },
    },
    {
      name: "replaces a list without a key",
      now: { spec: { other: [1, 2] } },
      patch: { spec: { other: [3] } },
      want: { spec: { other: [3] } },
    },
    {
      name: "adds to and deletes from sets of primitives",
      now: { spec: { args: ["a", "b"] } },
      patch: { spec: { args: ["c", "b"], "$deleteFromPrimitiveList/args": ["a"] } },
      want: { spec: { args: ["b", "c"] } },
    },
    {
      name: "orders elements as $setElementOrder says",
      now: { spec: { ports: [{ port: 1 }, { port: 2 }, { port: 3 }] } },
      patch: { spec: { "$setElementOrder/ports": [{ port: 3 }, { port: 1 }, { port: 2 }] } },
      want: { spec: { ports: [{ port: 3 }, { port: 1 }, { port: 2 }] } },
    },
    {
      name: "drops what $retainKeys does not name",
      now: { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } },
      patch: { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
      want: { spec: { strategy: { type: "Recreate" } } },
    },
    {
      name: "removes a member by null and finalizers by their list",
      now: { metadata: { labels: { a: "1", b: "2" }, finalizers: ["x", "y"] } },
      patch: { metadata: { labels: { a: null }, "$deleteFromPrimitiveList/finalizers": ["x"] } },
      want: { metadata: { labels: { b: "2" }, finalizers: ["y"] } },
    },
  ];
  it.each(rows)("$name", ({ now, patch, want }) => {
    const before = structuredClone(now);
    expect(strategic(now, patch)).toEqual(want);
    expect(now).toEqual(before);
  });

  it("refuses an element without its key and an unknown directive", () => {
    expect(() => strategic({}, { spec: { ports: [{ name: "x" }] } })).toThrow(
      "does not contain declared merge key: port",
    );
    expect(() => strategic({}, { spec: { $patch: "frob" } })).toThrow("unknown $patch directive");
  });
});
