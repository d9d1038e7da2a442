import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#core/errors";

/** How to reach and convince one API server. */
export interface Connection {
  /** "https://host:port", perhaps with a path prefix. */
  readonly server: string;
  /** Bearer token, or a function asked before every request (it must be cheap). */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** PEM bundle the server's certificate must chain to; absent: the system's roots. */
  readonly ca?: string | undefined;
  /** Client certificate and key, PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name to verify the certificate against, when it differs from the host. */
  readonly serverName?: string | undefined;
  /** Skips verification of the server's certificate. Only ever set by an explicit kubeconfig. */
  readonly insecure?: boolean | undefined;
  /** Namespace to use when none is given. */
  readonly namespace?: string | undefined;
  /** User to act as (Kubernetes impersonation headers). */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] } | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

const SERVICE_ACCOUNT_DIR = "var/run/secrets/kubernetes.io/serviceaccount";
/** Bound tokens are rotated on disk well before they expire; client-go re-reads once a minute too. */
const TOKEN_TTL_MS = 60_000;

/** The connection of a pod: its service account below `BERTH_ROOT` ("/"). Throws a Fault `unavailable` outside a pod. */
export function connectionFromServiceAccount(env: Env): Connection {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) {
    throw new Fault("unavailable", "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  }
  const dir = join(env.BERTH_ROOT || "/", SERVICE_ACCOUNT_DIR);
  const token = tokenFile(join(dir, "token"));
  token();
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    token,
    ca: readText(join(dir, "ca.crt")),
    namespace: optionalText(join(dir, "namespace")),
  };
}

/** A connection from parts at hand, as `berth up` has them for its own sandbox. */
export function connectionFromToken(parts: {
  readonly server: string;
  readonly ca?: string | undefined;
  readonly token: string;
}): Connection {
  return { server: parts.server.replace(/\/+$/, ""), token: parts.token, ca: parts.ca };
}

/**
 * Reads a token file, again at most once a minute. A file that became
 * unreadable leaves the last token in use; one that never was readable throws.
 */
export function tokenFile(path: string, now: () => number = () => performance.now()): () => string {
  let token: string | null = null;
  let readAt = 0;
  return () => {
    if (token !== null && now() - readAt < TOKEN_TTL_MS) return token;
    readAt = now();
    try {
      token = readText(path).trim();
    } catch (thrown) {
      if (token === null) throw thrown;
    }
    return token ?? "";
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Fault("unavailable", `cannot read ${path}`, { cause, context: { path } });
  }
}

function optionalText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
