import { describe, expect, it } from "vitest";
import {
  difference,
  type FieldSet,
  intersection,
  LEAF,
  node,
  pathsOf,
  pathText,
  readFieldSet,
  union,
  withoutPath,
} from "#sandbox/apiserver/managed-fields/field-set";
import { fc } from "../../../support/random.ts";

const element = fc.constantFrom("f:a", "f:b", "f:spec", 'k:{"name":"x"}', 'v:"y"');
const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 });

function setOf(all: readonly (readonly string[])[]): FieldSet | undefined {
  return all.reduce<FieldSet | undefined>((set, path) => union(set, single(path)), undefined);
}

function single([first, ...rest]: readonly string[]): FieldSet | undefined {
  if (first === undefined) return LEAF;
  return node(false, [[first, single(rest) ?? LEAF]]);
}

const texts = (set: FieldSet | undefined) =>
  pathsOf(set)
    .map((path) => path.join("/"))
    .sort();
const unique = (all: readonly (readonly string[])[]) => [...new Set(all.map((path) => path.join("/")))].sort();

describe("sets of fields", () => {
  it("are sets of paths: union, difference and intersection are those of the paths", () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [left, right] = [setOf(a), setOf(b)];
        const [inA, inB] = [unique(a), unique(b)];
        expect(texts(left)).toEqual(inA);
        expect(texts(union(left, right))).toEqual([...new Set([...inA, ...inB])].sort());
        expect(texts(difference(left, right))).toEqual(inA.filter((path) => !inB.includes(path)));
        expect(texts(intersection(left, right))).toEqual(inA.filter((path) => inB.includes(path)));
      }),
    );
  });

  it("come back from their JSON as they were, and stay the same value where nothing changes", () => {
    fc.assert(
      fc.property(paths, (all) => {
        const set = setOf(all);
        expect(readFieldSet(JSON.parse(JSON.stringify(set ?? {})))).toEqual(set ?? LEAF);
        expect(difference(set, { "f:elsewhere": LEAF })).toBe(set);
        expect(union(set, set)).toBe(set);
      }),
    );
  });

  it("lose a path with everything below it", () => {
    const set = setOf([["f:metadata", "f:name"], ["f:metadata", "f:labels", "f:a"], ["f:spec"]]);
    expect(texts(withoutPath(set, ["f:metadata", "f:labels"]))).toEqual(["f:metadata/f:name", "f:spec"]);
  });

  it.each([
    [["f:spec", "f:replicas"], ".spec.replicas"],
    [
      ["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:targetPort"],
      '.spec.ports[port=80,protocol="TCP"].targetPort',
    ],
    [["f:metadata", "f:finalizers", 'v:"a/b"'], '.metadata.finalizers[="a/b"]'],
    [["f:list", "i:3"], ".list[3]"],
  ])("%j reads %s", (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it.each([
    [{ "x:a": {} }],
    [{ "k:nonsense": {} }],
    [{ "k:[]": {} }],
    [{ "i:1.5": {} }],
    [{ "f:a": 1 }],
    [{ "f:a": [] }],
    ["text"],
    [null],
    [Array.from({ length: 200 }).reduce<object>((inner) => ({ "f:a": inner }), {})],
  ])("%j is no set", (value) => {
    expect(readFieldSet(value)).toBeUndefined();
  });
});
