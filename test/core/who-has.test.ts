import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress, parseRange, rangeContains } from "#core/address";
import { arpReply, arpRequest, decodeArp, gratuitousArp } from "#core/arp";
import { decodeNdp, neighbourSolicitation, unsolicitedAdvertisement } from "#core/ndp";
import {
  claimIn,
  conflictHoldName,
  explainWire,
  judgeWire,
  unassignedAddress,
  type WireVerdict,
  whoHasFrame,
} from "#core/who-has";
import { fc } from "../support/random.ts";

const NODE_1 = "02:be:77:00:00:11";
const NODE_1_B = "02:be:77:00:01:11";
const NODE_2 = "02:be:77:00:00:12";
const HOST = "52:54:00:00:00:99";
const ROUTER = "52:54:00:00:00:01";
const NODES = new Map([
  [NODE_1, "node-01"],
  [NODE_1_B, "node-01"],
  [NODE_2, "node-02"],
]);
const nodeOf = (mac: string) => NODES.get(mac) ?? null;
const VIP = "192.0.2.10";

const rows: readonly {
  name: string;
  macs: string[];
  unassigned?: string[];
  want: WireVerdict["kind"];
  about?: string[];
}[] = [
  { name: "nobody has it", macs: [], want: "clear" },
  { name: "its announcer has it", macs: [NODE_1], want: "clear", about: [NODE_1] },
  { name: "a node that answers with two of its interfaces is one node", macs: [NODE_1, NODE_1_B], want: "clear" },
  { name: "a MAC that no node published is a conflict", macs: [HOST], want: "conflict", about: [HOST] },
  {
    name: "a stranger beside the announcer is a conflict",
    macs: [NODE_1, HOST],
    want: "conflict",
    about: [NODE_1, HOST],
  },
  { name: "two nodes are a split brain", macs: [NODE_2, NODE_1], want: "split_brain", about: [NODE_1, NODE_2] },
  { name: "a stranger beside two nodes is a conflict first", macs: [NODE_1, NODE_2, HOST], want: "conflict" },
  {
    name: "who answers for an unassigned address too is a proxy",
    macs: [NODE_1, ROUTER],
    unassigned: [ROUTER],
    want: "proxy_arp",
    about: [ROUTER],
  },
  {
    name: "a node that answers for everything is a proxy",
    macs: [NODE_1, NODE_2],
    unassigned: [NODE_2],
    want: "proxy_arp",
  },
  {
    name: "a stranger beside a proxy is a conflict",
    macs: [NODE_1, ROUTER, HOST],
    unassigned: [ROUTER],
    want: "conflict",
    about: [NODE_1, HOST],
  },
  {
    name: "a proxy for other addresses says nothing about this one",
    macs: [NODE_1],
    unassigned: [ROUTER],
    want: "clear",
  },
];

describe("judgeWire", () => {
  it.each(rows)("$name", ({ macs, unassigned = [], want, about }) => {
    const verdict = judgeWire({ macs, unassigned: new Set(unassigned), nodeOf });
    expect(verdict.kind).toBe(want);
    if (about !== undefined) expect(verdict.claimants.map(({ mac }) => mac)).toEqual(about.toSorted());
  });

  const mac = fc.constantFrom(NODE_1, NODE_1_B, NODE_2, HOST, ROUTER);
  const evidence = fc.record({ macs: fc.array(mac, { maxLength: 8 }), unassigned: fc.array(mac, { maxLength: 3 }) });

  it("never calls our own nodes or a proxy a conflict, and never overlooks a stranger", () => {
    fc.assert(
      fc.property(evidence, ({ macs, unassigned }) => {
        const verdict = judgeWire({ macs, unassigned: new Set(unassigned), nodeOf });
        const strangers = macs.some((one) => nodeOf(one) === null && !unassigned.includes(one));
        expect(verdict.kind === "conflict").toBe(strangers);
      }),
    );
  });

  it("does not depend on the order or number of answers", () => {
    fc.assert(
      fc.property(evidence, ({ macs, unassigned }) => {
        const others = new Set(unassigned);
        const one = judgeWire({ macs, unassigned: others, nodeOf });
        expect(judgeWire({ macs: [...macs, ...macs].toReversed(), unassigned: others, nodeOf })).toEqual(one);
      }),
    );
  });

  it.each([
    ["clear", [NODE_1], "one machine answers for 192.0.2.10"],
    ["conflict", [HOST], `another machine uses 192.0.2.10: ${HOST} (no node of this cluster) answers for it`],
    [
      "split_brain",
      [NODE_1, NODE_2],
      `2 machines of this cluster answer for 192.0.2.10: ${NODE_1} (node-01) and ${NODE_2} (node-02)`,
    ],
    [
      "proxy_arp",
      [ROUTER],
      `${ROUTER} (no node of this cluster) answers for 192.0.2.10 as for addresses that nobody was given: proxy ARP is on there`,
    ],
  ] as const)("says %s in words", (kind, macs, sentence) => {
    expect(explainWire(VIP, { kind, claimants: macs.map((one) => ({ mac: one, node: nodeOf(one) })) })).toBe(sentence);
  });
});

describe("claimIn", () => {
  const asked = decodeArp(arpRequest({ senderMac: NODE_1, senderIp: "192.0.2.1", targetIp: VIP }));
  const reply = typeof asked === "string" ? new Uint8Array() : arpReply(asked, HOST);
  it.each([
    ["a reply claims what it answers for", reply, { ip: VIP, mac: HOST }],
    ["an announcement claims its address", gratuitousArp(HOST, VIP)[0], { ip: VIP, mac: HOST }],
    [
      "a request claims the address it comes from",
      arpRequest({ senderMac: HOST, senderIp: VIP, targetIp: "192.0.2.1" }),
      { ip: VIP, mac: HOST },
    ],
    [
      "an advertisement claims its target",
      unsolicitedAdvertisement(HOST, "2001:db8::1"),
      { ip: "2001:db8::1", mac: HOST },
    ],
    [
      "a solicitation claims nothing",
      neighbourSolicitation({ senderMac: HOST, source: "fe80::1", target: "2001:db8::1" }),
      null,
    ],
    ["a frame of another kind claims nothing", new Uint8Array(60), null],
    ["an empty frame claims nothing", new Uint8Array(), null],
  ] as const)("%s", (_name, frame, want) => {
    expect(claimIn(frame)).toEqual(want);
  });

  it("never throws, whatever arrives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x0806, 0x86dd, 0x0800), (bytes, type) => {
        if (bytes.byteLength >= 14) bytes.set([type >> 8, type & 255], 12);
        claimIn(bytes);
      }),
    );
  });
});

describe("whoHasFrame", () => {
  it("asks from our own address where there is one, else as a probe", () => {
    const ask = (target: string, own: readonly string[]) => whoHasFrame(target, { mac: NODE_1, own });
    expect(decodeArp(ask(VIP, ["fe80::1", "192.0.2.1"]))).toMatchObject({
      operation: 1,
      senderIp: "192.0.2.1",
      targetIp: VIP,
    });
    expect(decodeArp(ask(VIP, []))).toMatchObject({ senderIp: "0.0.0.0", targetIp: VIP });
    expect(decodeNdp(ask("2001:db8::1", ["192.0.2.1", "fe80::1"]))).toMatchObject({
      kind: "solicitation",
      source: "fe80::1",
      target: "2001:db8::1",
      linkLayer: NODE_1,
    });
    expect(decodeNdp(ask("2001:db8::1", []))).toMatchObject({ kind: "solicitation", source: "::", linkLayer: null });
  });
});

describe("unassignedAddress", () => {
  const ranges = [parseRange("192.0.2.0/29"), parseRange("198.51.100.1-198.51.100.2")];

  it("names one that nobody has and that is in the ranges, another one each time", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.uniqueArray(fc.nat(7)), (turn, taken) => {
        const texts = new Set(taken.map((n) => `192.0.2.${n}`));
        const found = unassignedAddress(ranges, (one) => texts.has(formatAddress(one)), turn);
        if (found === null) throw new Error("198.51.100.1 is free");
        expect(ranges.some((range) => rangeContains(range, found))).toBe(true);
        expect(texts.has(formatAddress(found))).toBe(false);
      }),
    );
    const named = Array.from({ length: 20 }, (_unused, turn) => unassignedAddress(ranges, () => false, turn));
    expect(new Set(named.map((one) => one && formatAddress(one))).size).toBeGreaterThan(3);
  });

  it("finds none in ranges that are full or absent, and is quick in a /64 that is", () => {
    expect(unassignedAddress([], () => false, 1)).toBeNull();
    expect(unassignedAddress(ranges, () => true, 1)).toBeNull();
    expect(unassignedAddress([parseRange("2001:db8::/64")], () => true, 1)).toBeNull();
  });
});

describe("conflictHoldName", () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.array(fc.constantFrom("0", "1", "2"), { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":")),
  );

  it("is a name that Kubernetes takes, one for each address", () => {
    fc.assert(
      fc.property(address, address, (a, b) => {
        const [left, right] = [parseAddress(a), parseAddress(b)];
        expect(conflictHoldName(left)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        expect(conflictHoldName(left) === conflictHoldName(right)).toBe(formatAddress(left) === formatAddress(right));
      }),
    );
  });
});
