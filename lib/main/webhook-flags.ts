import { WEBHOOKS } from "#api/names";
import type { WebhookDeps } from "#controller/webhooks/start";
import { Fault } from "#core/errors";
import type { TlsSettings } from "#runtime/https-server";
import { startJsonServer } from "#runtime/json-server";
import { certificateTools, readKeyPair } from "./certificate-tools.ts";
import { integer } from "./flags.ts";

/** Flags about admission webhooks (metallb.md 5.6). */
export const WEBHOOK_OPTIONS = {
  "webhook-mode": { type: "string" },
  "webhook-port": { type: "string" },
  "webhook-secret": { type: "string" },
  "webhook-http2": { type: "boolean" },
  "cert-service-name": { type: "string" },
  "cert-dir": { type: "string" },
  "disable-cert-rotation": { type: "boolean" },
} as const;

export const WEBHOOK_HELP = `  --webhook-mode enabled       enabled, disabled, or onlywebhook (assigns nothing)
  --webhook-port 9443          where the API server asks for verdicts
  --cert-service-name metallb-webhook-service   the Service it asks by
  --webhook-secret metallb-webhook-cert         where the certificate is kept
  --disable-cert-rotation      somebody else makes it: tls.crt and tls.key of --cert-dir
  --cert-dir DIR               /tmp/k8s-webhook-server/serving-certs
  --webhook-http2              taken for compatibility; webhooks are served by HTTP/1.1`;

const MODES = ["enabled", "disabled", "onlywebhook"] as const;

type WebhookFlags = {
  readonly [name in keyof typeof WEBHOOK_OPTIONS]?:
    | ((typeof WEBHOOK_OPTIONS)[name] extends { readonly type: "boolean" } ? boolean : string)
    | undefined;
};

/** What runs, and how webhooks are served. Throws Fault `invalid` naming a flag that cannot be used. */
export function webhookSettings(
  values: WebhookFlags,
  pod: { readonly host: string; readonly tls: TlsSettings; readonly path: (path: string) => string },
): { readonly mode: (typeof MODES)[number]; readonly serve: Pick<WebhookDeps, "certificates" | "listen"> } {
  const wanted = values["webhook-mode"] ?? "enabled";
  const mode = MODES.find((known) => known === wanted);
  if (mode === undefined) throw new Fault("invalid", `--webhook-mode ${wanted}: must be one of ${MODES.join(", ")}.`);
  const port = integer("--webhook-port", values["webhook-port"], 9443, 1, 65535);
  const directory = pod.path(values["cert-dir"] || "/tmp/k8s-webhook-server/serving-certs");
  const certificates: WebhookDeps["certificates"] =
    values["disable-cert-rotation"] === true
      ? { kind: "files", read: () => readKeyPair(directory) }
      : {
          kind: "managed",
          tools: certificateTools,
          secretName: values["webhook-secret"] || WEBHOOKS.secret,
          serviceName: values["cert-service-name"] || WEBHOOKS.service,
        };
  const { host, tls } = pod;
  return {
    mode,
    serve: { certificates, listen: (certificate, handle) => startJsonServer({ host, port, tls, certificate, handle }) },
  };
}
