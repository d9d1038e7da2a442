import { execFile } from "node:child_process";
import { expect, it } from "vitest";

/** What the verb says about these flags outside a pod. */
function outside(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, KUBERNETES_SERVICE_HOST: "" };
  return new Promise((resolve) => {
    execFile(process.execPath, ["bin/berth.mjs", ...args], { env, timeout: 20_000 }, (_error, out, err) =>
      resolve(`${out}${err}`),
    );
  });
}

const COMMON = [
  "--port=0",
  "--log-level=info",
  "--lb-class=metallb",
  "--namespace=metallb-system",
  "--pod-name=p",
  "--tls-min-version=VersionTLS12",
  "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "--tls-curve-preferences=29,23",
  "--metrics-cert-dir=/etc/metrics",
  "--pprof-bind-address=127.0.0.1:6060",
];
const WEBHOOKS = [
  "--webhook-mode=enabled",
  "--cert-service-name=metallb-webhook-service",
  "--webhook-secret=metallb-webhook-cert",
  "--cert-dir=/tmp/k8s-webhook-server/serving-certs",
  "--disable-cert-rotation=true",
  "--webhook-http2=false",
  "--deployment=controller",
];

it.each([
  ["controller", [...COMMON, ...WEBHOOKS]],
  ["speaker", ["--node-name=n", ...COMMON]],
])("the %s takes the flags that upstream's manifests give it about webhooks, metrics and TLS", async (verb, flags) => {
  expect(await outside(verb, ...flags)).toContain("not in a pod: KUBERNETES_SERVICE_HOST");
});

it.each([
  ["--webhook-mode=maybe", "--webhook-mode maybe: must be one of enabled, disabled, onlywebhook."],
  ["--webhook-port=0", "--webhook-port 0: must be a whole number from 1 to 65535."],
  ["--tls-min-version=SSLv3", "--tls-min-version SSLv3: must be VersionTLS12 or VersionTLS13."],
])("%s is refused in words", async (flag, sentence) => {
  expect(await outside("controller", flag)).toContain(sentence);
});

it.each(["maybe", "YES", ""])("--keep-connections=%s is refused in words", async (value) => {
  const said = await outside("speaker", "--node-name=n", `--keep-connections=${value}`);
  expect(said).toContain(`--keep-connections ${value}: must be "auto", "yes" or "no".`);
});
