import { createPrivateKey, webcrypto } from "node:crypto";
import type { KeyPair, Validity } from "#controller/webhooks/certificate";
import { Fault } from "#core/errors";

const YEAR_MS = 365 * 24 * 3600 * 1000;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** MetalLB's own authorities have RSA keys. */
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

export interface ServerCertificate extends KeyPair {
  /** PEM of the authority that signed `cert`. */
  readonly ca: string;
}

interface Names {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/**
 * Makes a certificate authority of its own and one server certificate for the
 * given names and addresses. The authority's key is thrown away: nothing else
 * can ever be signed by it. Valid for ten years (RFC 5280).
 */
export async function createServerCertificate(names: Names): Promise<ServerCertificate> {
  const now = Date.now();
  const validity = { notBefore: now - 60_000, notAfter: now + 10 * YEAR_MS };
  const authority = await createAuthority("berth-sandbox-ca", validity);
  return { ca: authority.cert, ...(await createSigned(authority, { ...names, common: "berth-sandbox" }, validity)) };
}

/** A certificate authority that may sign server certificates, and nothing below those. */
export async function createAuthority(name: string, validity: Validity): Promise<KeyPair> {
  const { x509, crypto } = await library();
  const keys = await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject(name),
    ...times(validity),
    signingAlgorithm: ECDSA,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: authority.toString("pem"), key: await pem(keys.privateKey) };
}

/**
 * A server certificate by `authority` (RFC 5280, RFC 6125). Fault `invalid` when
 * the authority's key is neither ECDSA over P-256 nor RSA, or cannot be read.
 */
export async function createSigned(
  authority: KeyPair,
  names: Names & { readonly common: string },
  validity: Validity,
): Promise<KeyPair> {
  const { x509, crypto } = await library();
  const issuer = new x509.X509Certificate(authority.cert);
  const { algorithm, signingKey } = await signer(authority.key);
  const keys = await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const alternatives = [
    ...names.dns.map((value) => ({ type: "dns" as const, value })),
    ...names.ip.map((value) => ({ type: "ip" as const, value })),
  ];
  const cert = await x509.X509CertificateGenerator.create({
    subject: subject(names.common),
    // As it is written there, byte for byte: that is how issuers are compared.
    issuer: issuer.subjectName,
    ...times(validity),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
    ],
  });
  return { cert: cert.toString("pem"), key: await pem(keys.privateKey) };
}

/** Loaded when a certificate is made, which is seldom: it takes some 14 MB. */
async function library() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const crypto = webcrypto as unknown as Crypto;
  x509.cryptoProvider.set(crypto);
  return { x509, crypto };
}

async function signer(key: string) {
  const { crypto } = await library();
  const read = createPrivateKey(key);
  const algorithm = read.asymmetricKeyType === "rsa" ? RSA : ECDSA;
  if (algorithm === ECDSA && read.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Fault("invalid", "the authority's key is neither ECDSA over P-256 nor RSA");
  }
  const pkcs8 = read.export({ type: "pkcs8", format: "der" });
  return {
    algorithm,
    signingKey: await crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), algorithm, false, ["sign"]),
  };
}

/** Common name, 64 characters at most (RFC 5280 appendix A.1). */
function subject(common: string) {
  return [{ CN: [common.slice(0, 64)] }];
}

function times({ notBefore, notAfter }: Validity) {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

async function pem(key: CryptoKey): Promise<string> {
  const { x509, crypto } = await library();
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
