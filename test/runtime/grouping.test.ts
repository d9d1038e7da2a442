import { describe, expect, it } from "vitest";
import { Grouping } from "#runtime/grouping";
import { fc } from "../support/random.ts";

type Value = { readonly group: string | null; readonly id: number };

describe("Grouping", () => {
  it("has in each group what belongs there now, through any sequence of changes", () => {
    const step = fc.record({
      key: fc.constantFrom("k1", "k2", "k3", "k4"),
      value: fc.option(fc.record({ group: fc.constantFrom("a", "b", null), id: fc.nat() }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const grouping = new Grouping<Value>(({ group }) => group);
        const all = new Map<string, Value>();
        for (const { key, value } of steps) {
          const before = all.get(key);
          const touched = grouping.change(key, value, before);
          expect(touched.toSorted()).toEqual(
            [...new Set([before?.group, value?.group])].filter((group) => group != null).toSorted(),
          );
          if (value === undefined) all.delete(key);
          else all.set(key, value);
          for (const group of ["a", "b"]) {
            const want = [...all.values()].filter((each) => each.group === group);
            expect(new Set(grouping.of(group))).toEqual(new Set(want));
          }
        }
      }),
    );
  });
});
