import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateFacts, CertificateTools, KeyPair } from "#controller/webhooks/certificate";
import { createAuthority, createSigned } from "./certificates.ts";

/** Certificates for the webhooks. */
export const certificateTools: CertificateTools = {
  inspect: inspectPair,
  createAuthority,
  createServer: (authority, names, validity) =>
    createSigned(authority, { dns: names, ip: [], common: names[0] ?? "berth" }, validity),
};

/** See `CertificateTools.inspect`; never throws. */
function inspectPair({ cert, key }: KeyPair, authority?: string): CertificateFacts | null {
  const read = certificateOf(cert);
  if (read === null) return null;
  const signer = authority === undefined ? read : certificateOf(authority);
  return {
    notBefore: Date.parse(read.validFrom),
    notAfter: Date.parse(read.validTo),
    names: (read.subjectAltName ?? "").split(", ").flatMap((name) => (name.startsWith("DNS:") ? [name.slice(4)] : [])),
    hasKey: isKeyOf(read, key),
    isSigned: signer !== null && read.checkIssued(signer) && read.verify(signer.publicKey),
  };
}

function certificateOf(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function isKeyOf(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** `tls.crt` and `tls.key` of a directory (a mounted Secret); null while one is missing or they do not fit. */
export function readKeyPair(directory: string): KeyPair | null {
  try {
    const pair = {
      cert: readFileSync(join(directory, "tls.crt"), "utf8"),
      key: readFileSync(join(directory, "tls.key"), "utf8"),
    };
    return inspectPair(pair)?.hasKey ? pair : null;
  } catch {
    return null;
  }
}
