import { describe, expect, it } from "vitest";
import { ALLOW, type Answer, deny, startWebhook } from "../support/webhook-server.ts";
import { api, asked, CONFIGURATIONS, configure, hook, MAPS, RULE, webhook, withWebhook } from "./webhook-rig.ts";

withWebhook();

describe("a validating webhook", () => {
  it("is shown a creation as it will be stored, with who asks, as whom and how", async () => {
    await configure(hook());
    const made = await api.send("POST", `${MAPS}?fieldManager=me`, { metadata: { name: "made" }, data: { a: "1" } });
    expect(made.code).toBe(201);
    const { uid, object, ...rest } = asked();
    expect(uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", data: { a: "1" } });
    expect(object.metadata.uid).toBe(made.body.metadata.uid);
    expect(rest).toEqual({
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      requestKind: { group: "", version: "v1", kind: "ConfigMap" },
      requestResource: { group: "", version: "v1", resource: "configmaps" },
      name: "made",
      namespace: "default",
      operation: "CREATE",
      userInfo: { username: "admin", groups: ["system:masters", "system:authenticated"] },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me" },
    });
    expect(webhook.asked[0]?.path).toBe("/validate?timeout=10s");
  });

  it("is shown a patch with the object before and after, and a deletion with the object that goes", async () => {
    await api.send("POST", MAPS, { metadata: { name: "both" }, data: { a: "1" } });
    await configure(hook());
    const merge = { type: "application/merge-patch+json" };
    expect((await api.send("PATCH", `${MAPS}/both`, { data: { a: "2" } }, merge)).code).toBe(200);
    expect([asked().operation, asked().oldObject.data.a, asked().object.data.a]).toEqual(["UPDATE", "1", "2"]);
    expect(asked().options.kind).toBe("PatchOptions");
    expect((await api.send("DELETE", `${MAPS}/both`)).code).toBe(200);
    expect([asked(1).operation, asked(1).object, asked(1).oldObject.data.a, asked(1).name]).toEqual([
      "DELETE",
      null,
      "2",
      "both",
    ]);
  });

  it("denies in its own words, with its own code, and nothing is stored", async () => {
    await configure(hook());
    const rows: readonly (readonly [Answer, number, string])[] = [
      [deny("no maps today"), 400, 'admission webhook "maps.check.example.org" denied the request: no maps today'],
      [deny("taken", { code: 409, reason: "Conflict" }), 409, "denied the request: taken"],
      [deny("", { reason: "TooBig" }), 400, "denied the request: TooBig"],
      [{ kind: "response", response: { allowed: false } }, 400, "denied the request without explanation"],
    ];
    for (const [answer, code, words] of rows) {
      webhook.answer = () => answer;
      const reply = await api.send("POST", MAPS, { metadata: { name: "denied" } });
      expect(reply.code).toBe(code);
      expect(reply.body.message).toContain(words);
    }
    expect((await api.send("GET", `${MAPS}/denied`)).code).toBe(404);
    webhook.answer = () => deny("no maps today");
    const file = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "denied" } });
    const said = await api.kubectlWith(file, "apply", "-f", "-");
    expect(said.code).toBe(1);
    expect(said.err).toContain(
      'Error from server: error when creating "STDIN": admission webhook "maps.check.example.org" denied the request: no maps today',
    );
  });

  it("warns, once per text, and kubectl prints it", async () => {
    await configure(hook(), hook({}, "second.check.example.org"));
    const warnings = ['pool "x" has no\nadvertisement', "naïve"];
    webhook.answer = () => ({ kind: "response", response: { allowed: true, warnings } });
    const file = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "warned" } });
    const said = await api.kubectlWith(file, "apply", "-f", "-");
    expect(said.out).toBe("configmap/warned created\n");
    expect(said.err).toBe('Warning: pool "x" has no advertisement\nWarning: naïve\n');
  });

  it("is asked at the same time as all others, and one denial is enough", async () => {
    await configure(hook(), hook({}, "second.check.example.org"));
    const { promise: met, resolve: both } = Promise.withResolvers<void>();
    webhook.answer = async () => {
      if (webhook.asked.length === 2) both();
      await met;
      return webhook.asked.length === 2 ? deny("together") : ALLOW;
    };
    const reply = await api.send("POST", MAPS, { metadata: { name: "together" } });
    expect(reply.body.message).toContain("denied the request: together");
    expect(webhook.asked.length).toBe(2);
  });

  it("is asked about every object of a collection that is deleted, and stops at the first it denies", async () => {
    for (const name of ["c-1", "c-2", "c-3"]) {
      await api.send("POST", MAPS, { metadata: { name, labels: { set: "c" } } });
    }
    await configure(hook());
    webhook.answer = (request) => (request.name === "c-2" ? deny("keep") : ALLOW);
    const reply = await api.send("DELETE", `${MAPS}?labelSelector=set=c`);
    expect(reply.body.message).toContain("denied the request: keep");
    const left = await api.send("GET", `${MAPS}?labelSelector=set=c`);
    expect(left.body.items.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(["c-2", "c-3"]);
  });

  it("is asked about status and scale only when a rule says so, and shown a Scale", async () => {
    await api.send("POST", "/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } },
      },
    });
    const path = "/apis/apps/v1/namespaces/default/deployments/web";
    const merge = { type: "application/merge-patch+json" };
    const rule = { apiGroups: ["apps"], apiVersions: ["*"], operations: ["UPDATE"] };
    const configured = await configure(hook({ rules: [{ ...rule, resources: ["*"] }] }));
    await api.send("PATCH", `${path}/status`, { status: { replicas: 1 } }, merge);
    await api.send("PATCH", `${path}/scale`, { spec: { replicas: 2 } }, merge);
    expect(webhook.asked).toEqual([]);
    await api.send("DELETE", `${CONFIGURATIONS}/${configured.metadata.name}`);
    await configure(hook({ rules: [{ ...rule, resources: ["deployments/status", "*/scale"] }] }));
    await api.send("PATCH", `${path}/status`, { status: { replicas: 2 } }, merge);
    expect([asked().subResource, asked().requestSubResource, asked().kind.kind]).toEqual([
      "status",
      "status",
      "Deployment",
    ]);
    await api.send("PATCH", `${path}/scale`, { spec: { replicas: 3 } }, merge);
    expect([asked(1).kind, asked(1).object.spec, asked(1).oldObject.spec]).toEqual([
      { group: "autoscaling", version: "v1", kind: "Scale" },
      { replicas: 3 },
      { replicas: 2 },
    ]);
    webhook.answer = () => deny("too many");
    expect((await api.kubectl("scale", "deployment/web", "--replicas=9")).err).toContain("too many");
  });

  it("runs on a dry run too, and is told so", async () => {
    await configure(hook());
    const reply = await api.send("POST", `${MAPS}?dryRun=All`, { metadata: { name: "dry" } });
    expect(reply.code).toBe(201);
    expect([asked().dryRun, asked().options.dryRun]).toEqual([true, ["All"]]);
    expect((await api.send("GET", `${MAPS}/dry`)).code).toBe(404);
  });
});

describe("which webhooks are asked", () => {
  const rows: readonly (readonly [string, object, boolean])[] = [
    ["one whose rule names another operation is not", { rules: [{ ...RULE, operations: ["DELETE"] }] }, false],
    ["one whose rule names another group is not", { rules: [{ ...RULE, apiGroups: ["apps"] }] }, false],
    ["one whose rule names another version is not", { rules: [{ ...RULE, apiVersions: ["v2"] }] }, false],
    ["one for everything is", { rules: [{ ...RULE, apiGroups: ["*"], resources: ["*/*"] }] }, true],
    ["one for subresources only is not", { rules: [{ ...RULE, resources: ["configmaps/status"] }] }, false],
    ["one for cluster-scoped kinds is not", { rules: [{ ...RULE, scope: "Cluster" }] }, false],
    ["one for namespaced kinds is", { rules: [{ ...RULE, scope: "Namespaced" }] }, true],
    [
      "one whose namespaceSelector matches is",
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } } },
      true,
    ],
    [
      "one whose namespaceSelector excludes the namespace is not",
      {
        namespaceSelector: {
          matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["default"] }],
        },
      },
      false,
    ],
    [
      "one whose objectSelector matches is",
      { objectSelector: { matchExpressions: [{ key: "tier", operator: "Exists" }] } },
      true,
    ],
    ["one whose objectSelector does not is not", { objectSelector: { matchLabels: { tier: "back" } } }, false],
  ];
  it.each(rows)("%s", async (_name, more, called) => {
    await configure(hook(more));
    await api.send("POST", MAPS, { metadata: { generateName: "which-", labels: { tier: "front" } } });
    expect(webhook.asked.length).toBe(called ? 1 : 0);
  });

  it("configurations of webhooks are never asked about, so that a bad one can be removed", async () => {
    webhook.answer = () => deny("nothing goes");
    const all = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] };
    const made = await configure(hook({ rules: [all] }));
    expect((await api.send("DELETE", `${CONFIGURATIONS}/${made.metadata.name}`)).code).toBe(200);
    expect((await api.send("POST", MAPS, { metadata: { generateName: "free-" } })).code).toBe(201);
  });

  it("a change of the configuration is in force with the next write", async () => {
    const made = await configure(hook());
    const merge = { type: "application/merge-patch+json" };
    await api.send("POST", MAPS, { metadata: { generateName: "m-" } });
    expect(webhook.asked.length).toBe(1);
    const webhooks = [hook({ rules: [{ ...RULE, resources: ["secrets"] }] })];
    expect((await api.send("PATCH", `${CONFIGURATIONS}/${made.metadata.name}`, { webhooks }, merge)).code).toBe(200);
    await api.send("POST", MAPS, { metadata: { generateName: "m-" } });
    expect(webhook.asked.length).toBe(1);
  });
});

describe("a webhook that fails", () => {
  it("makes the write fail, or lets it pass, as its failurePolicy says, in the server's words", async () => {
    const rows: readonly (readonly [Answer, string])[] = [
      [{ kind: "hang-up" }, `failed to call webhook: Post "${webhook.url}?timeout=10s": EOF`],
      [{ kind: "raw", text: "no json" }, "failed to call webhook: couldn't get version/kind; json parse error: "],
      [
        { kind: "raw", code: 404, text: "" },
        "failed to call webhook: the server could not find the requested resource",
      ],
      [
        { kind: "raw", code: 500, text: "boom" },
        'an error on the server ("boom") has prevented the request from succeeding',
      ],
      [
        { kind: "raw", text: "{}" },
        "received invalid webhook response: expected webhook response of admission.k8s.io/v1",
      ],
      [
        { kind: "response", response: { uid: "other", allowed: true } },
        "received invalid webhook response: expected response.uid=",
      ],
    ];
    for (const [answer, words] of rows) {
      webhook.answer = () => answer;
      const made = await configure(hook());
      const reply = await api.send("POST", MAPS, { metadata: { name: "fails" } });
      expect([reply.code, reply.body.reason]).toEqual([500, "InternalError"]);
      expect(reply.body.message).toContain(
        'Internal error occurred: failed calling webhook "maps.check.example.org": ',
      );
      expect(reply.body.message).toContain(words);
      await api.send("DELETE", `${CONFIGURATIONS}/${made.metadata.name}`);
      const ignoring = await configure(hook({ failurePolicy: "Ignore" }));
      expect((await api.send("POST", MAPS, { metadata: { generateName: "passes-" } })).code).toBe(201);
      await api.send("DELETE", `${CONFIGURATIONS}/${ignoring.metadata.name}`);
    }
  });

  it("by not being there, by its certificate, or by being a Service that is not there", async () => {
    const failing = async (clientConfig: object) => {
      const made = await configure(hook({ clientConfig }));
      const reply = await api.send("POST", MAPS, { metadata: { name: "fails" } });
      expect(reply.code).toBe(500);
      await api.send("DELETE", `${CONFIGURATIONS}/${made.metadata.name}`);
      return reply.body.message;
    };
    const gone = await startWebhook();
    const free = gone.port;
    await gone.close();
    const { url } = webhook;
    expect(await failing({ url: `https://127.0.0.1:${free}/x` })).toContain(
      `Post "https://127.0.0.1:${free}/x?timeout=10s": dial tcp 127.0.0.1:${free}: connect: connection refused`,
    );
    expect(await failing({ url, caBundle: Buffer.from("no certificate").toString("base64") })).toMatch(
      /failed to call webhook: Post ".*": (unable to load root certificates|tls: failed to verify certificate)/,
    );
    const elsewhere = `https://127.0.0.2:${webhook.port}/`;
    expect(await failing({ url: elsewhere, caBundle: webhook.caBundle })).toMatch(/connection refused/);
    expect(await failing({ url, caBundle: gone.caBundle })).toContain(
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    );
    const service = { namespace: "default", name: "hooks", path: "/v" };
    expect(await failing({ service })).toContain(
      'failed to call webhook: Post "https://hooks.default.svc:443/v?timeout=10s": service "hooks" not found',
    );
  });

  it("holds nobody else up while it is silent, and no longer than its time-out", async () => {
    await configure(hook({ timeoutSeconds: 2 }));
    webhook.answer = () => ({ kind: "silence" });
    const slow = api.send("POST", MAPS, { metadata: { name: "slow" } });
    const other = await api.send("POST", "/api/v1/namespaces/default/secrets", { metadata: { generateName: "s-" } });
    expect(other.code).toBe(201);
    expect((await slow).body.message).toContain("context deadline exceeded");
  });
});

describe("while webhooks are asked", () => {
  it("a change of the object in between makes the patch be decided and asked about again", async () => {
    await api.send("POST", MAPS, { metadata: { name: "race" }, data: { n: "0" } });
    const merge = { type: "application/merge-patch+json" };
    await configure(hook());
    webhook.answer = async (request) => {
      if (request.object.data.mine === undefined || webhook.asked.length > 1) return ALLOW;
      // Comes in from the side while the first is under way; it is asked about, too.
      await api.send("PATCH", `${MAPS}/race`, { data: { n: "1" } }, merge);
      return ALLOW;
    };
    const reply = await api.send("PATCH", `${MAPS}/race`, { data: { mine: "x" } }, merge);
    expect(reply.body.data).toEqual({ n: "1", mine: "x" });
    expect(webhook.asked.at(-1)?.request.oldObject.data).toEqual({ n: "1" });
  });

  it("a replacement of an old version loses against one that was quicker", async () => {
    const made = await api.send("POST", MAPS, { metadata: { name: "old" }, data: { n: "0" } });
    const merge = { type: "application/merge-patch+json" };
    await configure(hook());
    webhook.answer = async (request) => {
      if (request.object.data.n !== "mine") return ALLOW;
      await api.send("PATCH", `${MAPS}/old`, { data: { n: "theirs" } }, merge);
      return ALLOW;
    };
    const reply = await api.send("PUT", `${MAPS}/old`, { ...made.body, data: { n: "mine" } });
    expect([reply.code, reply.body.reason]).toEqual([409, "Conflict"]);
    expect((await api.send("GET", `${MAPS}/old`)).body.data.n).toBe("theirs");
  });

  it("two Services that are created at once never get the same address or node port", async () => {
    const services = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["services"] };
    await configure(hook({ rules: [services] }));
    webhook.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return ALLOW;
    };
    const create = (index: number) =>
      api.send("POST", "/api/v1/namespaces/default/services", {
        metadata: { name: `s-${index}` },
        spec: { type: "NodePort", ports: [{ port: 80 }] },
      });
    const replies = await Promise.all(Array.from({ length: 24 }, (_, index) => create(index)));
    expect(replies.map((reply) => reply.code)).toEqual(replies.map(() => 201));
    expect(new Set(replies.map((reply) => reply.body.spec.clusterIP)).size).toBe(24);
    expect(new Set(replies.map((reply) => reply.body.spec.ports[0].nodePort)).size).toBe(24);
  });

  it("a webhook may itself write what it is not asked about", async () => {
    await configure(hook());
    webhook.answer = async () => {
      const inner = await api.send("POST", "/api/v1/namespaces/default/secrets", { metadata: { generateName: "w-" } });
      return inner.code === 201 ? ALLOW : deny("stuck");
    };
    expect((await api.send("POST", MAPS, { metadata: { generateName: "nested-" } })).code).toBe(201);
  });
});
