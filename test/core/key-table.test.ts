import { describe, expect, it } from "vitest";
import { KeyTable } from "#core/key-table";
import { fc } from "../support/random.ts";

describe("KeyTable", () => {
  // "Aa" and "BB" have one hash, and so has every sequence of them of one length.
  const key = fc.array(fc.constantFrom("Aa", "BB"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));

  it("is a map of strings, also where hashes collide", () => {
    const step = fc.record({ kind: fc.constantFrom("set", "set", "delete"), key, value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new KeyTable<{ readonly key: string; readonly value: number }>();
        const model = new Map<string, number>();
        for (const { kind, key, value } of steps) {
          if (kind === "set") {
            table.set({ key, value });
            model.set(key, value);
          } else {
            table.delete(key);
            model.delete(key);
          }
          for (const each of steps) expect(table.get(each.key)?.value).toBe(model.get(each.key));
        }
      }),
    );
  });
});
