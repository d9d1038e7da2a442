import { describe, expect, it } from "vitest";
import { parseJsonPath } from "#sandbox/apiserver/jsonpath";
import { applyDefaults, prune, validateSchema } from "#sandbox/apiserver/schema";
import type { Json, JsonValue } from "#sandbox/kinds/definition";

const schema: Json = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
        mode: { type: "string", enum: ["a", "b"], default: "a" },
        count: { type: "integer", minimum: 1, maximum: 9 },
        list: {
          type: "array",
          maxItems: 2,
          items: { type: "object", properties: { on: { type: "boolean", default: true } } },
        },
        port: { "x-kubernetes-int-or-string": true },
        free: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: { known: { type: "object", properties: {} } },
        },
        labels: { type: "object", additionalProperties: { type: "string" } },
        set: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        maybe: { type: "string", nullable: true },
      },
    },
  },
};

describe("a structural schema", () => {
  it("drops unknown members, keeps them where the schema says so, and prunes inside what it knows", () => {
    const pruned = prune(
      {
        apiVersion: "v1",
        kind: "K",
        metadata: { name: "x" },
        extra: 1,
        spec: { name: "ab", typo: 1, free: { any: { thing: 1 }, known: { gone: 1 } }, labels: { k: "v" } },
      },
      schema,
      true,
    );
    expect(pruned).toEqual({
      apiVersion: "v1",
      kind: "K",
      metadata: { name: "x" },
      spec: { name: "ab", free: { any: { thing: 1 }, known: {} }, labels: { k: "v" } },
    });
  });

  it("fills in defaults, also in list elements, and treats null as absent unless nullable", () => {
    const filled = applyDefaults({ spec: { name: "ab", mode: null, list: [{}, { on: false }], maybe: null } }, schema);
    expect(filled).toEqual({ spec: { name: "ab", mode: "a", list: [{ on: true }, { on: false }], maybe: null } });
  });

  const rows: { name: string; spec: JsonValue; want: string }[] = [
    { name: "a missing member", spec: {}, want: "spec.name: Required value" },
    {
      name: "a wrong type",
      spec: { name: true },
      want: 'spec.name: Invalid value: "boolean": spec.name in body must be of type string: "boolean"',
    },
    {
      name: "a value outside the enum",
      spec: { name: "ab", mode: "c" },
      want: 'spec.mode: Unsupported value: "c": supported values: "a", "b"',
    },
    {
      name: "too short a text",
      spec: { name: "a" },
      want: 'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long',
    },
    {
      name: "a text off the pattern",
      spec: { name: "A1" },
      want: "spec.name: Invalid value: \"A1\": spec.name in body should match '^[a-z]+$'",
    },
    {
      name: "too small a number",
      spec: { name: "ab", count: 0 },
      want: "spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1",
    },
    {
      name: "a fraction for an integer",
      spec: { name: "ab", count: 1.5 },
      want: 'spec.count: Invalid value: "number": spec.count in body must be of type integer: "number"',
    },
    {
      name: "too many items",
      spec: { name: "ab", list: [{}, {}, {}] },
      want: "spec.list: Too many: 3: must have at most 2 items",
    },
    {
      name: "a wrong type in a list",
      spec: { name: "ab", list: [3] },
      want: 'spec.list[0]: Invalid value: "integer": spec.list[0] in body must be of type object: "integer"',
    },
    { name: "a duplicate in a set", spec: { name: "ab", set: ["x", "x"] }, want: 'spec.set[1]: Duplicate value: "x"' },
    {
      name: "neither number nor text",
      spec: { name: "ab", port: true },
      want: 'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    },
  ];
  it.each(rows)("refuses $name in the server's words", ({ spec, want }) => {
    const causes = validateSchema({ spec }, schema);
    expect(causes.map(({ field, message }) => `${field}: ${message}`)).toEqual([want]);
  });

  it("accepts what is right", () => {
    expect(
      validateSchema({ spec: { name: "abc", port: "http", maybe: null, labels: { a: "b" }, count: 9 } }, schema),
    ).toEqual([]);
  });
});

describe("a printer column's path", () => {
  const object = {
    a: { b: [1, 2], "c.d": "x" },
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Other", status: "False" },
    ],
  };
  const rows: [string, unknown[]][] = [
    [".a.b", [[1, 2]]],
    [".a.b[0]", [1]],
    [".a.b[-1]", [2]],
    [".a.b[*]", [1, 2]],
    [".a['c.d']", ["x"]],
    [".a.c\\.d", ["x"]],
    ['.conditions[?(@.type=="Ready")].status', ["True"]],
    [".nope.more", []],
  ];
  it.each(rows)("%s", (path, want) => {
    expect(parseJsonPath(path)?.(object)).toEqual(want);
  });
  it("cannot read gibberish", () => {
    expect(parseJsonPath("a b[")).toBeUndefined();
  });
});
