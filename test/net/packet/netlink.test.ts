import { describe, expect, it } from "vitest";
import { LinkTable } from "#net/packet/link-table";
import { dumpRequest, type NetLink, parseNetlink } from "#net/packet/netlink";
import { fc } from "../../support/random.ts";

const NEW_LINK = 16;
const DEL_LINK = 17;
const NEW_ADDRESS = 20;
const UP = 0x1 | 0x2 | 0x40 | 0x10000;

const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
const pad = (octets: readonly number[]) => [...octets, ...Array<number>((4 - (octets.length % 4)) % 4).fill(0)];
const attribute = (type: number, value: readonly number[]) => pad([...u16(4 + value.length), ...u16(type), ...value]);
const message = (type: number, flags: number, body: readonly number[]) =>
  pad([...u32(16 + body.length), ...u16(type), ...u16(flags), ...u32(1), ...u32(0), ...body]);
const textOf = (text: string) => [...Buffer.from(`${text}\0`)];
const MAC = [0x02, 0xbe, 0, 0, 0, 0x11];

function link(
  index: number,
  name: string,
  more: {
    family?: number;
    type?: number;
    flags?: number;
    mac?: readonly number[];
    master?: number;
    kind?: number;
  } = {},
): number[] {
  const { family = 0, type = 1, flags = UP, mac = MAC, master = 0, kind = NEW_LINK } = more;
  return message(kind, 0, [
    ...[family, 0, ...u16(type), ...u32(index), ...u32(flags), ...u32(0)],
    ...attribute(3, textOf(name)),
    ...attribute(1, mac),
    ...(master === 0 ? [] : attribute(10, u32(master))),
  ]);
}
const address = (index: number, family: 2 | 10, octets: readonly number[]) =>
  message(NEW_ADDRESS, 0, [family, 24, 0, 0, ...u32(index), ...attribute(1, octets)]);
const done = (flags = 2) => message(3, flags, u32(0));
const parse = (...octets: readonly number[]) => parseNetlink(Uint8Array.from(octets));

function tableOf(excluded: readonly RegExp[], ...datagrams: readonly (readonly number[])[]): LinkTable {
  const table = new LinkTable(excluded);
  table.beginDump();
  for (const datagram of datagrams) for (const one of parse(...datagram)) table.apply(one);
  table.endDump();
  return table;
}

describe("parseNetlink", () => {
  it("reads an interface: index, name, type, flags, MAC and master", () => {
    const want: NetLink = { index: 7, name: "eth0", type: 1, flags: UP, mac: "02:be:00:00:00:11", master: 3 };
    expect(parse(...link(7, "eth0", { master: 3 }))).toEqual([{ kind: "link", link: want }]);
  });

  it("reads several messages of one datagram", () => {
    expect(parse(...link(1, "a"), ...link(2, "bcd"), ...done()).map(({ kind }) => kind)).toEqual([
      "link",
      "link",
      "done",
    ]);
  });

  it("reads addresses of both families, ours where there is a peer", () => {
    const peer = message(NEW_ADDRESS, 0, [
      ...[2, 32, 0, 0, ...u32(5)],
      ...attribute(1, [10, 0, 0, 2]),
      ...attribute(2, [10, 0, 0, 1]),
    ]);
    const v6 = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1];
    expect(parse(...address(4, 2, [192, 0, 2, 11]), ...address(4, 10, v6), ...peer)).toEqual([
      { kind: "address", index: 4, address: "192.0.2.11" },
      { kind: "address", index: 4, address: "2001:db8::1" },
      { kind: "address", index: 5, address: "10.0.0.1" },
    ]);
  });

  it("tells an interface that is gone from a port that left its bridge", () => {
    expect(parse(...link(7, "eth0", { kind: DEL_LINK }))).toEqual([{ kind: "link_gone", index: 7 }]);
    expect(parse(...link(7, "eth0", { kind: DEL_LINK, family: 7 }))).toEqual([]);
  });

  it("says when an answer must be asked for again", () => {
    expect(parse(...done())).toEqual([{ kind: "done", complete: true }]);
    expect(parse(...done(0x12))).toEqual([{ kind: "done", complete: false }]);
    expect(parse(...message(2, 0, u32(0xfffffff0)))).toEqual([{ kind: "done", complete: false }]);
  });

  it("never throws, whatever comes", () => {
    const good = Uint8Array.from([...link(7, "eth0", { master: 3 }), ...address(7, 2, [192, 0, 2, 11]), ...done()]);
    const mutated = fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 6 }).chain((changes) =>
      fc.nat(good.byteLength).map((length) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return bytes.subarray(0, length);
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        const table = new LinkTable([]);
        for (const one of parseNetlink(bytes)) table.apply(one);
        table.links();
      }),
      { numRuns: 3000 },
    );
  });

  it("asks for links and for addresses", () => {
    expect([...dumpRequest("links")].slice(0, 8)).toEqual([...u32(32), ...u16(18), ...u16(0x301)]);
    expect([...dumpRequest("addresses")].slice(0, 8)).toEqual([...u32(24), ...u16(22), ...u16(0x301)]);
  });
});

describe("LinkTable", () => {
  it.each([
    ["loopback", { flags: UP | 0x8, type: 772 }, "loopback"],
    ["a point-to-point interface", { flags: UP | 0x10, type: 65534 }, "point_to_point"],
    ["a tunnel", { type: 768, mac: [10, 0, 0, 1] }, "not_ethernet"],
    ["Ethernet without broadcast", { flags: UP & ~0x2 }, "not_ethernet"],
    ["one without ARP", { flags: UP | 0x80 }, "no_arp"],
    ["a member of a bridge or bond", { master: 9 }, "member"],
    ["an ordinary one", {}, undefined],
  ] as const)("says why %s is skipped", (_name, more, skipped) => {
    expect(tableOf([], link(2, "x0", more)).links()[0]?.skipped).toBe(skipped);
  });

  it.each([
    ["has carrier", UP, true],
    ["has no carrier", UP & ~0x40, false],
    ["was set down", UP & ~0x1, false],
  ])("takes an interface that %s for what it is", (_name, flags, up) => {
    expect(tableOf([], link(2, "eth0", { flags })).links()[0]?.up).toBe(up);
  });

  it("leaves out what is excluded by name, and orders by index", () => {
    const table = tableOf([/^veth.*/, /^lo$/], link(3, "eth1"), link(2, "veth12"), link(1, "lo"), link(2, "lo0"));
    expect(table.links().map(({ name }) => name)).toEqual(["lo0", "eth1"]);
  });

  it("knows a changed MAC, name, address, and an interface that went and came back", () => {
    const table = tableOf([], link(2, "eth0"), address(2, 2, [192, 0, 2, 11]));
    const apply = (octets: readonly number[]) => {
      for (const one of parse(...octets)) table.apply(one);
      return table.links();
    };
    expect(table.links()[0]?.addresses).toEqual(["192.0.2.11"]);
    expect(apply(link(2, "lan0", { mac: [2, 0, 0, 0, 0, 1] }))[0]).toMatchObject({
      name: "lan0",
      mac: "02:00:00:00:00:01",
    });
    expect(apply(link(2, "lan0", { kind: DEL_LINK }))).toEqual([]);
    expect(apply(link(9, "lan0"))).toMatchObject([{ index: 9, name: "lan0", addresses: [] }]);
  });

  it("forgets what did not come again after messages were lost", () => {
    const table = tableOf([], link(2, "eth0"), link(3, "eth1"), address(3, 2, [192, 0, 2, 11]));
    table.beginDump();
    for (const one of parse(...link(3, "eth1"))) table.apply(one);
    table.endDump();
    expect(table.links()).toMatchObject([{ name: "eth1", addresses: [] }]);
  });
});
