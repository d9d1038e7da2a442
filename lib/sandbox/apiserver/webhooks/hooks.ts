import type { Json } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { at, isObject, listAt, numberAt, objectAt, textAt, textList } from "../json.ts";
import { bucketOf } from "../resource.ts";

export interface HookRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

/** Where a webhook is: at a URL on loopback, or behind a Service. */
export type HookTarget =
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "service";
      readonly namespace: string;
      readonly name: string;
      readonly path: string;
      readonly port: number;
    };

interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** One entry of `webhooks` of a ValidatingWebhookConfiguration, read once. */
export interface Hook {
  readonly name: string;
  readonly rules: readonly HookRule[];
  readonly target: HookTarget;
  /** PEM; "" trusts what Node trusts. */
  readonly ca: string;
  readonly ignoreFailure: boolean;
  readonly equivalent: boolean;
  readonly namespaceSelector: Json;
  readonly objectSelector: Json;
  readonly conditions: readonly MatchCondition[];
  readonly timeoutMs: number;
}

export const WEBHOOK_BUCKET = bucketOf("admissionregistration.k8s.io", "validatingwebhookconfigurations");

/** The webhooks that are configured now, by name of their configuration; a change is in force with the next write. */
export class HookTable {
  readonly #store: Store;
  #seen = -1;
  #hooks: readonly Hook[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  all(): readonly Hook[] {
    const version = this.#store.version(WEBHOOK_BUCKET);
    if (version !== this.#seen) {
      this.#seen = version;
      this.#hooks = this.#store
        .list(WEBHOOK_BUCKET)
        .flatMap((entry) => listAt(entry.object, "webhooks").filter(isObject))
        .map(readHook);
    }
    return this.#hooks;
  }
}

function readHook(webhook: Json): Hook {
  const client = objectAt(webhook, "clientConfig");
  const service = at(client, "service");
  return {
    name: textAt(webhook, "name"),
    rules: listAt(webhook, "rules").map((rule) => ({
      operations: textList(at(rule, "operations")),
      apiGroups: textList(at(rule, "apiGroups")),
      apiVersions: textList(at(rule, "apiVersions")),
      resources: textList(at(rule, "resources")),
      scope: textAt(rule, "scope") || "*",
    })),
    target: isObject(service)
      ? {
          kind: "service",
          namespace: textAt(service, "namespace"),
          name: textAt(service, "name"),
          path: textAt(service, "path"),
          port: numberAt(service, "port") ?? 443,
        }
      : { kind: "url", url: textAt(client, "url") },
    ca: Buffer.from(textAt(client, "caBundle"), "base64").toString("utf8"),
    ignoreFailure: textAt(webhook, "failurePolicy") === "Ignore",
    equivalent: textAt(webhook, "matchPolicy") !== "Exact",
    namespaceSelector: objectAt(webhook, "namespaceSelector"),
    objectSelector: objectAt(webhook, "objectSelector"),
    conditions: listAt(webhook, "matchConditions").map((one) => ({
      name: textAt(one, "name"),
      expression: textAt(one, "expression"),
    })),
    timeoutMs: (numberAt(webhook, "timeoutSeconds") ?? 10) * 1000,
  };
}
