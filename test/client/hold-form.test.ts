import { describe, expect, it } from "vitest";
import { HOLD_TIMES, holdOf } from "#client/hold-form";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0, 500);

describe("the hold form asks for an AddressHold", () => {
  it.each([
    ["named after its first address", "127.77.10.5", 0, "hold-127-77-10-5", ["127.77.10.5"], null],
    ["of a range", " 127.77.10.5 - 127.77.10.9 ", 0, "hold-127-77-10-5", ["127.77.10.5-127.77.10.9"], null],
    ["of several", "10.0.0.1, 10.0.0.4", 0, "hold-10-0-0-1", ["10.0.0.1", "10.0.0.4"], null],
    ["of IPv6, with a name that Kubernetes accepts", "2001:DB8::", 0, "hold-2001-db8", ["2001:DB8::"], null],
    ["that ends by itself, in whole seconds", "10.0.0.1", 1, "hold-10-0-0-1", ["10.0.0.1"], "2026-11-22T13:00:00Z"],
  ] as const)("%s", (_name, addresses, time, name, listed, expiry) => {
    expect(holdOf({ addresses, note: " DHCP ", time }, NOW)).toEqual({ name, addresses: listed, note: "DHCP", expiry });
  });

  it("for ever first of all, then ever longer", () => {
    const hours = HOLD_TIMES.map((one) => one.hours);
    expect(hours[0]).toBe(null);
    expect(hours.slice(1)).toEqual(hours.slice(1).toSorted((a, b) => Number(a) - Number(b)));
  });
});
