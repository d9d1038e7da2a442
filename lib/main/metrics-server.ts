import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import { accessCheck } from "#kube/request-access";
import type { Clock } from "#runtime/clock";
import type { CertificatePair, TlsSettings } from "#runtime/https-server";
import type { Listening } from "#runtime/listen";
import type { Log } from "#runtime/log";
import { type OpsServerOptions, startOpsServer, startSecureOpsServer } from "#runtime/ops-server";
import type { Runner } from "#runtime/runner";
import { readKeyPair } from "./certificate-tools.ts";
import { createAuthority, createSigned } from "./certificates.ts";

/** How metrics are served; null is plain HTTP for everybody who can reach the port. */
export interface SecureMetrics {
  readonly tls: TlsSettings;
  /** Directory with `tls.crt` and `tls.key`; null makes a certificate of its own, which clients cannot verify. */
  readonly certDir: string | null;
}

const DAY_MS = 24 * 3600 * 1000;
const SELF_SIGNED_MS = 60 * DAY_MS;
const RENEW_SELF_SIGNED_MS = 20 * DAY_MS;
/** A mounted Secret changes when whoever issues it renews it. */
const LOOK_AT_FILES_MS = 10_000;

/** Serves `/metrics`; secure: over TLS, and only for who may `get` that path by the cluster's RBAC. */
export async function startMetricsServer(
  runner: Runner,
  options: OpsServerOptions & {
    readonly secure: SecureMetrics | null;
    readonly cluster: Cluster;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<Listening> {
  const { secure, cluster, clock, log } = options;
  if (secure === null) {
    const plain = await startOpsServer(options);
    runner.onStop("metrics", () => plain.close());
    return plain;
  }
  const { certDir, tls } = secure;
  let shown = await certificate(certDir, options, clock);
  const authorize = accessCheck({ cluster, clock, path: "/metrics" });
  const server = await startSecureOpsServer({ ...options, tls, certificate: shown, authorize });
  runner.onStop("metrics", () => server.close());
  const renew = async () => {
    try {
      const next = await certificate(certDir, options, clock);
      if (next.cert !== shown.cert || next.key !== shown.key) server.renew(next);
      shown = next;
    } catch (thrown) {
      log.warn("the metrics certificate stays as it is", { error: Fault.from(thrown).message });
    }
    later();
  };
  const later = () => {
    if (runner.signal.aborted) return;
    clock.schedule(certDir === null ? RENEW_SELF_SIGNED_MS : LOOK_AT_FILES_MS, () => void renew());
  };
  later();
  return server;
}

async function certificate(
  certDir: string | null,
  { host }: { readonly host: string },
  clock: Clock,
): Promise<CertificatePair> {
  if (certDir !== null) {
    const pair = readKeyPair(certDir);
    if (pair !== null) return pair;
    throw new Fault("invalid", `--metrics-cert-dir ${certDir}: needs tls.crt and tls.key that belong together.`);
  }
  const now = clock.now();
  const validity = { notBefore: now - 60_000, notAfter: now + SELF_SIGNED_MS };
  const authority = await createAuthority("berth metrics", validity);
  return createSigned(authority, { dns: ["localhost"], ip: [host], common: "berth-metrics" }, validity);
}
