import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { startTestApi, type TestApi } from "../support/api-server.ts";
import { POOL_CRD, pool } from "../support/pool-crd.ts";

const DEMO = ["deploy/demo/demo.yaml", "deploy/demo.yaml"].find((path) => existsSync(path)) ?? "";
const NAMES = ["metallb-system"];
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  for (const name of NAMES) await api.send("POST", "/api/v1/namespaces", { metadata: { name } });
  expect((await api.kubectlWith(JSON.stringify(POOL_CRD), "apply", "-f", "-")).out).toBe(
    "customresourcedefinition.apiextensions.k8s.io/ipaddresspools.metallb.io created\n",
  );
});
afterAll(() => api.close());

const production = stringify({
  ...pool("production", ["192.0.2.10-192.0.2.50"]),
  metadata: { name: "production", namespace: "metallb-system" },
});
const squeeze = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trimEnd().replace(/ {2,}/g, "  "))
    .join("\n");

// Commands and words of reference/kubectl/transcripts; each row is one of them, in their order.
describe("kubectl", () => {
  const rows: { args: string; input?: string; out?: string; err?: string; code?: number }[] = [
    { args: "get --raw /readyz", out: "ok" },
    {
      args: "get namespaces -o name",
      out: "namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\nnamespace/metallb-system\n",
    },
    { args: "apply -f -", input: production, out: "ipaddresspool.metallb.io/production created\n" },
    { args: "apply -f -", input: production, out: "ipaddresspool.metallb.io/production unchanged\n" },
    {
      args: "get ipaddresspools -A",
      out: 'NAMESPACE  NAME  AUTO ASSIGN  AVOID BUGGY IPS  ADDRESSES\nmetallb-system  production  true  false  ["192.0.2.10-192.0.2.50"]\n',
    },
    {
      args: "get ipaddresspool production -n metallb-system -o jsonpath={.spec.addresses[0]}",
      out: "192.0.2.10-192.0.2.50",
    },
    {
      args: 'patch ipaddresspool production -n metallb-system --subresource=status --type=merge -p {"status":{"assignedIPv4":1}}',
      out: "ipaddresspool.metallb.io/production patched\n",
    },
    { args: "get service nope", err: 'Error from server (NotFound): services "nope" not found\n', code: 1 },
    { args: "get nosuchkind", err: 'error: the server doesn\'t have a resource type "nosuchkind"\n', code: 1 },
    {
      args: "get endpoints",
      err: "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\nNo resources found in default namespace.\n",
    },
    {
      args: "create -f -",
      input: production,
      err: 'Error from server (AlreadyExists): error when creating "STDIN": ipaddresspools.metallb.io "production" already exists\n',
      code: 1,
    },
    {
      args: 'patch ipaddresspool production -n metallb-system --type=json -p [{"op":"add","path":"/spec/addresses/-","value":"192.0.2.60/32"}]',
      out: "ipaddresspool.metallb.io/production patched\n",
    },
    {
      args: 'patch ipaddresspool production -n metallb-system --type=json -p [{"op":"remove","path":"/spec/nope"}]',
      err: "The request is invalid: the server rejected our request due to an error in our request\n",
      code: 1,
    },
    {
      args: 'patch ipaddresspool production -n metallb-system -p {"spec":{"autoAssign":false}}',
      err: "error: application/strategic-merge-patch+json is not supported by metallb.io/v1beta1, Kind=IPAddressPool: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml\n",
      code: 1,
    },
    {
      args: 'patch ipaddresspool production -n metallb-system --type=merge -p {"spec":{"autoAssign":"maybe"}}',
      err: 'The IPAddressPool "production" is invalid: spec.autoAssign: Invalid value: "string": spec.autoAssign in body must be of type boolean: "string"\n',
      code: 1,
    },
    {
      args: "get ipaddresspools -n metallb-system",
      out: 'NAME  AUTO ASSIGN  AVOID BUGGY IPS  ADDRESSES\nproduction  true  false  ["192.0.2.10-192.0.2.50","192.0.2.60/32"]\n',
    },
    {
      args: "annotate ipaddresspool production -n metallb-system a=b",
      out: "ipaddresspool.metallb.io/production annotated\n",
    },
    { args: "label namespace metallb-system tier=front", out: "namespace/metallb-system labeled\n" },
    {
      args: "api-resources --api-group=metallb.io --no-headers",
      out: "ipaddresspools  metallb.io/v1beta1  true  IPAddressPool\n",
    },
    {
      args: "wait --for=condition=Established crd/ipaddresspools.metallb.io --timeout=5s",
      out: "customresourcedefinition.apiextensions.k8s.io/ipaddresspools.metallb.io condition met\n",
    },
    { args: "wait --for=delete pod/nope --timeout=5s", out: "" },
    {
      args: "get ipaddresspools -n metallb-system --as=system:serviceaccount:default:viewer",
      err: 'Error from server (Forbidden): ipaddresspools.metallb.io is forbidden: User "system:serviceaccount:default:viewer" cannot list resource "ipaddresspools" in API group "metallb.io" in the namespace "metallb-system"\n',
      code: 1,
    },
    {
      args: "get services -A --as=system:serviceaccount:default:viewer",
      err: 'Error from server (Forbidden): services is forbidden: User "system:serviceaccount:default:viewer" cannot list resource "services" in API group "" at the cluster scope\n',
      code: 1,
    },
    {
      args: "delete ipaddresspool nope -n metallb-system",
      err: 'Error from server (NotFound): ipaddresspools.metallb.io "nope" not found\n',
      code: 1,
    },
    { args: "delete ipaddresspools --all -n metallb-system", out: 'ipaddresspool.metallb.io "production" deleted\n' },
  ];
  it("prints for each command what it prints against a real server", { timeout: 60_000 }, async () => {
    for (const { args, input = "", out = "", err = "", code = 0 } of rows) {
      const result = await api.kubectlWith(input, ...args.split(" "));
      expect({ args, ...result, out: squeeze(result.out), err: squeeze(result.err) }).toEqual({ args, code, out, err });
    }
  });

  it("describes and explains a custom resource", async () => {
    await api.kubectlWith(production, "apply", "-f", "-");
    const described = await api.kubectl("describe", "ipaddresspool", "production", "-n", "metallb-system");
    expect(described.out).toContain(
      "Spec:\n  Addresses:\n    192.0.2.10-192.0.2.50\n  Auto Assign:       true\n  Avoid Buggy I Ps:  false\nEvents:              <none>\n",
    );
    const explained = await api.kubectl("explain", "ipaddresspool.spec.addresses");
    expect(explained.out).toContain("FIELD: addresses <[]string>");
  });

  it("explains the kinds that are only asked", async () => {
    for (const kind of ["SelfSubjectAccessReview", "SubjectAccessReview", "SelfSubjectRulesReview", "TokenReview"]) {
      const { out, err } = await api.kubectl("explain", `${kind}.spec`);
      expect({ kind, err }).toEqual({ kind, err: "" });
      expect(out).toContain(`FIELD: spec <${kind}Spec>`);
    }
  });

  it("asks in a file, whose unknown fields are refused", async () => {
    const asked = (resourceAttributes: object) =>
      stringify({
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes },
      });
    const good = await api.kubectlWith(asked({ verb: "get", resource: "pods" }), "create", "-f", "-", "-o", "yaml");
    expect(good.out).toContain("allowed: true");
    const bad = await api.kubectlWith(asked({ vorb: "get", resource: "pods" }), "create", "-f", "-");
    expect(bad.err).toContain(
      'SelfSubjectAccessReview in version "v1" cannot be handled as a SelfSubjectAccessReview: strict decoding error: unknown field "spec.resourceAttributes.vorb"',
    );
  });

  it.skipIf(DEMO === "")("applies the demo unchanged, twice, scales and deletes it", { timeout: 30_000 }, async () => {
    const demo = readFileSync(DEMO, "utf8");
    const first = await api.kubectlWith(demo, "apply", "-f", "-");
    expect(first.out.replaceAll("serverside-applied", "created")).toContain(
      "deployment.apps/nginx-app created\nservice/nginx created\n",
    );
    const again = await api.kubectlWith(demo, "apply", "-f", "-");
    expect(again.out).toContain("deployment.apps/nginx-app unchanged\nservice/nginx unchanged\n");
    expect((await api.kubectl("scale", "deployment", "nginx-app", "--replicas=5")).out).toBe(
      "deployment.apps/nginx-app scaled\n",
    );
    expect((await api.kubectl("rollout", "restart", "deployment", "nginx-app")).out).toBe(
      "deployment.apps/nginx-app restarted\n",
    );
    const service = await api.kubectl("get", "service", "nginx", "--no-headers");
    expect(service.out).toMatch(/^nginx +LoadBalancer +10\.96\.\d+\.\d+ +<pending> +80:3\d{4}\/TCP +\d+s\n$/);
    expect((await api.kubectl("patch", "service", "nginx", "-p", '{"spec":{"type":"ClusterIP"}}')).out).toBe(
      "service/nginx patched\n",
    );
    const deleted = await api.kubectlWith(demo, "delete", "-f", "-");
    expect(deleted.out).toContain('deployment.apps "nginx-app" deleted\nservice "nginx" deleted\n');
  });
});
