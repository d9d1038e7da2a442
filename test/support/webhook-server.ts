import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createServerCertificate } from "#main/certificates";

/** The request of an AdmissionReview, as it arrived. */
// A test looks into it freely; what is not there is undefined and fails the expectation.
// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
export type Asked = any;

/** What to answer: the `response` of an AdmissionReview (its uid is filled in), or raw text, or nothing ever. */
export type Answer =
  | { readonly kind: "response"; readonly response: object }
  | { readonly kind: "raw"; readonly code?: number; readonly text: string }
  | { readonly kind: "silence" }
  | { readonly kind: "hang-up" };

export interface WebhookServer {
  readonly port: number;
  readonly url: string;
  /** For `clientConfig.caBundle`. */
  readonly caBundle: string;
  /** Every request so far, path and body. */
  readonly asked: { readonly path: string; readonly request: Asked }[];
  answer: (request: Asked, path: string) => Answer | Promise<Answer>;
  close(): Promise<void>;
}

export const ALLOW: Answer = { kind: "response", response: { allowed: true } };

export function deny(message: string, more: object = {}): Answer {
  return { kind: "response", response: { allowed: false, status: { message, ...more } } };
}

/** A real HTTPS webhook on `host` whose answers the test chooses; allows everything until told otherwise. */
export async function startWebhook(
  options: { readonly host?: string; readonly port?: number; readonly dns?: readonly string[] } = {},
): Promise<WebhookServer> {
  const { host = "127.0.0.1", port = 0, dns = ["localhost"] } = options;
  const tls = await createServerCertificate({ dns, ip: [host] });
  const asked: { path: string; request: Asked }[] = [];
  const server: Server = createServer({ key: tls.key, cert: tls.cert });
  const webhook: WebhookServer = {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    get url() {
      return `https://${host}:${this.port}/validate`;
    },
    caBundle: Buffer.from(tls.ca).toString("base64"),
    asked,
    answer: () => ALLOW,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const review = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const path = request.url ?? "";
    asked.push({ path, request: review.request });
    const answer = await webhook.answer(review.request, path);
    switch (answer.kind) {
      case "response": {
        const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ ...body, response: { uid: review.request.uid, ...answer.response } }));
        return;
      }
      case "raw":
        response.statusCode = answer.code ?? 200;
        response.end(answer.text);
        return;
      case "hang-up":
        response.destroy();
        return;
      case "silence":
        return;
    }
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return webhook;
}
