import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compareBytes, hex, hmacSha256, sha256, utf8 } from "#core/sha256";
import { fc } from "../support/random.ts";

describe("sha256", () => {
  it("agrees with FIPS 180-4's example", () => {
    expect(hex(sha256(utf8("abc")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("agrees with node:crypto at every length up to three blocks", () => {
    for (let length = 0; length <= 192; length++) {
      const bytes = new Uint8Array(length).fill(length);
      expect(hex(sha256(bytes))).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });

  it("agrees with node:crypto on random keys and bytes as HMAC", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 200 }), (key, bytes) => {
        expect(hex(hmacSha256(key, bytes))).toBe(createHmac("sha256", key).update(bytes).digest("hex"));
      }),
    );
  });

  it("orders as Buffer.compare does", () => {
    const bytes = fc.uint8Array({ maxLength: 4 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(compareBytes(a, b)).toBe(Buffer.compare(a, b));
      }),
    );
  });
});
