import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { startTestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";
import { fc } from "../support/random.ts";

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
            "resourceVersionMatch",
            "sendInitialEvents",
            "fieldManager",
            "fieldValidation",
            "force",
          ),
          fc.oneof(
            fc.string({ maxLength: 12 }),
            fc.constantFrom(
              "a=b",
              "a in (b,c),!d",
              "metadata.name=p",
              "1",
              "All",
              "0",
              "true",
              "Exact",
              "NotOlderThan",
              "Strict",
            ),
          ),
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
    "k8s\0\n\r\n\x02v1\x12\x07Service\x12\x05\n\x03\n\x01p",
    "k8s\0\n\x11\n\x02v1\x12\x0bDeleteOptions\x12\x02\x08\x00",
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

const accept = fc.constantFrom(
  undefined,
  "application/json",
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/vnd.kubernetes.protobuf,application/json",
  "text/html;q=0.1,,;;",
);
const header = fc.dictionary(
  fc.constantFrom(
    "accept-encoding",
    "impersonate-user",
    "impersonate-group",
    "if-match",
    "x-remote-user",
    "user-agent",
  ),
  fc.oneof(
    fc.constantFrom("gzip", "admin", "system:serviceaccount:default:default", "*"),
    fc.string({ maxLength: 12 }),
  ),
  { maxKeys: 2 },
);
const plain = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, value.replace(/[^\x20-\x7e]/g, "")]));

/** 5,000 in `npm test`; BERTH_FUZZ=100000 for the long run. */
const RUNS = Number(process.env.BERTH_FUZZ ?? 5_000);
const SERVICES = "/api/v1/namespaces/default/services";
/** Of both, server and test, from the first fifth of the requests (caches, history, compiled code) to the last. */
const GROWTH_MAX_MB = 24;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
function heapMegabytes(): number {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}

it("answers any request with JSON or text, never with a 500, a stack or silence, keeps nothing of it, and goes on watching", {
  timeout: 60_000 + RUNS * 60,
}, async () => {
  const api = await startTestApi();
  try {
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
    await api.send("POST", "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools", pool("p", ["a"]));
    await api.send("POST", "/api/v1/namespaces", { metadata: { name: "watched" } });
    const marker = api.send(
      "GET",
      "/api/v1/namespaces/watched/configmaps?watch=1&labelSelector=marker&timeoutSeconds=3600",
      undefined,
      {
        firstLine: true,
      },
    );
    let done = 0;
    let warm = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        path,
        body,
        type,
        accept,
        header,
        async (method, where, content, media, wanted, headers) => {
          const reply = await api.send(method, where, method === "GET" ? undefined : content, {
            type: media,
            headers: plain(headers),
            ...(wanted === undefined ? {} : { accept: wanted }),
          });
          expect(reply.code, `${method} ${where} ${content} ${media}: ${reply.text.slice(0, 300)}`).not.toBe(500);
          expect(reply.text).not.toMatch(/\.ts:\d+/);
          if (reply.code >= 400)
            expect(reply.body, `${method} ${where}: ${reply.text}`).toMatchObject({
              kind: "Status",
              message: expect.any(String),
            });
          if (++done === RUNS / 5) warm = heapMegabytes();
        },
      ),
      { numRuns: RUNS },
    );
    const heap = heapMegabytes();
    if (process.env.BERTH_FUZZ !== undefined)
      console.log(`${RUNS} requests: ${warm.toFixed(1)} MB after a fifth of them, ${heap.toFixed(1)} MB at the end`);
    expect(heap - warm).toBeLessThan(GROWTH_MAX_MB);
    expect((await api.send("GET", SERVICES)).code).toBe(200);
    const named = { metadata: { name: "marker", labels: { marker: "here" } } };
    expect((await api.send("POST", "/api/v1/namespaces/watched/configmaps", named)).code).toBe(201);
    expect((await marker).text).toContain('"type":"ADDED"');
  } finally {
    await api.close();
  }
});
