import { describe, expect, it } from "vitest";
import { utf8 } from "#core/sha256";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, keyId, type News } from "#speaker/heartbeat";
import { initialMembers, stepMembers } from "#speaker/members";
import { memberId } from "#speaker/ring";
import { fc } from "../support/random.ts";
import { seeded } from "./members-sim.ts";

/** `BERTH_PACKET_FUZZ=1000000` sends so many. */
const PACKETS = Number(process.env.BERTH_PACKET_FUZZ ?? 100_000);

const SECRET = utf8("secret");
const signed = (id: number) => (id === keyId(SECRET) ? SECRET : undefined);
const unsigned = (id: number) => (id === 0 ? null : undefined);

const count = fc.nat({ max: 2 ** 48 - 1 });
const text = (maxLength: number) =>
  fc.string({ minLength: 1, maxLength, unit: "binary" }).filter((s) => utf8(s).length <= maxLength && s.isWellFormed());
const newsArbitrary: fc.Arbitrary<News> = fc.record({
  id: count,
  incarnation: count,
  sequence: count,
  ageMs: fc.nat({ max: 65_535 }),
  standing: fc.constantFrom("heard" as const, "silent" as const, "dead" as const),
  ready: fc.boolean(),
  leaving: fc.boolean(),
  interfaces: fc.array(text(15), { maxLength: 3 }),
});
const beatArbitrary: fc.Arbitrary<Heartbeat> = fc.record({
  node: text(63),
  incarnation: count,
  sequence: count,
  to: count,
  answers: fc.option(fc.record({ incarnation: count, sequence: count })),
  holds: fc.nat({ max: 2 ** 32 - 1 }),
  ready: fc.boolean(),
  leaving: fc.boolean(),
  watch: fc.boolean(),
  patienceMs: fc.nat({ max: 65_535 }),
  interfaces: fc.array(text(15), { maxLength: 8 }),
  took: fc.array(fc.ipV6(), { maxLength: 8 }),
  news: fc.array(newsArbitrary, { maxLength: 6 }),
});

const BEAT: Heartbeat = {
  node: "node-01",
  incarnation: 1_790_000_000_000,
  sequence: 4_200_000,
  to: memberId("node-02"),
  answers: { incarnation: 7, sequence: 3 },
  holds: keyId(SECRET),
  ready: true,
  leaving: false,
  watch: true,
  patienceMs: 12,
  interfaces: ["eth0"],
  took: ["192.0.2.1"],
  news: [
    {
      id: 5,
      incarnation: 1,
      sequence: 2,
      ageMs: 80,
      standing: "heard",
      ready: true,
      leaving: false,
      interfaces: ["eth0"],
    },
  ],
};

describe("heartbeats", () => {
  it("are read as they were written, signed or not", () => {
    fc.assert(
      fc.property(beatArbitrary, (beat) => {
        expect(decodeHeartbeat(encodeHeartbeat(beat, SECRET), signed)).toEqual(beat);
        expect(decodeHeartbeat(encodeHeartbeat(beat, null), unsigned)).toEqual(beat);
      }),
    );
  });

  it("fit 1,400 octets, leaving out the news that do not, and never what the sender says of itself", () => {
    const [one] = BEAT.news;
    const news = Array.from({ length: 100 }, (_none, id): News => ({ ...(one as News), id }));
    const interfaces = Array.from({ length: 32 }, (_none, n) => `interface-nam${n + 10}`);
    const took = Array.from({ length: 8 }, () => "2001:db8:1111:2222:3333:4444:5555:6666");
    const node = "n".repeat(253);
    const crowded = encodeHeartbeat({ ...BEAT, node, interfaces, took, news }, SECRET);
    expect(crowded.length).toBeLessThanOrEqual(1400);
    const read = decodeHeartbeat(crowded, signed);
    if (typeof read === "string") throw new Error(read);
    expect(read.news.length).toBeGreaterThan(2);
    expect(read).toEqual({ ...BEAT, node, interfaces, took, news: news.slice(0, read.news.length) });
  });

  const bytes = encodeHeartbeat(BEAT, SECRET);
  it.each<[string, Uint8Array, string]>([
    ["signed with a key that is not ours", encodeHeartbeat(BEAT, utf8("other")), "unknown_key"],
    ["not signed", encodeHeartbeat(BEAT, null), "unknown_key"],
    ["signed with another key that claims to be ours", encodeHeartbeat(BEAT, utf8("other"), keyId(SECRET)), "forged"],
    ["cut off before the signature", bytes.subarray(0, 12), "forged"],
    ["empty", new Uint8Array(), "malformed"],
    ["of another protocol", utf8("GET / HTTP/1.1\r\n\r\n"), "malformed"],
    ["of the version before", new Uint8Array([...utf8("BHB1"), ...bytes.subarray(4)]), "malformed"],
    ["too long", new Uint8Array([...bytes.subarray(0, 8), ...new Uint8Array(1400)]), "malformed"],
  ])("are refused when they are %s", (_name, datagram, reason) => {
    expect(decodeHeartbeat(datagram, signed)).toBe(reason);
  });

  it("are malformed at whatever place they are cut, or when anything follows", () => {
    const whole = encodeHeartbeat({ ...BEAT, news: [] }, null);
    for (let length = 0; length < whole.length; length++)
      expect(decodeHeartbeat(whole.subarray(0, length), unsigned)).toBe("malformed");
    expect(decodeHeartbeat(new Uint8Array([...whole, 0]), unsigned)).toBe("malformed");
  });

  it(`are taken unchanged or not at all, and nothing grows (${PACKETS.toLocaleString("en")} packets)`, {
    timeout: 300_000,
  }, () => {
    const random = seeded(PACKETS);
    const below = (limit: number) => Math.floor(random() * limit);
    const start = { ...initialMembers("node-02", 7, keyId(SECRET)), sequence: 10 };
    let [taken, state] = [0, start];
    const plain = encodeHeartbeat(BEAT, null);
    for (let packet = 0; packet < PACKETS; packet++) {
      // One of ten is signed, and a change of it must be seen; the others reach the parser and the members.
      const original = packet % 10 === 0 ? bytes : plain;
      const datagram = packet % 7 === 0 ? Uint8Array.from({ length: below(200) }, () => below(256)) : original.slice(0);
      for (let flips = 1 + below(4); flips > 0 && datagram.length > 0; flips--) {
        const at = below(datagram.length);
        datagram[at] = (datagram[at] ?? 0) ^ (1 + below(255));
      }
      const cut = packet % 5 === 0 ? datagram.subarray(0, below(datagram.length + 1)) : datagram;
      if (original === bytes) {
        const isSame = cut.length === bytes.length && cut.every((octet, index) => octet === bytes[index]);
        if (typeof decodeHeartbeat(cut, signed) !== "string" && !isSame) throw new Error(`taken: ${cut.join()}`);
        continue;
      }
      const beat = decodeHeartbeat(cut, unsigned);
      if (typeof beat === "string") continue;
      taken += 1;
      const proven = { ...beat, answers: { incarnation: 7, sequence: state.sequence } };
      state = stepMembers(
        state,
        { kind: "heard", beat: packet % 2 === 0 ? proven : beat, from: "x" },
        packet / 100,
      ).state;
      if (packet % 1000 < 10) state = stepMembers(state, { kind: "tick" }, packet / 100).state;
    }
    expect(taken).toBeGreaterThan(PACKETS / 100);
    expect(state.peers.size).toBeLessThanOrEqual(1000);
    expect(state.names.size).toBeLessThanOrEqual(1001);
    expect(state.answeredAt.size).toBeLessThanOrEqual(256);
    expect(Math.max(0, ...state.peers.values().map(({ votes }) => votes.size))).toBeLessThanOrEqual(1000);
    expect(state.obituaries.length + state.took.length).toBeLessThanOrEqual(2000);
  });
});
