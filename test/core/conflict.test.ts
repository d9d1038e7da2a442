import { describe, expect, it } from "vitest";
import { formatAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import { compileHold, type HoldView } from "#core/holds";
import type { ServiceView } from "#core/service-view";
import { both, compile, dual, four, pool, service, share, text } from "./allocation.ts";

const MAC = "52:54:00:00:00:99";
const conflict = (addresses: string, reason: "conflict" | "reserved" = "conflict"): HoldView => {
  const expiry = "2026-12-24T18:00:00Z";
  const { view } = compileHold({
    name: "h",
    addresses: [addresses],
    reason,
    expiry,
    note: "",
    mac: MAC,
    node: "node-02",
  });
  if (view === null) throw new Error(addresses);
  return view;
};
const ask = (ip: string) => ({ annotations: { "metallb.io/loadBalancerIPs": ip } });
const full = ["10.0.0.1", "10.0.0.3"].map((ip, n) => service({ name: `other-${n}`, ingress: [ip] }));

const rows: readonly {
  name: string;
  asks: ServiceView;
  hold?: HoldView;
  others?: readonly ServiceView[];
  leaves?: "stays";
  want: string;
  says?: string;
}[] = [
  {
    name: "another address is given for one that another machine uses",
    asks: service({ ingress: ["10.0.0.2"] }),
    want: "assign 10.0.0.1 of four",
    says: `10.0.0.2 is set aside by AddressHold h: ${MAC} answers for it, seen by node-02`,
  },
  {
    name: "what is only reserved stays",
    asks: service({ ingress: ["10.0.0.2"] }),
    hold: conflict("10.0.0.2", "reserved"),
    want: "keep 10.0.0.2 of four",
  },
  {
    name: "an address that was asked for stays, and the reason is said",
    asks: service({ ingress: ["10.0.0.2"], ...ask("10.0.0.2") }),
    want: "keep 10.0.0.2 of four",
    says: `10.0.0.2 is set aside by AddressHold h: ${MAC} answers for it, seen by node-02; it stays: the Service asks for it`,
  },
  {
    name: "a pool that was asked for is kept to",
    asks: service({ ingress: ["10.0.0.2"], annotations: { "metallb.io/address-pool": "four" } }),
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "without another address it stays, and the reason is said",
    asks: service({ ingress: ["10.0.0.2"], annotations: { "metallb.io/address-pool": "four" } }),
    others: full,
    want: "keep 10.0.0.2 of four",
    says: `10.0.0.2 is set aside by AddressHold h: ${MAC} answers for it, seen by node-02; it stays: four: exhausted (3 of 3 in use)`,
  },
  {
    name: "nothing moves unless it may",
    asks: service({ ingress: ["10.0.0.2"] }),
    leaves: "stays",
    want: "keep 10.0.0.2 of four",
  },
  {
    name: "of two addresses the one in order stays",
    asks: service({ ingress: ["10.1.0.2", "2001:db8:1::2"], spec: { ...dual, ipFamilyPolicy: "RequireDualStack" } }),
    hold: conflict("10.1.0.2"),
    want: "assign 10.1.0.1,2001:db8:1::2 of mixed",
  },
  {
    name: "a shared address is left for one that the Service may share or have alone",
    asks: service({ ingress: ["10.0.0.2"], annotations: share, spec: { ports: [{ port: 443 }] } }),
    others: [service({ name: "a", ingress: ["10.0.0.1"], annotations: share })],
    want: "assign 10.0.0.1 of four",
  },
  {
    name: "a Service of another class is left alone",
    asks: service({ ingress: ["10.0.0.2"], spec: { loadBalancerClass: "x/y" } }),
    want: "ignore",
  },
];

describe("an address that another machine uses", () => {
  it.each(rows)("$name", ({ asks, hold = conflict("10.0.0.2"), others = [], leaves, want, says }) => {
    const allocator = new Allocator();
    allocator.setPools(compile(four, both));
    for (const each of [...others, asks]) if (each.held !== null) allocator.hold(each, each.held);
    allocator.setHolds([hold]);
    const plan = allocator.plan(asks, leaves ?? "mayLeave");
    expect(text(plan)).toBe(want);
    if (says !== undefined) {
      const said = plan.kind === "assign" ? plan.moved : plan.kind === "keep" ? plan.note?.sentence : "";
      expect(said).toBe(says);
    }
  });

  it("is left once: the same address again while the write is under way, and kept afterwards", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(pool("ten", "10.0.0.1-10.0.0.10")));
    const before = service({ ingress: ["10.0.0.5"] });
    allocator.hold(before, before.held ?? []);
    allocator.setHolds([conflict("10.0.0.5")]);
    const first = allocator.plan(before, "mayLeave");
    if (first.kind !== "assign") throw new Error(first.kind);
    allocator.hold(before, first.addresses, "untilWritten");
    expect(allocator.plan(before, "stays")).toEqual(first);
    const after = service({ ingress: first.addresses.map(formatAddress) });
    allocator.hold(after, first.addresses);
    expect(text(allocator.plan(after, "mayLeave"))).toBe("keep 10.0.0.1 of ten");
  });

  it("moves again when another machine uses the new one before it is written", () => {
    const allocator = new Allocator();
    allocator.setPools(compile(pool("ten", "10.0.0.1-10.0.0.10")));
    const before = service({ ingress: ["10.0.0.5"] });
    allocator.hold(before, before.held ?? []);
    allocator.setHolds([conflict("10.0.0.5")]);
    const first = allocator.plan(before, "mayLeave");
    if (first.kind !== "assign") throw new Error(first.kind);
    allocator.hold(before, first.addresses, "untilWritten");
    allocator.setHolds([conflict("10.0.0.5"), conflict("10.0.0.1")]);
    expect(text(allocator.plan(before, "mayLeave"))).toBe("assign 10.0.0.2 of ten");
  });
});
