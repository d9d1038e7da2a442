import { WEBHOOKS } from "#api/names";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import { type Clock, sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import { runLoop } from "#runtime/loop";
import type { Metrics } from "#runtime/metrics";
import type { Runner } from "#runtime/runner";
import { WorkQueue } from "#runtime/work-queue";
import type { CertificateTools, KeyPair } from "./certificate.ts";
import { CertificateKeeper } from "./certificate-keeper.ts";
import { WEBHOOK_PATHS } from "./paths.ts";
import { answerReview } from "./review.ts";
import { WebhookWorld } from "./world.ts";

/** Where the serving certificate comes from. */
type CertificateSource =
  /** Made and renewed here, shared in a Secret. */
  | {
      readonly kind: "managed";
      readonly tools: CertificateTools;
      readonly secretName: string;
      readonly serviceName: string;
    }
  /** Somebody else's (cert-manager, say): read again and again, never injected. Null while there is none. */
  | { readonly kind: "files"; readonly read: () => KeyPair | null };

/** A server that shows one certificate until it is given another. */
interface Server {
  renew(pair: KeyPair): void;
  close(): Promise<void>;
}

type Handler = (path: string, body: string) => { readonly status: number; readonly body: string } | null;

export interface WebhookDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly namespace: string;
  readonly lbClass?: string | undefined;
  readonly certificates: CertificateSource;
  readonly listen: (certificate: KeyPair, handle: Handler) => Promise<Server>;
}

interface Webhooks {
  /** True once the webhooks answered for the first time, or it is clear that they cannot yet. */
  settled(): boolean;
}

/** Verdicts wait for what they depend on, but not for kinds that nobody installed. */
const SYNC_WITHIN_MS = 5000;
/** cert-manager and kubelets replace files at their own pace. */
const FILES_EVERY_MS = 10_000;

/**
 * Serves the validating admission webhooks of every replica and keeps their
 * certificate. Resolves at once; failures are logged and tried again, and never
 * take the process down: what a webhook misses, the compiler finds.
 */
export function startWebhooks(runner: Runner, deps: WebhookDeps): Webhooks {
  const { clock, log, certificates } = deps;
  const { signal } = runner;
  const world = new WebhookWorld(deps);
  let server: Server | null = null;
  let settled = false;
  const serve = async (pair: KeyPair) => {
    if (server !== null) return server.renew(pair);
    const started = await deps.listen(pair, handlerOf(world, deps));
    server = started;
    runner.onStop("webhooks", () => started.close());
    log.info("webhooks ready", {});
  };
  const queue = new WorkQueue({ clock });
  const keep = certificates.kind === "managed" ? managed(deps, certificates, serve, queue) : files(certificates, serve);
  const work = async () => {
    const tooLate = sleep(clock, SYNC_WITHIN_MS, signal);
    await Promise.race([world.whenSynced(signal), tooLate]).catch(() => undefined);
    tooLate.catch(() => undefined);
    queue.add("certificate");
    await runLoop(
      queue,
      async () => {
        try {
          return await keep(signal);
        } finally {
          settled = true;
        }
      },
      { log, signal, onFailure: (key, fault) => again(queue, key, fault) },
    );
  };
  const working = work();
  runner.watch("webhooks", working);
  return { settled: () => settled };
}

/** A right that is missing may be granted, and a Secret that is wrong corrected. */
const RETRY_MS = 30_000;

function again(queue: WorkQueue, key: string, fault: Fault): void {
  if (!fault.retryable) queue.addAfter(key, RETRY_MS);
}

function managed(
  deps: WebhookDeps,
  source: CertificateSource & { readonly kind: "managed" },
  serve: (pair: KeyPair) => Promise<void>,
  queue: WorkQueue,
) {
  const keeper = new CertificateKeeper({ ...deps, ...source, configurationName: WEBHOOKS.configuration, serve });
  keeper.follow(() => queue.add("certificate"));
  return (signal: AbortSignal) => keeper.reconcile(signal);
}

function files(source: CertificateSource & { readonly kind: "files" }, serve: (pair: KeyPair) => Promise<void>) {
  let served: KeyPair | null = null;
  return async () => {
    const pair = source.read();
    if (pair === null) throw new Fault("unavailable", "there is no certificate for the webhooks yet");
    if (pair.cert !== served?.cert || pair.key !== served.key) await serve(pair);
    served = pair;
    return { requeueAfterMs: FILES_EVERY_MS };
  };
}

function handlerOf(world: WebhookWorld, { metrics, log }: WebhookDeps): Handler {
  const requests = metrics.counter(
    "berth_controller_webhook_requests_total",
    "Admission reviews answered, by outcome.",
  );
  return (path, body) => {
    const kind = WEBHOOK_PATHS[path];
    if (kind === undefined) return null;
    const {
      status,
      body: text,
      outcome,
    } = answerReview(body, kind, (change) => {
      const verdict = world.judge(change);
      const [first] = verdict.errors;
      if (first !== undefined) {
        log.info("change refused", { kind, object: first.object, operation: change.operation, error: first.message });
      }
      return verdict;
    });
    requests.inc({ kind, outcome });
    return { status, body: text };
  };
}
