import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";

const AUTHORIZATION = "/apis/authorization.k8s.io/v1";
const AUTHENTICATION = "/apis/authentication.k8s.io/v1";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send("POST", ACCOUNTS, { metadata: { name: "bot" } });
  await api.send("POST", `${RBAC}/clusterroles`, {
    metadata: { name: "stand-in" },
    rules: [
      { apiGroups: [""], resources: ["users"], resourceNames: ["ann"], verbs: ["impersonate"] },
      { apiGroups: [""], resources: ["groups"], resourceNames: ["berth:viewers"], verbs: ["impersonate"] },
      { apiGroups: ["authentication.k8s.io"], resources: ["userextras/scopes"], verbs: ["impersonate"] },
    ],
  });
  await api.send("POST", `${RBAC}/clusterrolebindings`, {
    metadata: { name: "stand-in" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "stand-in" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "nobody" }],
  });
});
afterAll(() => api.close());

async function whoAmI(headers: Record<string, string>, token: string = TOKENS.admin) {
  const reply = await api.send("POST", `${AUTHENTICATION}/selfsubjectreviews`, {}, { headers, token });
  return reply.code === 201 ? reply.body.status.userInfo : reply.body.message;
}

describe("impersonation", () => {
  it("takes user, groups, uid and extra fields from the headers", async () => {
    const headers = {
      "impersonate-user": "ann",
      "impersonate-group": "berth:viewers",
      "impersonate-uid": "u-1",
      "impersonate-extra-scopes": "view",
      "impersonate-extra-example.org%2fteam": "net",
    };
    expect(await whoAmI(headers)).toEqual({
      username: "ann",
      uid: "u-1",
      groups: ["berth:viewers", "system:authenticated"],
      extra: { scopes: ["view"], "example.org/team": ["net"] },
    });
    expect((await whoAmI({ "impersonate-user": "system:serviceaccount:a:b" })).groups).toEqual([
      "system:serviceaccounts",
      "system:serviceaccounts:a",
      "system:authenticated",
    ]);
    expect((await whoAmI({ "impersonate-group": "g" })).toString()).toContain("without impersonating a user");
  });

  const who = (more: object) => ({ "impersonate-user": "ann", ...more });
  const rows: readonly (readonly [string, Record<string, string>, string | null])[] = [
    ["a user that is named in a role may be impersonated", who({}), null],
    ["with a group that is named, too", who({ "impersonate-group": "berth:viewers" }), null],
    ["with an extra field that is named, too", who({ "impersonate-extra-scopes": "x" }), null],
    [
      "another user may not",
      { "impersonate-user": "bob" },
      'users "bob" is forbidden: User "nobody" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    ["nor a group", who({ "impersonate-group": "system:masters" }), 'groups "system:masters" is forbidden'],
    [
      "nor a service account",
      { "impersonate-user": "system:serviceaccount:default:bot" },
      'serviceaccounts "bot" is forbidden',
    ],
    [
      "nor a uid",
      who({ "impersonate-uid": "1" }),
      'cannot impersonate resource "uids" in API group "authentication.k8s.io"',
    ],
    ["nor another extra field", who({ "impersonate-extra-other": "x" }), 'resource "userextras/other"'],
  ];
  it.each(rows)("%s", async (_name, headers, refusal) => {
    const answer = await whoAmI(headers, TOKENS.nobody);
    if (refusal === null) expect(answer.username).toBe("ann");
    else expect(answer).toContain(refusal);
  });

  it("works through kubectl --as, --as-group and --as-uid", async () => {
    const groups = ["--as=ann", "--as-group=berth:viewers"];
    expect((await api.kubectl("auth", "can-i", "list", "pods", ...groups)).out).toBe("yes\n");
    expect((await api.kubectl("auth", "can-i", "delete", "pods", ...groups)).out).toBe("no\n");
    expect((await api.kubectl("get", "secrets", ...groups)).err).toContain('User "ann" cannot list resource "secrets"');
    const said = await api.kubectl("auth", "whoami", "--as=ann", "--as-uid=7");
    expect(said.out).toMatch(/Username +ann\nUID +7\nGroups +\[system:authenticated\]/);
  });
});

describe("reviews of access", () => {
  const pods = { resource: "pods", verb: "list", namespace: "default" };
  it("say yes with the binding that allows it, or no", async () => {
    const ask = async (spec: object) =>
      (await api.send("POST", `${AUTHORIZATION}/subjectaccessreviews`, { spec })).body.status;
    expect(await ask({ user: "x", groups: ["berth:viewers"], resourceAttributes: pods })).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "berth:viewer" of ClusterRole "berth:viewer" to Group "berth:viewers"',
    });
    expect(await ask({ user: "x", resourceAttributes: pods })).toEqual({ allowed: false });
    expect(await ask({ groups: ["system:masters"], nonResourceAttributes: { path: "/metrics", verb: "get" } })).toEqual(
      {
        allowed: true,
      },
    );
  });

  const bad: readonly (readonly [string, string, object, string])[] = [
    [
      "about nothing",
      "selfsubjectaccessreviews",
      {},
      "exactly one of nonResourceAttributes or resourceAttributes must be specified",
    ],
    [
      "about two things",
      "selfsubjectaccessreviews",
      { resourceAttributes: pods, nonResourceAttributes: { path: "/" } },
      "exactly one of",
    ],
    [
      "about nobody",
      "subjectaccessreviews",
      { resourceAttributes: pods },
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ],
  ];
  it.each(bad)("%s are refused as invalid", async (_name, plural, spec, words) => {
    const reply = await api.send("POST", `${AUTHORIZATION}/${plural}`, { spec });
    expect([reply.code, reply.body.reason]).toEqual([422, "Invalid"]);
    expect(reply.body.message).toContain(words);
  });

  it("a local one asks about its own namespace only", async () => {
    const path = `${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`;
    const spec = { user: "x", groups: ["system:masters"], resourceAttributes: pods };
    expect((await api.send("POST", path, { spec })).body.status.allowed).toBe(true);
    const other = { ...spec, resourceAttributes: { ...pods, namespace: "kube-system" } };
    expect((await api.send("POST", path, { spec: other })).body.message).toContain("must match metadata.namespace");
  });

  it("of one's rules need a namespace, and kubectl lists them", async () => {
    const path = `${AUTHORIZATION}/selfsubjectrulesreviews`;
    expect((await api.send("POST", path, { spec: {} })).body.message).toBe("no namespace on request");
    const { out } = await api.kubectl("auth", "can-i", "--list", "--as=ann", "--as-group=berth:viewers");
    expect(out).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs\n/);
    expect(out).toMatch(/deployments\.apps +\[\] +\[\] +\[get list watch\]/);
  });
});

describe("service-account tokens", () => {
  const issue = (spec: object = {}) => api.send("POST", `${ACCOUNTS}/bot/token`, { spec });
  const review = async (token: string, audiences?: readonly string[]) => {
    const spec = { token, ...(audiences === undefined ? {} : { audiences }) };
    return (await api.send("POST", `${AUTHENTICATION}/tokenreviews`, { spec })).body.status;
  };

  it("are made by kubectl create token, for as long as asked, and reviewed as their account", async () => {
    const { out, err } = await api.kubectl("create", "token", "bot", "--duration=20m");
    const token = out.trim();
    expect(token, err).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.exp - claims.iat).toBe(1200);
    expect(await review(token)).toMatchObject({
      authenticated: true,
      audiences: ["https://kubernetes.default.svc.cluster.local"],
      user: { username: "system:serviceaccount:default:bot" },
    });
  });

  it("for another audience are good there, and nowhere else", async () => {
    const { token } = (await issue({ audiences: ["vault"] })).body.status;
    expect(await review(token, ["vault", "other"])).toMatchObject({ authenticated: true, audiences: ["vault"] });
    expect(await review(token)).toEqual({
      user: {},
      error: expect.stringContaining("is invalid for the target audiences"),
    });
    expect((await api.send("GET", "/apis", undefined, { token })).code).toBe(401);
    expect(await review("rubbish")).toEqual({ user: {}, error: "[invalid bearer token]" });
  });

  it("bound to a pod or a secret name it, and end with it", async () => {
    const secret = await api.send("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "s" } });
    const pods = "/api/v1/namespaces/default/pods";
    const pod = await api.send("POST", pods, {
      metadata: { name: "p" },
      spec: { serviceAccountName: "bot", containers: [{ name: "c", image: "x" }] },
    });
    const forPod = await issue({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } });
    expect(forPod.body.spec.boundObjectRef.uid).toBe(pod.body.metadata.uid);
    const { token } = forPod.body.status;
    expect((await review(token)).user.extra).toMatchObject({
      "authentication.kubernetes.io/pod-name": ["p"],
      "authentication.kubernetes.io/pod-uid": [pod.body.metadata.uid],
    });
    await api.send("DELETE", `${pods}/p`);
    expect((await review(token)).authenticated).toBeUndefined();
    const bound = ["--bound-object-kind=Secret", "--bound-object-name=s"];
    const { out } = await api.kubectl("create", "token", "bot", ...bound);
    expect((await review(out.trim())).authenticated).toBe(true);
    await api.send("DELETE", `/api/v1/namespaces/default/secrets/${secret.body.metadata.name}`);
    expect((await review(out.trim())).authenticated).toBeUndefined();
  });

  const bad: readonly (readonly [string, object, number, string])[] = [
    [
      "too short a life",
      { expirationSeconds: 60 },
      422,
      "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
    ],
    ["too long a life", { expirationSeconds: 2 ** 33 }, 422, "may not specify a duration larger than 2^32 seconds"],
    ["a pod that is not there", { boundObjectRef: { kind: "Pod", name: "none" } }, 404, 'pods "none" not found'],
    [
      "a kind that cannot be",
      { boundObjectRef: { kind: "ConfigMap", name: "x" } },
      400,
      "cannot bind token to object of type v1, Kind=ConfigMap",
    ],
  ];
  it.each(bad)("for %s are refused", async (_name, spec, code, words) => {
    const reply = await issue(spec);
    expect([reply.code, reply.body.message]).toEqual([code, expect.stringContaining(words)]);
  });
});

describe("a write of a status", () => {
  it("of a Service takes labels and annotations along and leaves the spec alone, as the real server's does", async () => {
    const path = "/api/v1/namespaces/default/services";
    await api.send("POST", path, { metadata: { name: "lb" }, spec: { type: "LoadBalancer", ports: [{ port: 80 }] } });
    const type = "application/merge-patch+json";
    const change = {
      metadata: { annotations: { "metallb.io/ip-allocated-from-pool": "production" }, labels: { a: "b" } },
      spec: { ports: [{ port: 81 }] },
      status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
    };
    const { body } = await api.send("PATCH", `${path}/lb/status`, change, { type });
    expect(body.metadata).toMatchObject(change.metadata);
    expect(body.spec.ports[0].port).toBe(80);
    expect(body.status.loadBalancer.ingress[0].ip).toBe("192.0.2.1");
  });

  it("of a Deployment keeps its labels and takes annotations", async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x" }] } };
    await api.send("POST", path, {
      metadata: { name: "d", labels: { was: "so" } },
      spec: { selector: { matchLabels: { a: "b" } }, template },
    });
    const type = "application/merge-patch+json";
    const change = { metadata: { labels: { new: "one" }, annotations: { note: "kept" } }, status: { replicas: 1 } };
    const { body } = await api.send("PATCH", `${path}/d/status`, change, { type });
    expect(body.metadata.labels).toEqual({ was: "so" });
    expect(body.metadata.annotations).toMatchObject({ note: "kept" });
  });
});
