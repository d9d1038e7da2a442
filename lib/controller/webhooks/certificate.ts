/** The webhooks' certificate: the means to make one, and the decision when to. */

/** PEM of a certificate and of its private key (PKCS 8). */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What matters about a certificate; times in ms since the epoch. */
export interface CertificateFacts {
  readonly notBefore: number;
  readonly notAfter: number;
  /** DNS names of the subject alternative name. */
  readonly names: readonly string[];
  /** The private key stored with it is its own. */
  readonly hasKey: boolean;
  /** The authority it was asked about has signed it. */
  readonly isSigned: boolean;
}

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** X.509 (RFC 5280), done elsewhere. */
export interface CertificateTools {
  /** Null when `pair.cert` is no certificate. Without `authority` the certificate is asked whether it signed itself. */
  inspect(pair: KeyPair, authority?: string): CertificateFacts | null;
  createAuthority(name: string, validity: Validity): Promise<KeyPair>;
  /** Rejects when the authority's key cannot be used. */
  createServer(authority: KeyPair, names: readonly string[], validity: Validity): Promise<KeyPair>;
}

const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_MS = 2 * 365 * DAY_MS;
const SERVER_MS = 90 * DAY_MS;
/** The API server's clock may be behind ours. */
const SKEW_MS = 5 * 60 * 1000;
/** Certificates are looked at again at least this often, whatever timers and clocks have done meanwhile. */
const LOOK_AGAIN_MS = DAY_MS / 2;

/** What is to be made anew, or for how long nothing is. */
export type RotationPlan =
  | { readonly kind: "keep"; readonly lookAgainMs: number }
  /** A server certificate by the authority that is there. */
  | { readonly kind: "server" }
  /** A new authority, and a server certificate by it. */
  | { readonly kind: "authority" };

/**
 * Both are renewed when a third of their life is left, and at once when
 * they are missing, damaged, not valid now, or do not fit each other or `names`.
 */
export function planRotation(
  found: { readonly authority: CertificateFacts | null; readonly server: CertificateFacts | null },
  names: readonly string[],
  now: number,
): RotationPlan {
  const { authority, server } = found;
  if (authority === null || !authority.hasKey || !authority.isSigned || !isFresh(authority, now)) {
    return { kind: "authority" };
  }
  const fits = server?.hasKey && server.isSigned && names.every((name) => server.names.includes(name));
  if (!fits || !isFresh(server, now)) return { kind: "server" };
  const due = Math.min(renewAt(authority), renewAt(server)) - now;
  return { kind: "keep", lookAgainMs: Math.min(Math.max(due, 1000), LOOK_AGAIN_MS) };
}

export function authorityValidity(now: number): Validity {
  return { notBefore: now - SKEW_MS, notAfter: now + AUTHORITY_MS };
}

export function serverValidity(now: number): Validity {
  return { notBefore: now - SKEW_MS, notAfter: now + SERVER_MS };
}

function isFresh(certificate: CertificateFacts, now: number): boolean {
  return certificate.notBefore <= now && now < renewAt(certificate);
}

function renewAt({ notBefore, notAfter }: CertificateFacts): number {
  return notAfter - (notAfter - notBefore) / 3;
}
