import { duplicate, forbidden, invalid, notSupported, required } from "./causes.ts";
import type { Cause, Json, JsonValue } from "./definition.ts";
import { arr, at, fill, metaOf, num, obj, objects, str } from "./json.ts";
import { checkLabels, checkSubdomain } from "./names.ts";

const RULES = (rule: Json): Json => fill(rule, { scope: "*" });

/** What the server fills in (admissionregistration v1 defaults). */
export function defaultWebhooks(configuration: Json): Json {
  if (!Array.isArray(configuration.webhooks)) return configuration;
  const webhooks = configuration.webhooks.map((webhook): JsonValue => {
    if (typeof webhook !== "object" || webhook === null || Array.isArray(webhook)) return webhook;
    const filled = fill(webhook, {
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    });
    const client = obj(filled.clientConfig);
    const service = client.service === undefined ? {} : { service: fill(obj(client.service), { port: 443 }) };
    return {
      ...filled,
      ...(filled.clientConfig === undefined ? {} : { clientConfig: { ...client, ...service } }),
      ...(Array.isArray(filled.rules) ? { rules: objects(filled.rules).map(RULES) } : {}),
    };
  });
  return { ...configuration, webhooks };
}

/** What makes a ValidatingWebhookConfiguration unusable, in the server's words. */
export function validateWebhooks(configuration: Json): readonly Cause[] {
  const names = new Set<string>();
  const causes = objects(configuration.webhooks).flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const name = str(webhook.name);
    const twice = names.has(name) ? [duplicate(`${path}.name`, name)] : [];
    names.add(name);
    return [...webhookCauses(path, webhook), ...twice];
  });
  return [...checkSubdomain("metadata.name", str(metaOf(configuration).name)), ...causes];
}

/** The sandbox calls no mutating webhooks; accepting their configuration would promise that it does. */
export function refuseMutating(): readonly Cause[] {
  return [forbidden("webhooks", "the Berth sandbox calls validating webhooks only, no mutating ones")];
}

function webhookCauses(path: string, webhook: Json): readonly Cause[] {
  const oneOf = (field: string, values: readonly string[]) => {
    const value = str(webhook[field]);
    return values.includes(value) ? [] : [notSupported(`${path}.${field}`, value, values)];
  };
  const timeout = num(webhook.timeoutSeconds);
  const sides = str(webhook.sideEffects);
  return [
    ...nameCauses(`${path}.name`, str(webhook.name)),
    ...versionCauses(`${path}.admissionReviewVersions`, arr(webhook.admissionReviewVersions).map(str)),
    ...objects(webhook.rules).flatMap((rule, index) => ruleCauses(`${path}.rules[${index}]`, rule)),
    ...oneOf("failurePolicy", ["Fail", "Ignore"]),
    ...oneOf("matchPolicy", ["Equivalent", "Exact"]),
    ...(sides === ""
      ? [required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun")]
      : oneOf("sideEffects", ["None", "NoneOnDryRun"])),
    ...(timeout < 1 || timeout > 30
      ? [invalid(`${path}.timeoutSeconds`, timeout, "the timeout value must be between 1 and 30 seconds")]
      : []),
    ...selectorCauses(`${path}.namespaceSelector`, obj(webhook.namespaceSelector)),
    ...selectorCauses(`${path}.objectSelector`, obj(webhook.objectSelector)),
    ...clientCauses(`${path}.clientConfig`, obj(webhook.clientConfig)),
    ...conditionCauses(`${path}.matchConditions`, objects(webhook.matchConditions)),
  ];
}

function nameCauses(field: string, name: string): readonly Cause[] {
  if (name === "") return [required(field)];
  const causes = checkSubdomain(field, name);
  if (causes.length > 0) return causes;
  const few = name.split(".").length < 3;
  return few ? [invalid(field, name, "should be a domain with at least three segments separated by dots")] : [];
}

function versionCauses(field: string, versions: readonly string[]): readonly Cause[] {
  if (versions.length === 0) return [required(field, "must specify one of v1, v1beta1")];
  const twice = versions.find((version, index) => versions.indexOf(version) !== index);
  if (twice !== undefined) return [invalid(`${field}[${versions.lastIndexOf(twice)}]`, twice, "duplicate version")];
  if (versions.includes("v1")) return [];
  const why = versions.includes("v1beta1")
    ? "the Berth sandbox speaks v1 only: must include v1"
    : "must include at least one of v1, v1beta1";
  return [invalid(field, versions, why)];
}

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

function ruleCauses(path: string, rule: Json): readonly Cause[] {
  const list = (field: string) => arr(rule[field]).map(str);
  const starred = (field: string, what: string) =>
    list(field).length > 1 && list(field).includes("*")
      ? [invalid(`${path}.${field}`, list(field), `if '*' is present, must not specify other ${what}`)]
      : [];
  const needed = (field: string) => (list(field).length === 0 ? [required(`${path}.${field}`)] : []);
  const operations = list("operations").flatMap((one, index) =>
    OPERATIONS.includes(one) ? [] : [notSupported(`${path}.operations[${index}]`, one, OPERATIONS)],
  );
  const blank = ["apiVersions", "resources"].flatMap((field) =>
    list(field).flatMap((one, index) => (one === "" ? [required(`${path}.${field}[${index}]`)] : [])),
  );
  const scope = str(rule.scope);
  const scopes = ["*", "Cluster", "Namespaced"];
  return [
    ...needed("operations"),
    ...operations,
    ...starred("operations", "operations"),
    ...needed("apiGroups"),
    ...starred("apiGroups", "API groups"),
    ...needed("apiVersions"),
    ...starred("apiVersions", "API versions"),
    ...needed("resources"),
    ...blank,
    ...resourceCauses(`${path}.resources`, list("resources")),
    ...(scopes.includes(scope) ? [] : [notSupported(`${path}.scope`, scope, scopes)]),
  ];
}

/** Patterns that say the same twice are refused, as by the real server. */
function resourceCauses(field: string, resources: readonly string[]): readonly Cause[] {
  if (resources.includes("*/*") && resources.length > 1) {
    return [invalid(field, resources, "if '*/*' is present, must not specify other resources")];
  }
  return resources.flatMap((resource, index) => {
    const [main, part] = resource.split("/");
    const at = `${field}[${index}]`;
    if (part !== undefined && part !== "*" && resources.includes(`${main}/*`)) {
      return [invalid(at, resource, `if '${main}/*' is present, must not specify ${resource}`)];
    }
    if (part !== undefined && main !== "*" && resources.includes(`*/${part}`)) {
      return [invalid(at, resource, `if '*/${part}' is present, must not specify ${resource}`)];
    }
    if (part === undefined && main !== "*" && resources.includes("*")) {
      return [invalid(at, resource, "if '*' is present, must not specify other resources without subresources")];
    }
    return [];
  });
}

function selectorCauses(path: string, selector: Json): readonly Cause[] {
  const terms = objects(selector.matchExpressions).flatMap((term, index) => {
    const here = `${path}.matchExpressions[${index}]`;
    const count = arr(term.values).length;
    switch (term.operator) {
      case "In":
      case "NotIn":
        return count > 0 ? [] : [required(`${here}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
      case "Exists":
      case "DoesNotExist":
        return count === 0
          ? []
          : [forbidden(`${here}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
      default:
        return [invalid(`${here}.operator`, term.operator ?? "", "not a valid selector operator")];
    }
  });
  return [...checkLabels(`${path}.matchLabels`, selector.matchLabels), ...terms];
}

const FORMAT = "desired format: https://host[:port]/path";

function clientCauses(path: string, client: Json): readonly Cause[] {
  const url = client.url;
  const service = client.service;
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  return url === undefined ? serviceCauses(`${path}.service`, obj(service)) : urlCauses(`${path}.url`, str(url));
}

function serviceCauses(path: string, service: Json): readonly Cause[] {
  const port = num(service.port);
  const route = str(service.path);
  return [
    ...(str(service.name) === "" ? [required(`${path}.name`, "service name is required")] : []),
    ...(str(service.namespace) === "" ? [required(`${path}.namespace`, "service namespace is required")] : []),
    ...(port < 1 || port > 65535
      ? [invalid(`${path}.port`, port, "port is not valid: must be between 1 and 65535, inclusive")]
      : []),
    ...(route !== "" && !route.startsWith("/") ? [invalid(`${path}.path`, route, "must start with a '/'")] : []),
    ...(/^\/.*\/\//.test(route) ? [invalid(`${path}.path`, route, "segment[1] may not be empty")] : []),
  ];
}

function urlCauses(field: string, text: string): readonly Cause[] {
  if (text.length > 4096 || !URL.canParse(text)) return [required(field, `url must be a valid URL; ${FORMAT}`)];
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const wrong = (why: string) => invalid(field, text, why);
  return [
    ...(url.protocol === "https:" ? [] : [wrong(`'https' is the only allowed URL scheme; ${FORMAT}`)]),
    ...(host === "" ? [wrong(`host must be specified; ${FORMAT}`)] : []),
    ...(url.username !== "" ? [wrong("user information is not permitted in the URL")] : []),
    ...(url.hash !== "" ? [wrong("fragments are not permitted in the URL")] : []),
    ...(url.search !== "" ? [wrong("query parameters are not permitted in the URL")] : []),
    ...(host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)
      ? []
      : [wrong("the Berth sandbox calls webhooks on loopback addresses only")]),
  ];
}

const CONDITIONS_MAX = 64;

function conditionCauses(path: string, conditions: readonly Json[]): readonly Cause[] {
  if (conditions.length > CONDITIONS_MAX) {
    return [invalid(path, conditions.length, `must have at most ${CONDITIONS_MAX} items`)];
  }
  const seen = new Set<string>();
  return conditions.flatMap((condition, index) => {
    const here = `${path}[${index}]`;
    const name = str(at(condition, "name"));
    const twice = seen.has(name) ? [duplicate(`${here}.name`, name)] : [];
    seen.add(name);
    const expression = str(condition.expression).trim();
    return [
      ...(name === "" ? [required(`${here}.name`)] : []),
      ...twice,
      ...(expression === "" ? [required(`${here}.expression`)] : []),
    ];
  });
}
