import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { startTestApi, type TestApi } from "../support/api-server.ts";
import { ALLOW, startWebhook, type WebhookServer } from "../support/webhook-server.ts";

export const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
export const MAPS = "/api/v1/namespaces/default/configmaps";
export const RULE = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["configmaps"] };

export let api: TestApi;
export let webhook: WebhookServer;

/** An API server and a webhook for the tests of a file; before each test the webhook allows, after it nothing is configured. */
export function withWebhook(): void {
  beforeAll(async () => {
    api = await startTestApi();
    webhook = await startWebhook();
  });
  afterAll(async () => {
    await api.close();
    await webhook.close();
  });
  beforeEach(() => {
    webhook.asked.length = 0;
    webhook.answer = () => ALLOW;
  });
  afterEach(async () => {
    const { body } = await api.send("GET", CONFIGURATIONS);
    for (const one of body.items) await api.send("DELETE", `${CONFIGURATIONS}/${one.metadata.name}`);
  });
}

/** A webhook about ConfigMaps that asks this server. */
export function hook(more: object = {}, name = "maps.check.example.org") {
  return {
    name,
    clientConfig: { url: webhook.url, caBundle: webhook.caBundle },
    rules: [RULE],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    ...more,
  };
}

/** Creates a configuration with these webhooks. */
export async function configure(...webhooks: readonly object[]) {
  const reply = await api.send("POST", CONFIGURATIONS, { metadata: { generateName: "check-" }, webhooks });
  expect(reply.code, reply.text).toBe(201);
  return reply.body;
}

/** The request of the nth review. */
export function asked(index = 0) {
  return webhook.asked[index]?.request;
}
