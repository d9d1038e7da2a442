import { describe, expect, it } from "vitest";
import {
  type Address,
  electionText,
  formatAddress,
  formatRange,
  parseAddress,
  parseRange,
  rangeContains,
  rangeSize,
  rangesOverlap,
  tryParseAddress,
} from "#core/address";
import { Fault } from "#core/errors";
import { fc } from "../support/random.ts";

const canonical: readonly { name: string; text: string; want: string }[] = [
  { name: "keeps dotted decimal", text: "192.0.2.10", want: "192.0.2.10" },
  { name: "reads the highest IPv4 address", text: "255.255.255.255", want: "255.255.255.255" },
  { name: "lowers hexadecimal digits", text: "2001:DB8::A", want: "2001:db8::a" },
  { name: "drops leading zeros of groups", text: "2001:0db8:0000:0000:0000:0000:0000:0001", want: "2001:db8::1" },
  { name: "does not compress a single zero group", text: "2001:db8:0:1:1:1:1:1", want: "2001:db8:0:1:1:1:1:1" },
  { name: "compresses the longest run", text: "2001:0:0:1:0:0:0:1", want: "2001:0:0:1::1" },
  { name: "compresses the first of equal runs", text: "2001:db8:0:0:1:0:0:1", want: "2001:db8::1:0:0:1" },
  { name: "writes the unspecified address as ::", text: "0:0:0:0:0:0:0:0", want: "::" },
  { name: "compresses at the end", text: "fe80:0:0:0:0:0:0:0", want: "fe80::" },
  { name: "keeps the dotted tail of a mapped address", text: "::ffff:c000:20a", want: "::ffff:192.0.2.10" },
  { name: "reads a dotted tail anywhere RFC 4291 allows one", text: "64:ff9b::192.0.2.33", want: "64:ff9b::c000:221" },
  { name: "reads :: that stands for one group", text: "1:2:3::5:6:7:8", want: "1:2:3:0:5:6:7:8" },
];

const refused: readonly { name: string; text: string; says: string }[] = [
  { name: "an empty text", text: "", says: "an address is needed" },
  { name: "leading zeros, and says what to write", text: "10.0.0.01", says: "write 10.0.0.1" },
  { name: "blanks", text: " 10.0.0.1", says: "blanks" },
  { name: "an octet over 255", text: "10.0.0.256", says: "not an IP address" },
  { name: "three octets", text: "10.0.1", says: "not an IP address" },
  { name: "a sign", text: "10.0.0.-1", says: "not an IP address" },
  { name: "hexadecimal octets", text: "0x0a.0.0.1", says: "not an IP address" },
  { name: "two ::", text: "1::2::3", says: "not an IP address" },
  { name: "three colons", text: ":::", says: "not an IP address" },
  { name: "nine groups", text: "1:2:3:4:5:6:7:8:9", says: "not an IP address" },
  { name: "seven groups", text: "1:2:3:4:5:6:7", says: "not an IP address" },
  { name: "five digits in a group", text: "::12345", says: "not an IP address" },
  { name: "a zone", text: "fe80::1%eth0", says: "zone" },
  { name: "a dotted tail before the end", text: "::1.2.3.4:5", says: "not an IP address" },
  { name: ":: that stands for nothing", text: "1:2:3:4::5:6:7:8", says: "not an IP address" },
  { name: "a lone colon at the end", text: "1:2:3:4:5:6:7:", says: "not an IP address" },
];

describe("parseAddress", () => {
  it.each(canonical)("$name", ({ text, want }) => expect(formatAddress(parseAddress(text))).toBe(want));

  it.each(refused)("refuses $name", ({ text, says }) => {
    expect(tryParseAddress(text)).toBeNull();
    expect(() => parseAddress(text)).toThrow(says);
  });

  it("prints and reads back every address of both families", () => {
    const address: fc.Arbitrary<Address> = fc.oneof(
      fc.bigInt(0n, 2n ** 32n - 1n).map((value) => ({ family: 4 as const, value })),
      fc.bigInt(0n, 2n ** 128n - 1n).map((value) => ({ family: 6 as const, value })),
      // Few groups set: what compression is about.
      fc.array(fc.constantFrom(0n, 0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 }).map((groups) => ({
        family: 6 as const,
        value: groups.reduce<bigint>((sum, group) => (sum << 16n) | group, 0n),
      })),
    );
    fc.assert(
      fc.property(address, (given) => {
        expect(parseAddress(formatAddress(given))).toEqual(given);
      }),
    );
  });

  it("hashes an IPv4-mapped address as IPv4", () => {
    expect(electionText(parseAddress("::ffff:10.0.0.3"))).toBe("10.0.0.3");
    expect(electionText(parseAddress("1000::0003"))).toBe("1000::3");
  });
});

const ranges: readonly { name: string; text: string; want: string; size: bigint }[] = [
  { name: "a CIDR", text: "192.0.2.0/24", want: "192.0.2.0/24", size: 256n },
  { name: "a CIDR with host bits, masked off", text: "192.0.2.77/24", want: "192.0.2.0/24", size: 256n },
  { name: "a single address as /32", text: "192.0.2.7/32", want: "192.0.2.7/32", size: 1n },
  { name: "the whole of IPv4", text: "0.0.0.0/0", want: "0.0.0.0/0", size: 2n ** 32n },
  { name: "a range", text: "127.77.10.1-127.77.10.254", want: "127.77.10.1-127.77.10.254", size: 254n },
  { name: "blanks round dash and ends", text: "  192.0.2.1 -  192.0.2.2 ", want: "192.0.2.1-192.0.2.2", size: 2n },
  { name: "a range that is a CIDR, as one", text: "192.0.2.0-192.0.2.255", want: "192.0.2.0/24", size: 256n },
  { name: "an IPv6 /64", text: "2001:db8::/64", want: "2001:db8::/64", size: 2n ** 64n },
  { name: "an IPv6 range", text: "2001:db8::1-2001:db8::ff", want: "2001:db8::1-2001:db8::ff", size: 255n },
];

const badRanges: readonly { name: string; text: string; says: readonly string[] }[] = [
  { name: "a bare IPv4 address", text: "192.0.2.7", says: ["192.0.2.7/32"] },
  { name: "a bare IPv6 address", text: "2001:db8::7", says: ["2001:db8::7/128"] },
  {
    name: "an inverted range, naming both ends",
    text: "192.0.2.9-192.0.2.1",
    says: ["inverted", "192.0.2.1-192.0.2.9"],
  },
  { name: "mixed families, naming both ends", text: "192.0.2.1-2001:db8::1", says: ["mixes", "2001:db8::1"] },
  { name: "a prefix longer than the family", text: "192.0.2.0/33", says: ["0 to 32"] },
  { name: "no prefix", text: "192.0.2.0/", says: ["prefix length"] },
  { name: "a prefix with leading zero", text: "192.0.2.0/08", says: ["prefix length"] },
  { name: "leading zeros inside", text: "192.0.2.01-192.0.2.5", says: ["leading zero"] },
  { name: "words", text: "production", says: ["not an IP address"] },
  { name: "nothing", text: "  ", says: ["needed"] },
];

describe("parseRange", () => {
  it.each(ranges)("reads $name", ({ text, want, size }) => {
    const range = parseRange(text);
    expect(formatRange(range)).toBe(want);
    expect(rangeSize(range)).toBe(size);
    expect(parseRange(want)).toEqual(range);
  });

  it.each(badRanges)("refuses $name", ({ text, says }) => {
    const thrown = faultOf(() => parseRange(text));
    expect(thrown.code).toBe("invalid");
    for (const part of says) expect(thrown.message).toContain(part);
    expect(thrown.context.fix).toBeTruthy();
  });

  it("throws nothing but Fault for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abf.:/- ") }), (text) => {
        try {
          const range = parseRange(text);
          expect(rangeContains(range, range.first) && rangeContains(range, range.last)).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
    );
  });

  it("says two ranges overlap exactly when an address lies in both", () => {
    const small = fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }))
      .map(([a, b]) => parseRange(`10.0.0.${Math.min(a, b)}-10.0.0.${Math.max(a, b)}`));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const shared = Array.from({ length: 21 }, (_, i) => parseAddress(`10.0.0.${i}`)).some(
          (address) => rangeContains(a, address) && rangeContains(b, address),
        );
        expect(rangesOverlap(a, b)).toBe(shared);
      }),
    );
  });

  it("never lets families overlap", () => {
    expect(rangesOverlap(parseRange("0.0.0.0/0"), parseRange("::/0"))).toBe(false);
  });
});

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (thrown) {
    return Fault.from(thrown);
  }
  throw new Error("nothing was thrown");
}
