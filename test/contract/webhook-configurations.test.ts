import { describe, expect, it } from "vitest";
import { CONFIG_MAPS } from "#api/resources";
import { TOKENS } from "../support/api-server.ts";
import { deny, startWebhook } from "../support/webhook-server.ts";
import { api, asked, CONFIGURATIONS, configure, hook, MAPS, RULE, webhook, withWebhook } from "./webhook-rig.ts";

withWebhook();

describe("a webhook behind a Service", () => {
  it("is called at the shadow of a ready pod, under the Service's name", async () => {
    const pod = await startWebhook({ host: "127.244.77.9", dns: ["hooks.system.svc"] });
    try {
      await api.send("POST", "/api/v1/namespaces", { metadata: { name: "system" } });
      await api.send("POST", "/api/v1/namespaces/system/services", {
        metadata: { name: "hooks" },
        spec: { ports: [{ name: "https", port: 443, targetPort: pod.port }] },
      });
      const clientConfig = { service: { namespace: "system", name: "hooks", path: "/check" }, caBundle: pod.caBundle };
      await configure(hook({ clientConfig }));
      const before = await api.send("POST", MAPS, { metadata: { name: "svc" } });
      expect(before.body.message).toContain('no endpoints available for service "hooks"');
      await api.send("POST", "/apis/discovery.k8s.io/v1/namespaces/system/endpointslices", {
        metadata: { name: "hooks-1", labels: { "kubernetes.io/service-name": "hooks" } },
        addressType: "IPv4",
        endpoints: [
          { addresses: ["10.244.77.8"], conditions: { ready: false } },
          { addresses: ["10.244.77.9"], conditions: { ready: true } },
        ],
        ports: [{ name: "https", port: pod.port, protocol: "TCP" }],
      });
      const after = await api.send("POST", MAPS, { metadata: { name: "svc" } });
      expect(after.code, after.text).toBe(201);
      expect(pod.asked[0]?.path).toBe("/check?timeout=10s");
    } finally {
      await pod.close();
    }
  });
});

describe("a ValidatingWebhookConfiguration", () => {
  it("gets the server's defaults and columns", async () => {
    const made = await configure(hook({ clientConfig: { service: { namespace: "a", name: "b" } } }));
    expect(made.webhooks[0]).toMatchObject({
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      clientConfig: { service: { port: 443 } },
      rules: [{ scope: "*" }],
    });
    const { out } = await api.kubectl("get", "validatingwebhookconfigurations");
    expect(out).toMatch(/^NAME +WEBHOOKS +AGE\ncheck-\S+ +1 +\d+s\n$/);
  });

  const bad: readonly (readonly [string, object, string])[] = [
    [
      "a name of two parts",
      { name: "a.b" },
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    ],
    [
      "no sideEffects",
      { sideEffects: undefined },
      "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
    ],
    [
      "side effects",
      { sideEffects: "Some" },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      "no versions",
      { admissionReviewVersions: [] },
      "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
    ],
    [
      "a long time-out",
      { timeoutSeconds: 31 },
      "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
    ],
    [
      "an odd policy",
      { failurePolicy: "Maybe" },
      'webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
    ],
    [
      "no client",
      { clientConfig: {} },
      "webhooks[0].clientConfig: Required value: exactly one of url or service is required",
    ],
    [
      "plain http",
      { clientConfig: { url: "http://127.0.0.1/" } },
      "'https' is the only allowed URL scheme; desired format: https://host[:port]/path",
    ],
    [
      "a host elsewhere",
      { clientConfig: { url: "https://example.org/" } },
      "the Berth sandbox calls webhooks on loopback addresses only",
    ],
    ["no operations", { rules: [{ ...RULE, operations: [] }] }, "webhooks[0].rules[0].operations: Required value"],
    [
      "* and more",
      { rules: [{ ...RULE, operations: ["*", "CREATE"] }] },
      "if '*' is present, must not specify other operations",
    ],
  ];
  it.each(bad)("with %s is refused", async (_name, more, words) => {
    const webhooks = [hook(more)];
    const reply = await api.send("POST", CONFIGURATIONS, { metadata: { name: "bad" }, webhooks });
    expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining(words)]);
  });

  it("may be written by administrators only, and a mutating one by nobody", async () => {
    const body = { metadata: { name: "x" }, webhooks: [] };
    expect((await api.send("POST", CONFIGURATIONS, body, { token: TOKENS.viewer })).code).toBe(403);
    expect((await api.send("GET", CONFIGURATIONS, undefined, { token: TOKENS.viewer })).code).toBe(200);
    const mutating = await api.send("POST", CONFIGURATIONS.replace("validating", "mutating"), body);
    expect(mutating.body.message).toContain("the Berth sandbox calls validating webhooks only, no mutating ones");
  });
});

describe("matchConditions", () => {
  const one = (expression: string) => ({ matchConditions: [{ name: "only", expression }] });
  const rows: readonly (readonly [string, string, boolean])[] = [
    ["about the object decide whether the webhook is asked", "object.metadata.name.startsWith('cond-')", true],
    ["that do not hold spare it", "object.data.a == '2'", false],
    ["may look at the request", "request.operation == 'CREATE' && request.userInfo.username != 'x'", true],
    ["see no old object of a creation", "oldObject != null", false],
  ];
  it.each(rows)("%s", async (_name, expression, called) => {
    await configure(hook(one(expression)));
    const made = await api.send("POST", MAPS, { metadata: { generateName: "cond-" }, data: { a: "1" } });
    expect(made.code, made.text).toBe(201);
    expect(webhook.asked.length).toBe(called ? 1 : 0);
  });

  it("that fail are a failed call, and that cannot be read are refused", async () => {
    await configure(hook(one("object.data.nothing == '1'")));
    const failed = await api.send("POST", MAPS, { metadata: { name: "cond" } });
    expect(failed.body.message).toContain("expression 'only' resulted in error: no such key: data");
    const webhooks = [hook(one("object ==="))];
    const refused = await api.send("POST", CONFIGURATIONS, { metadata: { name: "cond" }, webhooks });
    expect(refused.body.details.causes[0]).toMatchObject({
      field: "webhooks[0].matchConditions[0].expression",
      message: expect.stringContaining("compilation failed: ERROR: <input>:1:"),
    });
  });
});

describe("whoever writes", () => {
  it("asks the webhooks: server-side apply, the sandbox's own controllers, evictions", async () => {
    const everything = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*", "pods/eviction"] };
    await api.send("POST", "/api/v1/namespaces/default/pods", {
      metadata: { name: "evicted" },
      spec: { containers: [{ name: "c", image: "x" }] },
    });
    await configure(hook({ rules: [everything] }));
    const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" } };
    const type = "application/apply-patch+yaml";
    expect((await api.send("PATCH", `${MAPS}/applied?fieldManager=me`, applied, { type })).code).toBe(201);
    expect([asked().operation, asked().options.kind]).toEqual(["CREATE", "PatchOptions"]);

    const made = await api.server.objects.create(CONFIG_MAPS, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "inside", namespace: "default" },
    });
    expect(made.metadata.name).toBe("inside");
    expect(asked(1).userInfo.username).toBe("system:kube-controller-manager");
    webhook.answer = () => deny("stays");
    await expect(api.server.objects.remove(CONFIG_MAPS, { name: "inside", namespace: "default" })).rejects.toThrow(
      "denied the request: stays",
    );
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted" } };
    const evicted = await api.send("POST", "/api/v1/namespaces/default/pods/evicted/eviction", eviction);
    expect(evicted.body.message).toContain("denied the request: stays");
    expect(asked(3)).toMatchObject({
      subResource: "eviction",
      kind: { group: "policy", version: "v1", kind: "Eviction" },
    });
  });

  it("in any version of a custom resource meets a webhook that names one of them, unless it wants that one only", async () => {
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "twins.example.org" },
      spec: {
        group: "example.org",
        scope: "Namespaced",
        names: { plural: "twins", kind: "Twin" },
        versions: [
          { name: "v1", served: true, storage: true, schema },
          { name: "v2", served: true, storage: false, schema },
        ],
      },
    });
    const rules = [{ apiGroups: ["example.org"], apiVersions: ["v1"], operations: ["*"], resources: ["twins"] }];
    const twins = "/apis/example.org/v2/namespaces/default/twins";
    const exact = await configure(hook({ rules, matchPolicy: "Exact" }));
    await api.send("POST", twins, { metadata: { generateName: "t-" } });
    expect(webhook.asked).toEqual([]);
    await api.send("DELETE", `${CONFIGURATIONS}/${exact.metadata.name}`);
    await configure(hook({ rules }));
    expect((await api.send("POST", twins, { metadata: { generateName: "t-" } })).code).toBe(201);
    expect([asked().kind.version, asked().requestKind.version, asked().object.apiVersion]).toEqual([
      "v1",
      "v2",
      "example.org/v1",
    ]);
  });
});
