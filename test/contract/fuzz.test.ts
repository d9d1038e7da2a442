import fc from "fast-check";
import { expect, it } from "vitest";
import { startTestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";

const SEGMENTS = [
  "api",
  "apis",
  "v1",
  "apps",
  "metallb.io",
  "v1beta1",
  "namespaces",
  "default",
  "pods",
  "services",
  "ipaddresspools",
  "p",
  "kubernetes",
  "status",
  "scale",
  "log",
  "%2F",
  "..",
  "__proto__",
  "watch",
  "openapi",
  "v3",
];
const path = fc
  .oneof(
    fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 8 }).map((parts) => `/${parts.join("/")}`),
    fc.constantFrom(
      "/api/v1/namespaces/default/services",
      "/api/v1/namespaces/default/services/kubernetes",
      "/api/v1/namespaces/default/services/kubernetes/status",
      "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools",
      "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools/p",
      "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools/p/status",
      "/api/v1/namespaces/default/pods",
      "/apis/apps/v1/namespaces/default/deployments",
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ),
  )
  .chain((base) =>
    fc
      .array(
        fc.tuple(
          fc.constantFrom(
            "labelSelector",
            "fieldSelector",
            "limit",
            "continue",
            "resourceVersion",
            "dryRun",
            "timeoutSeconds",
            "container",
            "propagationPolicy",
            "includeObject",
          ),
          fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom("a=b", "metadata.name=p", "1", "All", "0")),
        ),
        { maxLength: 2 },
      )
      .map((pairs) => (pairs.length === 0 ? base : `${base}?${new URLSearchParams(pairs.map(([k, v]) => [k, v]))}`)),
  );
const meta = fc.record(
  { name: fc.constantFrom("p", "kubernetes", "x", "Bad_"), labels: fc.jsonValue(), finalizers: fc.jsonValue() },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 40 }),
  fc.json({ maxDepth: 4 }),
  fc
    .record({ metadata: meta, spec: fc.jsonValue(), status: fc.jsonValue() }, { requiredKeys: [] })
    .map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '[{"op":"add","path":"/metadata/labels","value":{"a":1}}]',
    '[{"op":"remove","path":"/metadata"}]',
    '{"spec":null}',
    '{"metadata":null}',
    "null",
    "[]",
  ),
);
const type = fc.constantFrom(
  "application/json",
  "application/yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "application/vnd.kubernetes.protobuf",
  "",
);

it("answers any request with JSON or text, never with a 500, a stack or silence", { timeout: 60_000 }, async () => {
  const api = await startTestApi();
  try {
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
    await api.send("POST", "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools", pool("p", ["a"]));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        path,
        body,
        type,
        async (method, where, content, media) => {
          const reply = await api.send(method, where, method === "GET" ? undefined : content, { type: media });
          expect(reply.code, `${method} ${where} ${content} ${media}: ${reply.text.slice(0, 300)}`).not.toBe(500);
          expect(reply.text).not.toMatch(/\.ts:\d+/);
          if (reply.code >= 400)
            expect(reply.body, `${method} ${where}: ${reply.text}`).toMatchObject({
              kind: "Status",
              message: expect.any(String),
            });
        },
      ),
      { numRuns: 1500 },
    );
    expect((await api.send("GET", "/api/v1/namespaces/default/services")).code).toBe(200);
  } finally {
    await api.close();
  }
});
