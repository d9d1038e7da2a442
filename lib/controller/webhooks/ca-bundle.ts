import type { ValidatingWebhook, ValidatingWebhookConfiguration } from "#api/admission";
import { VALIDATING_WEBHOOK_CONFIGURATIONS } from "#api/resources";
import type { Cluster } from "#kube/port";

/** `caBundle` of every webhook that is `service`'s, set to `bundle` (PEM); null when nothing has to be changed. */
function withBundle(
  configuration: ValidatingWebhookConfiguration,
  bundle: string,
  service: { readonly name: string; readonly namespace: string },
): readonly ValidatingWebhook[] | null {
  const { webhooks = [] } = configuration;
  const caBundle = btoa(bundle);
  const isOurs = ({ clientConfig }: ValidatingWebhook) =>
    clientConfig?.service?.name === service.name && clientConfig.service.namespace === service.namespace;
  const isStale = (webhook: ValidatingWebhook) => isOurs(webhook) && webhook.clientConfig.caBundle !== caBundle;
  if (!webhooks.some(isStale)) return null;
  return webhooks.map((webhook) =>
    isStale(webhook) ? { ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } } : webhook,
  );
}

/** Makes the API server trust `bundle` for our webhooks. Throws Fault `conflict` when somebody else wrote meanwhile. */
export async function injectBundle(
  cluster: Cluster,
  configuration: ValidatingWebhookConfiguration,
  bundle: string,
  context: { readonly service: { readonly name: string; readonly namespace: string }; readonly signal: AbortSignal },
): Promise<ValidatingWebhookConfiguration> {
  const webhooks = withBundle(configuration, bundle, context.service);
  if (webhooks === null) return configuration;
  const { name = "", resourceVersion } = configuration.metadata;
  const body = { metadata: { resourceVersion }, webhooks };
  return cluster.patch(VALIDATING_WEBHOOK_CONFIGURATIONS, { name }, { kind: "merge", body, signal: context.signal });
}
