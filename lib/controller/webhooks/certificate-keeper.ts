import type { ValidatingWebhookConfiguration } from "#api/admission";
import type { Secret } from "#api/kubernetes/cluster";
import { keyOf, SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster, ObjectCache } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Next } from "#runtime/loop";
import { Latest } from "../latest.ts";
import { injectBundle } from "./ca-bundle.ts";
import { authorityValidity, type CertificateTools, type KeyPair, serverValidity } from "./certificate.ts";
import { planFor, readStored, type StoredCertificates, secretData, trustBundle } from "./stored.ts";

interface KeeperDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  readonly tools: CertificateTools;
  /** Secret that holds authority and server certificate. */
  readonly secretName: string;
  /** Service by which the API server reaches the webhooks. */
  readonly serviceName: string;
  readonly configurationName: string;
  /** Called with the certificate to serve: the first time to begin, later to change over. */
  readonly serve: (pair: KeyPair) => Promise<void>;
}

/** How long API servers may need to take a new bundle in before a certificate by a new authority is shown to them. */
const TRUST_MS = 10_000;
/** Somebody else created the Secret at the same moment: what they made counts. */
const READ_AGAIN_MS = 50;

/**
 * Keeps the webhooks' certificate in one Secret that all replicas share, new
 * before it expires, and trusted: `caBundle` of the webhook configuration
 * holds the authority, over a change both the old and the new one. Of replicas
 * that act at once one wins (resourceVersion), and the others take what it made.
 */
export class CertificateKeeper {
  readonly #deps: KeeperDeps;
  readonly #secrets: ObjectCache<Secret>;
  readonly #configurations: ObjectCache<ValidatingWebhookConfiguration>;
  readonly #latest: Latest<Secret>;
  readonly #latestConfiguration: Latest<ValidatingWebhookConfiguration>;
  #served: { readonly server: KeyPair; readonly authority: string } | null = null;
  #trusted: { readonly bundle: string; readonly since: number } | null = null;

  constructor(deps: KeeperDeps) {
    const { cluster, namespace, secretName, configurationName } = deps;
    this.#deps = deps;
    this.#secrets = cluster.cache(SECRETS, { namespace, fieldSelector: `metadata.name=${secretName}` });
    this.#configurations = cluster.cache(VALIDATING_WEBHOOK_CONFIGURATIONS, {
      fieldSelector: `metadata.name=${configurationName}`,
    });
    this.#latest = new Latest(this.#secrets);
    this.#latestConfiguration = new Latest(this.#configurations);
  }

  /** Calls `enqueue` whenever there may be something to do. */
  follow(enqueue: () => void): void {
    const { namespace, secretName, configurationName } = this.#deps;
    this.#secrets.onChange((key) => {
      if (key === `${namespace}/${secretName}`) enqueue();
    });
    this.#configurations.onChange((key) => {
      if (key === configurationName) enqueue();
    });
  }

  async reconcile(signal: AbortSignal): Promise<Next> {
    const { clock, tools } = this.#deps;
    const stored = await this.#valid(signal);
    if (stored === null) return { requeueAfterMs: READ_AGAIN_MS };
    const now = clock.now();
    if (this.#served === null) await this.#serve(stored);
    const bundle = trustBundle(stored, this.#served?.authority ?? "", { tools, now });
    await this.#trust(bundle, signal);
    const { authority, server } = stored;
    if (this.#served?.server.cert !== server.cert) {
      const wait = this.#served?.authority === authority.cert ? 0 : this.#untilTrusted();
      if (wait > 0) return { requeueAfterMs: wait };
      await this.#serve(stored);
    }
    const plan = planFor(stored, this.#names().slice(0, 1), { tools, now });
    return { requeueAfterMs: plan.kind === "keep" ? plan.lookAgainMs : READ_AGAIN_MS };
  }

  /** What the Secret holds, made new where needed; null when somebody else was faster. */
  async #valid(signal: AbortSignal): Promise<StoredCertificates | null> {
    const { cluster, clock, tools, namespace, secretName, log } = this.#deps;
    const key = `${namespace}/${secretName}`;
    const secret = this.#latest.get(key) ?? (await this.#read(signal));
    const stored = readStored(secret);
    const plan = planFor(stored, this.#names().slice(0, 1), { tools, now: clock.now() });
    if (plan.kind === "keep") return stored;
    const made = await this.#make(stored, plan.kind);
    const data = secretData(made);
    try {
      const written =
        secret === null
          ? await cluster.create(
              SECRETS,
              { apiVersion: "v1", kind: "Secret", metadata: { name: secretName, namespace }, type: "Opaque", data },
              { signal },
            )
          : await cluster.patch(
              SECRETS,
              { name: secretName, namespace },
              { kind: "merge", body: { metadata: { resourceVersion: secret.metadata.resourceVersion }, data }, signal },
            );
      this.#latest.put(keyOf(written), written);
    } catch (thrown) {
      const { code } = Fault.from(thrown);
      if (code === "already_exists" || code === "conflict") return null;
      throw thrown;
    }
    log.info("webhook certificate renewed", { what: plan.kind, secret: secretName });
    return made;
  }

  async #make(stored: StoredCertificates, what: "server" | "authority"): Promise<StoredCertificates> {
    const { tools, clock, serviceName, namespace, log } = this.#deps;
    const now = clock.now();
    const sign = (authority: KeyPair) => tools.createServer(authority, this.#names(), serverValidity(now));
    if (what === "server") {
      try {
        return { ...stored, server: await sign(stored.authority) };
      } catch (thrown) {
        // Somebody else's authority may have a kind of key that cannot be used here: what it signed serves until it is due.
        log.info("the webhooks get a new authority", { why: Fault.from(thrown).message });
      }
    }
    const authority = await tools.createAuthority(`${serviceName}.${namespace} authority`, authorityValidity(now));
    // Somebody may have emptied the Secret: what is still being served must stay trusted.
    const previous = stored.authority.cert || (this.#served?.authority ?? "");
    return { authority, server: await sign(authority), previous };
  }

  /** Nothing to do while there is no webhook configuration: it comes with the manifests, perhaps later. */
  async #trust(bundle: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, configurationName, serviceName, namespace } = this.#deps;
    const configuration = this.#latestConfiguration.get(configurationName);
    if (configuration !== undefined) {
      const service = { name: serviceName, namespace };
      const written = await injectBundle(cluster, configuration, bundle, { service, signal });
      this.#latestConfiguration.put(configurationName, written);
    }
    if (this.#trusted?.bundle !== bundle) this.#trusted = { bundle, since: clock.monotonic() };
  }

  /** Milliseconds until API servers can be expected to trust the bundle. */
  #untilTrusted(): number {
    const now = this.#deps.clock.monotonic();
    return TRUST_MS - (now - (this.#trusted?.since ?? now));
  }

  async #serve({ server, authority }: StoredCertificates): Promise<void> {
    await this.#deps.serve(server);
    this.#served = { server, authority: authority.cert };
  }

  /** As API servers call the Service, and after that as others may. */
  #names(): readonly string[] {
    const name = `${this.#deps.serviceName}.${this.#deps.namespace}`;
    return [`${name}.svc`, `${name}.svc.cluster.local`, name];
  }

  // The cache may not have seen yet what is there.
  async #read(signal: AbortSignal): Promise<Secret | null> {
    const { cluster, secretName, namespace } = this.#deps;
    try {
      return await cluster.get(SECRETS, { name: secretName, namespace }, signal);
    } catch (thrown) {
      if (Fault.from(thrown).code === "not_found") return null;
      throw thrown;
    }
  }
}
