import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Json } from "#sandbox/kinds/definition";
import { at, isObject, obj, objects } from "#sandbox/kinds/json";
import { accepted, kindOf, registry, write } from "./support.ts";

const pod = (spec: Json = {}): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default" },
  spec: { containers: [{ name: "c", image: "nginx" }], ...spec },
});
const workload = (spec: Json): Json => ({
  metadata: { name: "w", namespace: "default" },
  spec: {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    ...spec,
  },
});

describe("a pod", () => {
  it("gets the service account, its token volume, tolerations and a first status", () => {
    const { spec, status } = accepted("Pod", pod());
    const [container] = objects(obj(spec).containers);
    const [mount] = objects(container?.volumeMounts);
    expect(mount).toMatchObject({
      name: expect.stringMatching(/^kube-api-access-[a-z0-9]{5}$/),
      readOnly: true,
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
    });
    expect(objects(obj(spec).volumes)[0]).toMatchObject({ name: mount?.name, projected: { defaultMode: 420 } });
    expect(spec).toMatchObject({
      serviceAccountName: "default",
      dnsPolicy: "ClusterFirst",
      restartPolicy: "Always",
      securityContext: {},
      priority: 0,
      enableServiceLinks: true,
    });
    expect(objects(obj(spec).tolerations).map((one) => [one.key, one.tolerationSeconds])).toEqual([
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ]);
    expect(status).toEqual({ phase: "Pending", qosClass: "BestEffort" });
  });

  it("keeps its own toleration and gets no token when it says so", () => {
    const toleration = { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" };
    const { spec } = accepted("Pod", pod({ automountServiceAccountToken: false, tolerations: [toleration] }));
    expect(obj(spec).volumes).toBeUndefined();
    expect(objects(obj(spec).tolerations)).toHaveLength(2);
  });

  it("gets probe, pull policy and port defaults", () => {
    const container = {
      name: "c",
      image: "nginx:1.27",
      ports: [{ containerPort: 80 }],
      readinessProbe: { httpGet: { port: 80 } },
    };
    const { spec } = accepted("Pod", pod({ containers: [container] }));
    expect(objects(obj(spec).containers)[0]).toMatchObject({
      imagePullPolicy: "IfNotPresent",
      ports: [{ containerPort: 80, protocol: "TCP" }],
      readinessProbe: {
        httpGet: { path: "/", scheme: "HTTP", port: 80 },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      resources: {},
    });
  });

  it("may be bound to a node once, and its image may change, nothing else", () => {
    const old = accepted("Pod", pod());
    const change = (spec: Json) => write("Pod", { ...old, spec: { ...obj(old.spec), ...spec } }, old);
    expect(Array.isArray(change({ nodeName: "n1" }))).toBe(false);
    expect(change({ hostNetwork: true })).toEqual([
      expect.stringMatching(/^spec: Forbidden: pod updates may not change fields/),
    ]);
    const bound = { ...old, spec: { ...obj(old.spec), nodeName: "n1" } };
    const moved = write("Pod", { ...old, spec: { ...obj(old.spec), nodeName: "n2" } }, bound);
    expect(moved).toEqual([expect.stringMatching(/^spec: Forbidden/)]);
  });

  it.each<[string, Json, string]>([
    ["no containers", { containers: [] }, "spec.containers: Required value"],
    ["no image", { containers: [{ name: "c" }] }, "spec.containers[0].image: Required value"],
    [
      "two containers of one name",
      {
        containers: [
          { name: "c", image: "i" },
          { name: "c", image: "i" },
        ],
      },
      'spec.containers[1].name: Duplicate value: "c"',
    ],
    [
      "a mount of no volume",
      { containers: [{ name: "c", image: "i", volumeMounts: [{ name: "v", mountPath: "/x" }] }] },
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      "an unknown restart policy",
      { restartPolicy: "Maybe" },
      'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      "a text where a list belongs",
      { containers: "c" },
      'spec.containers: Invalid value: "string": spec.containers in body must be of type array: "c"',
    ],
  ])("is refused with %s", (_what, spec, cause) => {
    expect(write("Pod", pod(spec))).toContain(cause);
  });
});

describe("workloads", () => {
  it.each<[string, string, Json, readonly string[]]>([
    [
      "a Deployment without selector",
      "Deployment",
      workload({ selector: undefined }),
      [
        "spec.selector: Required value",
        'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      ],
    ],
    [
      "a Deployment whose selector misses its pods",
      "Deployment",
      workload({ selector: { matchLabels: { a: "c" } } }),
      ['spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`'],
    ],
    [
      "negative replicas",
      "Deployment",
      workload({ replicas: -1 }),
      ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      "an unknown strategy",
      "Deployment",
      workload({ strategy: { type: "Blue" } }),
      ['spec.strategy.type: Unsupported value: "Blue": supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      "text for replicas",
      "Deployment",
      workload({ replicas: "three" }),
      ['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "three"'],
    ],
  ])("%s is refused", (_what, kind, object, causes) => {
    expect(write(kind, object)).toEqual(causes);
  });

  it("cannot change their selector", () => {
    const old = accepted("Deployment", workload({}));
    const labels = { a: "c" };
    const next = workload({
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    });
    expect(write("Deployment", next, old)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable',
    ]);
  });

  it("count template changes of a DaemonSet in its annotation", () => {
    const first = accepted("DaemonSet", workload({}));
    expect(at(first, "metadata", "annotations")).toEqual({ "deprecated.daemonset.template.generation": "1" });
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "j" }] } };
    const second = accepted("DaemonSet", { ...workload({ template }), metadata: first.metadata }, first);
    expect(at(second, "metadata", "annotations")).toEqual({ "deprecated.daemonset.template.generation": "2" });
  });
});

describe("other kinds", () => {
  const slice = (address: string) => ({
    metadata: { name: "s" },
    addressType: "IPv4",
    endpoints: [{ addresses: [address] }],
  });

  it.each([
    ["127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    ["169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
    ["fe80::1", "must be a valid IPv4 address"],
    ["nonsense", "must be a valid IPv4 address"],
  ])("an EndpointSlice refuses %s", (address, rule) => {
    expect(write("EndpointSlice", slice(address))).toEqual([
      `endpoints[0].addresses[0]: Invalid value: "${address}": ${rule}`,
    ]);
  });

  it("a Secret keeps stringData as base64 data", () => {
    const secret = accepted("Secret", { metadata: { name: "s" }, stringData: { password: "x" } });
    expect(secret).toMatchObject({ type: "Opaque", data: { password: "eA==" } });
    expect(secret.stringData).toBeUndefined();
  });

  it("unknown fields and nulls are dropped, whatever the kind", () => {
    const map = accepted("ConfigMap", {
      metadata: { name: "m", creationTimestamp: null, nonsense: 1 },
      data: { a: "b" },
      spec: {},
    });
    expect(map).toEqual({ metadata: { name: "m" }, data: { a: "b" } });
  });

  it("no kind throws at an object of nonsense", () => {
    for (const { kind } of registry.all) {
      for (const junk of [{}, { metadata: 5, spec: [1], status: "x" }, { spec: { template: 1, ports: [null] } }]) {
        const definition = kindOf(kind);
        expect(() => definition.validate(definition.defaults(junk as Json), undefined)).not.toThrow();
      }
    }
  });

  it("the demo is accepted as it is", () => {
    const text = readFileSync(new URL("../../../deploy/demo/demo.yaml", import.meta.url), "utf8");
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as Json;
      expect(write(`${object.kind}`, object)).toMatchObject({ kind: object.kind });
    }
  });
});

describe("the OpenAPI documents", () => {
  const groups = [...new Set(registry.all.map((kind) => `${kind.group} ${kind.version}`))];
  const documents = groups.map((key) => {
    const [group = "", version = ""] = key.split(" ");
    return { key, document: registry.openapi(group, version) ?? {} };
  });

  it.each(documents)("of $key refer to nothing that is not there", ({ document }) => {
    const text = JSON.stringify(document);
    const schemas = obj(at(document, "components", "schemas"));
    const references = [...text.matchAll(/#\/components\/schemas\/([^"]+)/g)].map((match) => match[1] ?? "");
    expect(references.filter((name) => !isObject(schemas[name]))).toEqual([]);
  });

  it("say for every kind that fieldValidation is understood, where kubectl looks", () => {
    for (const { group, version, kind } of registry.all) {
      const paths = Object.values(obj(registry.openapi(group, version)?.paths));
      const patch = paths
        .map((path) => obj(obj(path).patch))
        .find((one) => obj(one["x-kubernetes-group-version-kind"]).kind === kind);
      expect(
        objects(patch?.parameters).map((one) => one.name),
        kind,
      ).toContain("fieldValidation");
    }
  });

  it("carry the strategic merge keys that the engine uses", () => {
    const schemas = obj(at(registry.openapi("apps", "v1") ?? {}, "components", "schemas"));
    const containers = obj(at(obj(schemas["io.k8s.api.core.v1.PodSpec"]), "properties", "containers"));
    expect(containers["x-kubernetes-patch-merge-key"]).toBe("name");
    expect(kindOf("Deployment").mergeKeys["spec.template.spec.containers.*.env"]).toBe("name");
    expect(kindOf("Service").mergeKeys).toMatchObject({ "spec.ports": "port", "status.conditions": "type" });
  });

  it("are undefined for a group that is not built in", () => {
    expect(registry.openapi("metallb.io", "v1beta1")).toBeUndefined();
  });
});
