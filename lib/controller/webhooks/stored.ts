import type { Secret } from "#api/kubernetes/cluster";
import {
  type CertificateFacts,
  type CertificateTools,
  type KeyPair,
  planRotation,
  type RotationPlan,
} from "./certificate.ts";

/** What the Secret holds; "" where it holds nothing that can be read. */
export interface StoredCertificates {
  readonly authority: KeyPair;
  readonly server: KeyPair;
  /** PEM of the authority before this one: trusted until it expires. */
  readonly previous: string;
}

/** Keys of the Secret; the first four as upstream's cert-controller names them. */
const DATA = {
  authorityCert: "ca.crt",
  authorityKey: "ca.key",
  serverCert: "tls.crt",
  serverKey: "tls.key",
  previous: "previous-ca.crt",
} as const;

export function readStored(secret: Secret | null): StoredCertificates {
  const text = (key: string) => decode(secret?.data?.[key]);
  return {
    authority: { cert: text(DATA.authorityCert), key: text(DATA.authorityKey) },
    server: { cert: text(DATA.serverCert), key: text(DATA.serverKey) },
    previous: text(DATA.previous),
  };
}

export function secretData({ authority, server, previous }: StoredCertificates): Record<string, string> {
  return {
    [DATA.authorityCert]: btoa(authority.cert),
    [DATA.authorityKey]: btoa(authority.key),
    [DATA.serverCert]: btoa(server.cert),
    [DATA.serverKey]: btoa(server.key),
    [DATA.previous]: btoa(previous),
  };
}

/** What is to be done about the stored certificates now. */
export function planFor(
  { authority, server }: StoredCertificates,
  names: readonly string[],
  context: { readonly tools: CertificateTools; readonly now: number },
): RotationPlan {
  const { tools, now } = context;
  const found: { authority: CertificateFacts | null; server: CertificateFacts | null } = {
    authority: tools.inspect(authority),
    server: tools.inspect(server, authority.cert),
  };
  return planRotation(found, names, now);
}

/** PEM of every authority that may have signed what some replica serves; the current one first. */
export function trustBundle(
  { authority, previous }: StoredCertificates,
  served: string,
  context: { readonly tools: CertificateTools; readonly now: number },
): string {
  const { tools, now } = context;
  const old = [previous, served].filter((cert) => (tools.inspect({ cert, key: "" })?.notAfter ?? 0) > now);
  return [...new Set([authority.cert, ...old].map((cert) => cert.trim()))].map((cert) => `${cert}\n`).join("");
}

/** Somebody may have put anything into the Secret. */
function decode(text: string | undefined): string {
  try {
    return atob(text ?? "");
  } catch {
    return "";
  }
}
