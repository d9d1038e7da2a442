import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { beforeEach, describe, expect, it } from "vitest";
import type { ValidatingWebhookConfiguration } from "#api/admission";
import { SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS } from "#api/resources";
import { type CertificateFacts, type KeyPair, planRotation } from "#controller/webhooks/certificate";
import { CertificateKeeper } from "#controller/webhooks/certificate-keeper";
import { startWebhooks } from "#controller/webhooks/start";
import { Fault } from "#core/errors";
import { certificateTools, readKeyPair } from "#main/certificate-tools";
import { createSigned } from "#main/certificates";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Runner } from "#runtime/runner";
import { MemoryServer } from "../support/memory-cluster.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const NS = "metallb-system";
const DAY = 24 * 3600 * 1000;
const NAME = "metallb-webhook-configuration";
const SECRET = `${NS}/metallb-webhook-cert`;
const signal = new AbortController().signal;

describe("a certificate is made anew", () => {
  const facts = (over: Partial<CertificateFacts> = {}): CertificateFacts => ({
    notBefore: 0,
    notAfter: 90 * DAY,
    names: ["a.b.svc"],
    hasKey: true,
    isSigned: true,
    ...over,
  });
  const authority = facts({ names: [], notAfter: 730 * DAY });
  const rows: readonly (readonly [string, CertificateFacts | null, CertificateFacts | null, number, string])[] = [
    ["when there is none", null, null, 1, "authority"],
    ["never while both have more than a third of their life left", authority, facts(), 59 * DAY, "keep"],
    ["the server's, when a third of its life is left", authority, facts(), 60 * DAY, "server"],
    [
      "the authority too, when a third of its life is left",
      authority,
      facts({ notAfter: 999 * DAY }),
      487 * DAY,
      "authority",
    ],
    ["when it has expired", authority, facts(), 91 * DAY, "server"],
    ["when it is not valid yet", authority, facts({ notBefore: 2 * DAY }), DAY, "server"],
    ["when its key is lost", authority, facts({ hasKey: false }), 1, "server"],
    ["when another authority signed it", authority, facts({ isSigned: false }), 1, "server"],
    ["when the Service has another name", authority, facts({ names: ["x.b.svc"] }), 1, "server"],
    ["when the authority's key is lost", facts({ hasKey: false }), facts(), 1, "authority"],
  ];
  it.each(rows)("%s", (_name, ca, server, now, expected) => {
    expect(planRotation({ authority: ca, server }, ["a.b.svc"], now).kind).toBe(expected);
  });
  it("and looked at again twice a day at least", () => {
    const plan = planRotation({ authority, server: facts() }, ["a.b.svc"], 1);
    expect(plan).toEqual({ kind: "keep", lookAgainMs: DAY / 2 });
  });
});

const clock = new VirtualClock();
let server: MemoryServer;

class Replica {
  readonly shown: KeyPair[] = [];
  readonly cluster = server.connect();
  readonly keeper = new CertificateKeeper({
    cluster: this.cluster,
    clock,
    log: silentLog,
    namespace: NS,
    tools: certificateTools,
    secretName: "metallb-webhook-cert",
    serviceName: "metallb-webhook-service",
    configurationName: NAME,
    serve: async (pair) => void this.shown.push(pair),
  });

  /** Until it has nothing to do for a while; at most ten rounds. */
  async settle(afterRound = () => undefined as unknown): Promise<void> {
    for (let round = 0; round < 10; round++) {
      const { requeueAfterMs = 0 } = await this.keeper.reconcile(signal).catch(again);
      afterRound();
      if (requeueAfterMs > 60_000) return;
      clock.advance(requeueAfterMs);
    }
    expect.fail("it never settles");
  }

  get served(): string {
    return this.shown.at(-1)?.cert ?? "";
  }
}

/** As the loop does: somebody else wrote first. */
function again(thrown: unknown) {
  if (Fault.from(thrown).code !== "conflict") throw thrown;
  return { requeueAfterMs: 100 };
}

const bundle = () => {
  const webhooks = server.at(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)?.webhooks ?? [];
  return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
};
const authorities = () => bundle().match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
/** As an API server does it. */
const isTrusted = (cert: string) =>
  authorities().some((ca) => new X509Certificate(cert).verify(new X509Certificate(ca).publicKey));
const configure = () => {
  const service = { name: "metallb-webhook-service", namespace: NS };
  const webhooks = [
    { name: "ours", clientConfig: { service } },
    { name: "theirs", clientConfig: { service: { name: "other", namespace: NS }, caBundle: "dGhlaXJz" } },
  ];
  server.set<ValidatingWebhookConfiguration>(VALIDATING_WEBHOOK_CONFIGURATIONS, { metadata: { name: NAME }, webhooks });
};

describe("the keeper of the webhooks' certificate", () => {
  beforeEach(() => {
    server = new MemoryServer(clock);
    configure();
  });

  it("makes one for the names of the Service, keeps it in the Secret and has the API server trust it", async () => {
    const one = new Replica();
    await one.settle();
    expect(new X509Certificate(one.served).subjectAltName).toContain("DNS:metallb-webhook-service.metallb-system.svc");
    expect(Object.keys(server.at(SECRETS, SECRET)?.data ?? {})).toEqual(
      expect.arrayContaining(["ca.crt", "ca.key", "tls.crt", "tls.key"]),
    );
    expect(isTrusted(one.served)).toBe(true);
    expect(server.at(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME)?.webhooks?.[1]?.clientConfig.caBundle).toBe("dGhlaXJz");
  });

  it("takes a valid one that it finds, and writes nothing then", async () => {
    await new Replica().settle();
    const writes = server.writes.length;
    const next = new Replica();
    await next.settle();
    expect(isTrusted(next.served)).toBe(true);
    expect(server.writes.length).toBe(writes);
  });

  it("agrees with replicas that start at the same moment, on one", async () => {
    const replicas = [new Replica(), new Replica(), new Replica()];
    await Promise.all(replicas.map((replica) => replica.settle()));
    expect(new Set(replicas.map(({ served }) => served)).size).toBe(1);
    expect(server.writes.filter(({ plural }) => plural === "secrets")).toHaveLength(1);
  });

  it("agrees with replicas that renew at the same moment, though their caches are behind", async () => {
    const replicas = [new Replica(), new Replica()];
    for (const replica of replicas) await replica.settle();
    clock.advance(70 * DAY);
    for (const { cluster } of replicas) cluster.lag = true;
    await Promise.all(replicas.map(({ keeper }) => keeper.reconcile(signal)));
    for (const { cluster } of replicas) cluster.deliver();
    for (const replica of replicas) await replica.settle();
    expect(new Set(replicas.map(({ served }) => served)).size).toBe(1);
    expect(replicas.map(({ shown }) => shown.length)).toEqual([2, 2]);
  });

  it("never shows a certificate that the API server does not trust, over years of renewals with two replicas", async () => {
    const replicas = [new Replica(), new Replica()];
    const served = new Set<string>();
    const isSound = () => {
      for (const { served: cert } of replicas) if (cert !== "") expect(isTrusted(cert)).toBe(true);
    };
    for (let day = 0; day < 1000; day += 25) {
      for (const replica of replicas) await replica.settle(isSound);
      for (const replica of replicas) {
        const { validTo } = new X509Certificate(replica.served);
        expect(Date.parse(validTo)).toBeGreaterThan(clock.now());
        expect(isTrusted(replica.served)).toBe(true);
        served.add(replica.served);
      }
      expect(authorities().length).toBeLessThanOrEqual(2);
      clock.advance(25 * DAY);
    }
    expect(served.size).toBeGreaterThan(10);
    expect(new Set(server.writes.map(({ verb }) => verb))).toEqual(new Set(["create", "patch"]));
  });

  it("lets API servers take a new authority in before they are shown what it signed", async () => {
    const one = new Replica();
    await one.settle();
    server.delete(SECRETS, SECRET);
    let wait = 0;
    for (let round = 0; wait <= 1000 && round < 5; round++)
      wait = (await one.keeper.reconcile(signal)).requeueAfterMs ?? 0;
    expect(wait).toBeGreaterThan(5000);
    expect(authorities()).toHaveLength(2);
    expect(one.shown).toHaveLength(1);
    expect(isTrusted(one.served)).toBe(true);
    clock.advance(wait);
    await one.settle();
    expect(one.shown).toHaveLength(2);
    expect(isTrusted(one.served)).toBe(true);
  });

  it.each([
    ["another bundle was written", () => configure()],
    [
      "the configuration was deleted and made anew",
      () => {
        server.delete(VALIDATING_WEBHOOK_CONFIGURATIONS, NAME);
        configure();
      },
    ],
  ])("repairs the bundle when %s", async (_name, edit) => {
    const one = new Replica();
    await one.settle();
    let asked = 0;
    one.keeper.follow(() => asked++);
    edit();
    expect(asked).toBeGreaterThan(0);
    expect(isTrusted(one.served)).toBe(false);
    await one.settle();
    expect(isTrusted(one.served)).toBe(true);
  });

  it.each([
    ["empty, as upstream's manifests make it", {}],
    ["full of nonsense", { "ca.crt": "%%%", "ca.key": "eA==", "tls.crt": "eA==", "tls.key": "" }],
  ])("fills a Secret that is %s", async (_name, data) => {
    server.set(SECRETS, { metadata: { name: "metallb-webhook-cert", namespace: NS }, data });
    const one = new Replica();
    await one.settle();
    expect(isTrusted(one.served)).toBe(true);
  });

  it("goes on with the certificate that MetalLB left, and renews it without a moment of mistrust", async () => {
    const now = clock.now();
    const validity = { notBefore: now - DAY, notAfter: now + 3650 * DAY };
    const issuer = await rsaAuthority(validity);
    const dns = ["metallb-webhook-service.metallb-system.svc"];
    const { cert: leaf, key } = await createSigned(issuer, { common: "theirs", dns, ip: [] }, validity);
    const data = { "ca.crt": issuer.cert, "ca.key": issuer.key, "tls.crt": leaf, "tls.key": key };
    server.set(SECRETS, {
      metadata: { name: "metallb-webhook-cert", namespace: NS },
      data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, btoa(text)])),
    });
    const one = new Replica();
    await one.settle();
    expect(one.served).toBe(leaf);
    expect(isTrusted(leaf)).toBe(true);
    expect(server.writes.filter(({ plural }) => plural === "secrets")).toEqual([]);
    clock.advance(2500 * DAY);
    await one.settle();
    expect(one.served).not.toBe(leaf);
    expect(isTrusted(one.served)).toBe(true);
    expect(isTrusted(leaf)).toBe(true);
  });

  it("makes an authority of its own where it cannot sign with the one that it finds", async () => {
    clock.advance(400 * DAY);
    const pem = (what: string, text: string) => `-----BEGIN ${what}-----\n${text}\n-----END ${what}-----\n`;
    const data = { "ca.crt": btoa(pem("CERTIFICATE", P384.cert)), "ca.key": btoa(pem("PRIVATE KEY", P384.key)) };
    server.set(SECRETS, { metadata: { name: "metallb-webhook-cert", namespace: NS }, data });
    const one = new Replica();
    await one.settle();
    expect(isTrusted(one.served)).toBe(true);
    expect(authorities()).toHaveLength(2);
  });

  it("serves although it may not write the webhook configuration, and says so", async () => {
    server.fault = ({ plural }) =>
      plural === VALIDATING_WEBHOOK_CONFIGURATIONS.plural ? new Fault("forbidden", "no") : null;
    const one = new Replica();
    await expect(one.settle()).rejects.toMatchObject({ code: "forbidden" });
    expect(one.shown).toHaveLength(1);
  });
});

/** An authority over P-384, made with openssl for a hundred years; it signs nothing. */
const P384 = {
  cert:
    "MIIBvDCCAUKgAwIBAgIUd+y+pahGxrhVfCOd8Ify9zyCyxswCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJZWxzZXdoZXJlMCAXDTI2" +
    "MTEyMjIzMzYwNFoYDzIxMjYxMDI5MjMzNjA0WjAUMRIwEAYDVQQDDAllbHNld2hlcmUwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAATU" +
    "60sjDDAe6k9uuFi8EC+s6+aTV+99oOit+UKOmIBCWDNuTSjgzfD6LJgVM5jcytnGEcwBO9P9K/AehpctY5LoJQ/dHqD2eveKx9xA" +
    "dMuIB3AZKjet/Vvzfw/jQDTYtv2jUzBRMB0GA1UdDgQWBBQhF/rhUda4u3oqU8+YVz7x6RgKNzAfBgNVHSMEGDAWgBQhF/rhUda4" +
    "u3oqU8+YVz7x6RgKNzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA2gAMGUCMErhS/LTqkx/o9avsoS3ljKMBcGzFQek+zQC" +
    "eWaXVrle4j7ViJ+rIvwxKXguUTA04wIxAJOUmr91TnEWkOhLpBbwDqu9nOSBeEeznMX8s5UI8qZcHf0J2cTJal/qWPgVr3EmlQ==",
  key:
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDA3gpp/QWEJko5ieaaFs7gb5MVMw8qkWtO5pDCWwtA2a8AlbxxEKodm" +
    "n0yKZHpHcwihZANiAATU60sjDDAe6k9uuFi8EC+s6+aTV+99oOit+UKOmIBCWDNuTSjgzfD6LJgVM5jcytnGEcwBO9P9K/Aehpct" +
    "Y5LoJQ/dHqD2eveKx9xAdMuIB3AZKjet/Vvzfw/jQDTYtv0=",
};

describe("a certificate that somebody else makes (--disable-cert-rotation)", () => {
  it("is waited for, shown, and changed when its files change; nothing is written", async () => {
    server = new MemoryServer(clock);
    configure();
    const dir = mkdtempSync(join(tmpdir(), "berth-cert-"));
    const runner = new Runner(silentLog);
    const shown: string[] = [];
    try {
      const webhooks = startWebhooks(runner, {
        cluster: server.connect(),
        clock,
        log: silentLog,
        metrics: new Metrics(),
        namespace: NS,
        certificates: { kind: "files", read: () => readKeyPair(dir) },
        listen: async ({ cert }) => {
          shown.push(cert);
          return { renew: (pair) => void shown.push(pair.cert), close: async () => undefined };
        },
      });
      await clock.run(1000, 100);
      expect(webhooks.settled()).toBe(true);
      expect(shown).toEqual([]);
      const pairs = [await issue(), await issue()];
      for (const { cert, key } of pairs) {
        writeFileSync(join(dir, "tls.crt"), cert);
        writeFileSync(join(dir, "tls.key"), key);
        await clock.run(60_000, 1000);
      }
      expect(shown).toEqual(pairs.map(({ cert }) => cert));
      expect(server.writes).toEqual([]);
    } finally {
      runner.end("test");
      await runner.run(1000);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

function issue(): Promise<KeyPair> {
  const now = Date.now();
  return certificateTools.createAuthority("test", { notBefore: now - 1000, notAfter: now + DAY });
}

/** An authority with an RSA key, as MetalLB makes them. */
async function rsaAuthority({ notBefore, notAfter }: { notBefore: number; notAfter: number }): Promise<KeyPair> {
  const crypto = webcrypto as unknown as Crypto;
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  x509.cryptoProvider.set(crypto);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=cert,O=cert-controller",
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: cert.toString("pem"), key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}
