import { describe, expect, it } from "vitest";
import { type AddressRange, type Family, rangesOverlap } from "#core/address";
import { RangeIndex } from "#core/range-index";
import { fc } from "../support/random.ts";

const range = fc
  .tuple(fc.constantFrom<Family>(4, 6), fc.bigInt(0n, 400n), fc.bigInt(0n, 12n))
  .map(([family, first, size]): AddressRange => {
    return { first: { family, value: first }, last: { family, value: first + size } };
  });

describe("RangeIndex", () => {
  it("finds an overlap exactly when a search through all ranges does", () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 60 }),
        fc.array(range, { maxLength: 20 }),
        fc.boolean(),
        (wanted, questions, bulk) => {
          const held: AddressRange[] = [];
          const index = new RangeIndex<number>();
          for (const one of wanted) {
            if (held.some((other) => rangesOverlap(other, one))) continue;
            if (bulk) index.addAll([one], held.length);
            else index.add(one, held.length);
            held.push(one);
          }
          for (const question of questions) {
            const found = index.overlap(question);
            expect(found !== undefined).toBe(held.some((other) => rangesOverlap(other, question)));
            if (found !== undefined) {
              expect(rangesOverlap(found.range, question)).toBe(true);
              expect(held[found.item]).toBe(found.range);
            }
          }
        },
      ),
    );
  });
});
