import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { Fault } from "#core/errors";
import type { Connection } from "./connection.ts";

interface KubeconfigConnection extends Connection {
  /** Name of the context and of the cluster it points at. */
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
}

/**
 * The connection of one context (default: the current one) of any kubeconfig,
 * exec plug-ins and auth providers included. Costs half a second and 90 MB: the
 * library is loaded only when this is called. Throws a Fault `invalid` that
 * says what is wrong with the file.
 */
export async function connectionFromKubeconfig(path: string, context?: string): Promise<KubeconfigConnection> {
  if (!existsSync(path)) throw new Fault("invalid", `kubeconfig ${path} does not exist`, { context: { path } });
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new Fault("invalid", `kubeconfig ${path} cannot be read: ${why}`, { cause, context: { path } });
  }
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) {
      const list = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
      throw new Fault("invalid", `kubeconfig ${path} has no context "${context}": ${list}`, {
        fields: { context: list },
      });
    }
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Fault("invalid", `kubeconfig ${path} names no usable cluster in its current context`, {
      context: { path },
    });
  }
  const user = config.getCurrentUser();
  const first = await securityOf(config, path);
  const dynamic = user?.exec !== undefined || user?.authProvider !== undefined;
  return {
    context: config.getCurrentContext(),
    cluster: cluster.name,
    user: user?.name ?? "",
    server: cluster.server.replace(/\/+$/, ""),
    // Plug-ins hand out short-lived tokens; the library caches them until they expire.
    token: dynamic ? async () => (await securityOf(config, path)).token : first.token,
    ca: cluster.caData !== undefined ? decode(cluster.caData) : readAuthority(cluster.caFile, path),
    cert: first.cert,
    key: first.key,
    serverName: cluster.tlsServerName,
    insecure: cluster.skipTLSVerify || undefined,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    impersonate: user?.impersonateUser === undefined ? undefined : { user: user.impersonateUser },
  };
}

interface Security {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

async function securityOf(
  config: { applyToHTTPSOptions(options: RequestOptions): Promise<void> },
  path: string,
): Promise<Security> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new Fault("unauthorized", `the credentials of kubeconfig ${path} cannot be used: ${why}`, { cause });
  }
  const header = Object.entries(options.headers ?? {}).find(([name]) => name.toLowerCase() === "authorization")?.[1];
  const bearer =
    typeof header === "string" && header.startsWith("Bearer ") ? header.slice("Bearer ".length) : undefined;
  return { token: bearer, cert: pem(options.cert), key: pem(options.key) };
}

function pem(value: unknown): string | undefined {
  return typeof value === "string" || Buffer.isBuffer(value) ? value.toString() : undefined;
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function readAuthority(file: string | undefined, path: string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Fault("invalid", `kubeconfig ${path} names ${file} as certificate-authority, which cannot be read`, {
      cause,
      fields: { "certificate-authority": "a file that can be read" },
    });
  }
}
