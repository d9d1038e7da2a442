import { describe, expect, it } from "vitest";
import { type Flow, listRequest, parseConntrack, removeRequest } from "#net/conntrack/ctnetlink";
import { forgottenBy } from "#net/conntrack/flow-rule";
import { fc } from "../../support/random.ts";

const octets = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
const attribute = (type: number, ...value: readonly number[]) => {
  const all = [...u16(4 + value.length), ...u16(type), ...value];
  return [...all, ...Array<number>((4 - (all.length % 4)) % 4).fill(0)];
};
const message = (type: number, flags: number, body: readonly number[]) => [
  ...[...u32(16 + body.length), ...u16(type), ...u16(flags), ...u32(1), ...u32(0)],
  ...body,
];
const parse = (...bytes: readonly number[]) => parseConntrack(Uint8Array.from(bytes));

// From 0.0.0.0:4000 to 10.9.9.9:53, translated to 127.0.0.1:5353: as Linux 6.18 wrote it.
const WRITTEN = octets(`
  a4000000 0001 0200 01000000 bb490000 02000000
  34000180 14000180 0800010000000000 080002000a090909 1c000280 0500010011000000 060002000fa00000 0600030000350000
  34000280 14000180 080001007f000001 0800020000000000 1c000280 0500010011000000 0600020014e90000 060003000fa00000
  08000300000001a8 0800080000000000 08000c00101abcf9 08000b0000000001 080007000000001d`);
const ENDED = octets("14000000 0300 0200 01000000 bb490000 00000000");
const TUPLE = [...WRITTEN.subarray(20, 72)];
const ID = [...octets("08000c00101abcf9")];

const V6_TO = [0xfd, 0x77, ...Array<number>(11).fill(0), 0x0a, 0, 1];
const V6_POD = [0xfd, 0x77, 2, 0x44, ...Array<number>(11).fill(0), 9];
const end = (number: number, source: number, target: number) => [
  ...attribute(1, number),
  ...attribute(2, source >> 8, source & 255),
  ...attribute(3, target >> 8, target & 255),
];
const tuple = (type: number, source: readonly number[], target: readonly number[], ports: readonly number[]) =>
  attribute(
    type | 0x8000,
    ...attribute(1 | 0x8000, ...attribute(3, ...source), ...attribute(4, ...target)),
    ...attribute(2 | 0x8000, ...ports),
  );
const sixth = (number = 17) =>
  message(0x100, 2, [
    ...[10, 0, 0, 0],
    ...tuple(1, V6_POD, V6_TO, end(number, 40_000, 53)),
    ...tuple(2, V6_POD, V6_TO, end(number, 5_353, 40_000)),
    ...attribute(18, 0, 7),
  ]);
const onlyFlow = (bytes: Uint8Array): Flow => {
  const [first] = parseConntrack(bytes);
  if (first?.kind !== "flow") throw new Error("no flow");
  return first.flow;
};

describe("ctnetlink", () => {
  it("reads where a flow was sent and who answers, as the kernel writes it", () => {
    expect(parse(...WRITTEN, ...ENDED)).toEqual([
      {
        kind: "flow",
        flow: expect.objectContaining({
          to: { address: "10.9.9.9", port: 53 },
          answeredBy: { address: "127.0.0.1", port: 5353 },
        }),
      },
      { kind: "done", complete: true },
    ]);
  });

  it("reads flows of IPv6", () => {
    expect(onlyFlow(Uint8Array.from(sixth()))).toMatchObject({
      to: { address: "fd77::a:1", port: 53 },
      answeredBy: { address: "fd77:244::9", port: 5353 },
    });
  });

  it("removes exactly the entry that was read: by its tuple as it came, its id and its zone", () => {
    expect([...removeRequest(onlyFlow(WRITTEN))]).toEqual([
      ...[...u32(16 + 4 + 52 + 8), ...u16(0x102), ...u16(0x5), ...u32(1), ...u32(0)],
      ...[2, 0, 0, 0],
      ...TUPLE,
      ...ID,
    ]);
    expect([...removeRequest(onlyFlow(Uint8Array.from(sixth())))].slice(-8)).toEqual(attribute(18, 0, 7));
  });

  it("keeps what names an entry when the buffer it came in is used again", () => {
    const buffer = WRITTEN.slice();
    const flow = onlyFlow(buffer);
    const before = removeRequest(flow);
    buffer.fill(0xff);
    expect(removeRequest(flow)).toEqual(before);
  });

  it("asks for the entries of both families", () => {
    expect([...listRequest()]).toEqual(message(0x101, 0x301, [0, 0, 0, 0]));
  });

  it.each([
    ["a flow that is not UDP", sixth(6), []],
    ["an entry without its answer", message(0x100, 2, [2, 0, 0, 0, ...TUPLE]), []],
    ["a family that is none of the two", [...WRITTEN.subarray(0, 16), 7, ...WRITTEN.subarray(17)], []],
    ["what another part of netfilter says", message(0x200, 2, [2, 0, 0, 0, ...TUPLE]), []],
  ])("leaves out %s", (_what, bytes, expected) => {
    expect(parse(...bytes)).toEqual(expected);
  });

  it.each([
    ["success", message(2, 0, [...u32(0), ...Array<number>(16).fill(0)]), { kind: "result", errno: 0 }],
    [
      "an error's number",
      message(2, 0, [...u32(-2 >>> 0), ...Array<number>(16).fill(0)]),
      { kind: "result", errno: 2 },
    ],
    ["an end that came of a table that changed", message(3, 0x12, u32(0)), { kind: "done", complete: false }],
  ])("reads %s", (_what, bytes, expected) => {
    expect(parse(...bytes)).toEqual([expected]);
  });

  it("never throws, whatever comes, and what it makes of it can be asked for", () => {
    const good = Uint8Array.from([...WRITTEN, ...sixth(), ...ENDED]);
    const mutated = fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 8 }).chain((changes) =>
      fc.nat(good.byteLength).map((length) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return bytes.subarray(0, length);
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        for (const one of parseConntrack(bytes)) {
          if (one.kind !== "flow") continue;
          const request = removeRequest(one.flow);
          expect(new DataView(request.buffer).getUint32(0, true)).toBe(request.byteLength);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("which flows rules forget", () => {
  const pod = { address: "10.244.1.2", port: 5353 };
  const rules = [
    { address: "10.77.10.1", port: 53, keep: [pod] },
    { address: null, port: 30053, keep: [pod] },
  ];
  const forgets = forgottenBy(rules, new Set(["10.77.0.11", "127.0.0.1"]));
  const gone = { address: "10.244.2.2", port: 5353 };
  it.each([
    ["one to an endpoint that is kept stays", "10.77.10.1", 53, pod, false],
    ["one to another endpoint goes", "10.77.10.1", 53, gone, true],
    ["one to another port of that endpoint goes", "10.77.10.1", 53, { ...pod, port: 5354 }, true],
    ["one that was not translated goes", "10.77.10.1", 53, { address: "10.77.10.1", port: 53 }, true],
    ["one to another address stays", "10.77.10.2", 53, gone, false],
    ["one to another port stays", "10.77.10.1", 54, gone, false],
    ["one to a NodePort at an address of the host goes", "10.77.0.11", 30053, gone, true],
    ["one to a NodePort that leads to an endpoint stays", "127.0.0.1", 30053, pod, false],
    ["one that passes through to such a port of another machine stays", "10.77.0.100", 30053, gone, false],
  ])("%s", (_what, address, port, answeredBy, expected) => {
    expect(forgets({ to: { address, port }, answeredBy, handle: new Uint8Array() })).toBe(expected);
  });
});
