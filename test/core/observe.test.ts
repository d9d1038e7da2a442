import { describe, expect, it } from "vitest";
import { parseAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { observe, restate } from "#core/observe";
import { claimFor } from "#core/plan";
import { compile, type Over, pool, service } from "./allocation.ts";

const ADDRESS = "10.0.0.1";
const shares = (key: string, port = 80): Over => ({
  ingress: [ADDRESS],
  annotations: key === "" ? {} : { "metallb.io/allow-shared-ip": key },
  spec: { ports: [{ port }] },
});

const rows: readonly {
  readonly name: string;
  /** The Service before and after; undefined before: it has nothing. */
  readonly was?: Over;
  readonly is: Over;
  /** Who has the same address. */
  readonly beside?: Over;
  /** Whether somebody may get more than before, and whether one who shares "k" at port 80 finds a place. */
  readonly want: { readonly isNews: boolean; readonly hasRoom: boolean };
}[] = [
  {
    name: "who wants to share no longer is alone with its address at once",
    was: shares("k", 81),
    is: shares("", 81),
    want: { isNews: true, hasRoom: false },
  },
  {
    name: "a port that is asked for now is taken at once",
    was: shares("k", 81),
    is: shares("k", 80),
    want: { isNews: true, hasRoom: false },
  },
  {
    name: "a port that is given up is free at once",
    was: shares("k", 80),
    is: shares("k", 81),
    want: { isNews: true, hasRoom: true },
  },
  {
    name: "what says the same changes nothing",
    was: shares("k", 81),
    is: shares("k", 81),
    want: { isNews: false, hasRoom: true },
  },
  {
    name: "what does not fit beside who is there waits for its own plan",
    was: shares("k", 81),
    is: shares("", 81),
    beside: { ...shares("k", 82), name: "beside" },
    want: { isNews: false, hasRoom: true },
  },
  {
    name: "who has nothing takes nothing, whatever its status shows",
    is: shares("", 80),
    want: { isNews: false, hasRoom: true },
  },
];

describe("a Service that changed, before anything is decided on it", () => {
  it.each(rows)("$name", ({ was, is, beside, want }) => {
    const allocator = new Allocator();
    allocator.setPools(compile(pool("four", "10.0.0.0/30")));
    for (const other of [was, beside]) if (other !== undefined) observe(allocator, service(other));
    const isNews = restate(allocator.ledger, service(is));
    const newcomer = claimFor(service({ ...shares("k", 80), name: "newcomer", ingress: [] }), []);
    const hasRoom = allocator.ledger.conflict(parseAddress(ADDRESS), newcomer) === null;
    expect({ isNews, hasRoom }).toEqual(want);
  });

  it("keeps what is on its way out closed to others", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(pool("four", "10.0.0.0/30")));
    const moving = service(shares("k", 81));
    observe(allocator, moving);
    allocator.hold(moving, [parseAddress("10.0.0.2")], "untilWritten");
    restate(allocator.ledger, service(shares("", 81)));
    const newcomer = claimFor(service({ ...shares("k", 80), name: "newcomer", ingress: [] }), []);
    for (const address of [ADDRESS, "10.0.0.2"]) {
      expect(allocator.ledger.conflict(parseAddress(address), newcomer)?.holder).toBe("default/web");
    }
  });
});
