import { describe, expect, it } from "vitest";
import { ByAddress } from "#speaker/by-address";
import { fc } from "../support/random.ts";

const A = "192.0.2.1";
const B = "192.0.2.2";
const C = "192.0.2.3";

type Says = Readonly<Record<string, string>>;

interface Row {
  readonly says: string;
  /** In this order: a Service and what it says of its addresses. */
  readonly before: readonly (readonly [service: string, says: Says])[];
  readonly now: readonly [service: string, says: Says];
  readonly changed: readonly string[];
  readonly after: Readonly<Record<string, Says>>;
}

const rows: readonly Row[] = [
  { says: "a new Service", before: [], now: ["web", { [A]: "x" }], changed: [A], after: { [A]: { web: "x" } } },
  {
    says: "a second Service that shares the address",
    before: [["web", { [A]: "x" }]],
    now: ["dns", { [A]: "y" }],
    changed: [A],
    after: { [A]: { web: "x", dns: "y" } },
  },
  {
    says: "nothing when the same is said again",
    before: [["web", { [A]: "x", [B]: "x" }]],
    now: ["web", { [B]: "x", [A]: "x" }],
    changed: [],
    after: { [A]: { web: "x" }, [B]: { web: "x" } },
  },
  {
    says: "only the address of which something else is said",
    before: [["web", { [A]: "x", [B]: "x" }]],
    now: ["web", { [A]: "x", [B]: "y" }],
    changed: [B],
    after: { [A]: { web: "x" }, [B]: { web: "y" } },
  },
  {
    says: "the address that was lost before the one that was gained",
    before: [["web", { [A]: "x", [B]: "x" }]],
    now: ["web", { [C]: "x", [B]: "x" }],
    changed: [A, C],
    after: { [B]: { web: "x" }, [C]: { web: "x" } },
  },
  {
    says: "a Service that is gone, and not the one that shared with it",
    before: [
      ["web", { [A]: "x", [B]: "x" }],
      ["dns", { [A]: "y" }],
    ],
    now: ["web", {}],
    changed: [A, B],
    after: { [A]: { dns: "y" } },
  },
  { says: "nothing of a Service that was never there", before: [], now: ["web", {}], changed: [], after: {} },
];

const mapOf = (says: Says) => new Map(Object.entries(says));
const contents = (book: ByAddress<string>) =>
  Object.fromEntries([...book].map(([address, said]) => [address, Object.fromEntries(said)]));

describe("what Services say of their addresses takes in", () => {
  it.each(rows)("$says", ({ before, now: [service, says], changed, after }) => {
    const book = new ByAddress<string>();
    for (const [key, said] of before) book.set(key, mapOf(said));
    expect(book.set(service, mapOf(says))).toEqual(changed);
    expect(contents(book)).toEqual(after);
    expect(Object.fromEntries(book.of(service))).toEqual(says);
  });

  it("any history: by address is what each Service said last, and every difference was named", () => {
    const says = fc.dictionary(fc.constantFrom(A, B, C), fc.constantFrom("x", "y"), { noNullPrototype: true });
    const history = fc.array(fc.tuple(fc.constantFrom("web", "dns", "mail"), says));
    fc.assert(
      fc.property(history, (turns) => {
        const book = new ByAddress<string>();
        const last = new Map<string, Says>();
        for (const [service, now] of turns) {
          const before = last.get(service) ?? {};
          last.set(service, now);
          const changed = book.set(service, mapOf(now));
          for (const address of [A, B, C]) {
            expect(changed.includes(address)).toBe(before[address] !== now[address]);
            const expected = [...last].filter(([, said]) => said[address] !== undefined);
            const named = Object.fromEntries(expected.map(([key, said]) => [key, said[address]]));
            expect(Object.fromEntries(book.at(address))).toEqual(named);
            expect(Object.hasOwn(contents(book), address)).toBe(expected.length > 0);
          }
        }
      }),
    );
  });
});
