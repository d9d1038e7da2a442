import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority, createServerCertificate, createSigned } from "#main/certificates";
import { fc } from "../support/random.ts";

const at = (text: string) => Date.parse(text);

describe("a certificate", () => {
  it("is for the names and addresses it was made for, and for no others", async () => {
    const { ca, cert } = await createServerCertificate({ dns: ["a.test"], ip: ["127.0.0.1", "2001:db8::5"] });
    const read = new X509Certificate(cert);
    const authority = new X509Certificate(ca);
    expect([read.checkHost("a.test"), read.checkHost("b.test")]).toEqual(["a.test", undefined]);
    expect(["127.0.0.1", "2001:db8::5", "127.0.0.2"].map((ip) => read.checkIP(ip))).toEqual([
      "127.0.0.1",
      "2001:db8::5",
      undefined,
    ]);
    expect([authority.ca, read.ca, read.checkIssued(authority), read.verify(authority.publicKey)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it("holds any host name, number of names and time that it is given", async () => {
    const time = fc.integer({ min: at("1990-01-01T00:00:00Z"), max: at("2200-01-01T00:00:00Z") });
    const names = fc.array(fc.domain(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.domain(), names, time, time, async (common, dns, notBefore, notAfter) => {
        const validity = { notBefore, notAfter };
        const authority = await createAuthority("authority", validity);
        const { cert } = await createSigned(authority, { common, dns, ip: ["192.0.2.1"] }, validity);
        const read = new X509Certificate(cert);
        const issuer = new X509Certificate(authority.cert);
        expect(read.verify(issuer.publicKey) && read.checkIssued(issuer)).toBe(true);
        expect([read.validFrom, read.validTo].map(at)).toEqual(
          [notBefore, notAfter].map((ms) => Math.floor(ms / 1000) * 1000),
        );
        expect(dns.every((name) => read.subjectAltName?.includes(`DNS:${name}`))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
