import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress, sameAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { poolContains } from "#core/pools";
import type { ServiceView } from "#core/service-view";
import { fc } from "../support/random.ts";
import { compile, pool, service } from "./allocation.ts";

describe("Allocator", () => {
  it("agrees with a naive model through any sequence of changes", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const step = fc.record({
      name: fc.constantFrom(...names),
      kind: fc.constantFrom("ask", "ask", "ask", "release", "pools"),
      key: fc.constantFrom("", "", "k", "l"),
      port: fc.constantFrom(80, 443),
      size: fc.integer({ min: 1, max: 6 }),
      start: fc.integer({ min: 0, max: 3 }),
      buggy: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const allocator = new Allocator();
        const held = new Map<string, { view: ServiceView; address: Address }>();
        let pools = compile(pool("p", "10.0.0.0-10.0.0.3"));
        allocator.setPools(pools);
        for (const { name, kind, key, port, size, start, buggy } of steps) {
          if (kind === "pools") {
            pools = compile(
              pool("p", [`10.0.0.${start}-10.0.0.${start + size}`, "10.0.1.9/32"], { avoidBuggyIPs: buggy }),
            );
            allocator.setPools(pools);
          } else if (kind === "release") {
            expect(allocator.release(`default/${name}`)).toBe(held.delete(name));
          } else {
            const before = held.get(name);
            const over = { name, annotations: { "metallb.io/allow-shared-ip": key }, spec: { ports: [{ port }] } };
            const view = service({ ...over, ingress: before === undefined ? [] : [formatAddress(before.address)] });
            const others = [...held].filter(([other]) => other !== name).map(([, entry]) => entry);
            const fits = (address: Address) =>
              pools.some((each) => poolContains(each, address)) &&
              others
                .filter((other) => sameAddress(other.address, address))
                .every(
                  ({ view: { sharingKey, ports } }) =>
                    key !== "" && sharingKey === key && !ports.includes(`TCP/${port}`),
                );
            const all = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].map((n) => parseAddress(`10.0.0.${n}`));
            const expected =
              before !== undefined && fits(before.address)
                ? before.address
                : [...all, parseAddress("10.0.1.9")].find(fits);
            const plan = allocator.plan(view);
            expect("addresses" in plan ? plan.addresses : []).toEqual(expected === undefined ? [] : [expected]);
            if (expected === undefined) {
              allocator.release(view.key);
              held.delete(name);
            } else {
              allocator.hold(view, [expected]);
              held.set(name, { view, address: expected });
            }
          }
          const used = new Set(
            [...held.values()]
              .map(({ address }) => address)
              .filter((a) => pools.some((p) => poolContains(p, a)))
              .map(formatAddress),
          );
          expect(allocator.ledger.inUse("p", 4)).toBe(used.size);
        }
      }),
      { numRuns: 300 },
    );
  });
});
