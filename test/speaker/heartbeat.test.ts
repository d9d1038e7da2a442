import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "#core/sha256";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from "#speaker/heartbeat";

const SECRET = utf8("secret");
const BEAT: Heartbeat = {
  node: "node-01",
  incarnation: 1_790_000_000_000,
  sequence: 42,
  intervalMs: 100,
  ready: true,
  leaving: false,
  interfaces: ["eth0"],
  heard: [{ node: "node-02", incarnation: 7, sequence: 3 }],
};

describe("heartbeats", () => {
  it("are read as they were written, signed or not", () => {
    expect(decodeHeartbeat(encodeHeartbeat(BEAT, SECRET), SECRET)).toEqual(BEAT);
    expect(decodeHeartbeat(encodeHeartbeat(BEAT, null), null)).toEqual(BEAT);
  });

  it("are taken without looking at the signature by a speaker that has no secret", () => {
    expect(decodeHeartbeat(encodeHeartbeat(BEAT, SECRET), null)).toEqual(BEAT);
  });

  it.each([
    ["another secret", encodeHeartbeat(BEAT, utf8("other"))],
    ["no signature", encodeHeartbeat(BEAT, null)],
    [
      "a signature of something else",
      (() => {
        const bytes = encodeHeartbeat(BEAT, SECRET);
        bytes[10] = (bytes[10] ?? 0) ^ 1;
        return bytes;
      })(),
    ],
  ])("are forged with %s", (_name, bytes) => {
    expect(decodeHeartbeat(bytes, SECRET)).toBe("forged");
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["another protocol", utf8("GET / HTTP/1.1\r\n\r\n")],
    ["no JSON", utf8("BHB1{{{")],
    ["too few fields", utf8('BHB1["node-01",1]')],
    ["a name that is a number", utf8("BHB1[1,1,1,100,true,false,[],[]]")],
    ["a negative sequence", utf8('BHB1["a",1,-1,100,true,false,[],[]]')],
    ["hearsay that is none", utf8('BHB1["a",1,1,100,true,false,[],[["b"]]]')],
    ["broken UTF-8", new Uint8Array([...utf8("BHB1"), 0xff, 0xfe])],
    ["too much", new Uint8Array(10_000).fill(66)],
  ])("are malformed with %s", (_name, bytes) => {
    expect(decodeHeartbeat(bytes, null)).toBe("malformed");
  });

  it("never throw, whatever arrives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, magic) => {
        const input = magic ? new Uint8Array([...utf8("BHB1"), ...bytes]) : bytes;
        expect(["malformed", "forged"]).toContain(decodeHeartbeat(input, SECRET));
        decodeHeartbeat(input, null);
      }),
    );
  });

  it("never throw at a datagram cut short at any place", () => {
    const bytes = encodeHeartbeat(BEAT, null);
    for (let length = 0; length < bytes.length; length++)
      expect(decodeHeartbeat(bytes.subarray(0, length), null)).toBe("malformed");
  });

  it("cannot keep anybody waiting for long", () => {
    const beat = decodeHeartbeat(encodeHeartbeat({ ...BEAT, intervalMs: 1e9 }, null), null);
    expect(beat).toMatchObject({ intervalMs: 5000 });
  });
});
