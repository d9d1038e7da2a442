import type { RequestListener } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import { Fault } from "#core/errors";
import { type Listening, listen } from "./listen.ts";

/** PEM of a certificate, with those of its issuers after it, and of its key. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What is negotiated; undefined leaves Node's defaults. */
export interface TlsSettings {
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** In OpenSSL's names, of TLS 1.2 only. */
  readonly ciphers?: string | undefined;
  /** In OpenSSL's names, with colons. */
  readonly curves?: string | undefined;
}

/** A server over TLS. */
export interface HttpsServer extends Listening {
  /** What new connections are shown from now on. Throws Fault `invalid` for a pair that cannot be used, and keeps the old one. */
  renew(pair: CertificatePair): void;
}

const REQUEST_MS = 10_000;
/** Whoever can reach the port may open connections: they must not cost more memory than there is. */
const CONNECTIONS_MAX = 128;

/** Listens with TLS, HTTP/1.1 only. Rejects with Fault `invalid` for a certificate or settings that cannot be used. */
export async function startHttpsServer(options: {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings;
  readonly certificate: CertificatePair;
  readonly handle: RequestListener;
}): Promise<HttpsServer> {
  const { host, port, tls, certificate, handle } = options;
  const secure = checked(() =>
    createServer({ ...context(certificate, tls), requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, handle),
  );
  secure.maxConnections = CONNECTIONS_MAX;
  const listening = await listen(secure, { host, port });
  return { ...listening, renew: (pair) => checked(() => secure.setSecureContext(context(pair, tls))) };
}

function context({ cert, key }: CertificatePair, { minVersion, ciphers, curves }: TlsSettings): ServerOptions {
  return {
    cert,
    key,
    handshakeTimeout: REQUEST_MS,
    ...(minVersion !== undefined && { minVersion }),
    ...(ciphers !== undefined && { ciphers }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}

function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new Fault("invalid", `this certificate or these TLS settings cannot be used: ${Fault.from(cause).message}`, {
      cause,
    });
  }
}
