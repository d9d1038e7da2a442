import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKENS } from "../support/api-server.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const PODS = "/api/v1/namespaces/default/pods";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "bot" } });
});
afterAll(() => api.close());

describe("who may", () => {
  it("401 for a bad token, 403 naming the anonymous user without one", async () => {
    const bad = await api.send("GET", PODS, undefined, { token: "wrong" });
    expect([bad.code, bad.body.message, bad.body.reason]).toEqual([401, "Unauthorized", "Unauthorized"]);
    const none = await api.send("GET", PODS, undefined, { token: null });
    expect([none.code, none.body.message]).toEqual([
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ]);
    const path = await api.send("GET", "/metrics", undefined, { token: TOKENS.nobody });
    expect(path.body.message).toBe('forbidden: User "nobody" cannot get path "/metrics"');
    const cluster = await api.send("DELETE", "/api/v1/nodes/n1", undefined, { token: TOKENS.nobody });
    expect(cluster.body.message).toBe(
      'nodes "n1" is forbidden: User "nobody" cannot delete resource "nodes" in API group "" at the cluster scope',
    );
    const part = await api.send("GET", `${PODS}/p/log`, undefined, { token: TOKENS.nobody });
    expect(part.body.message).toContain('cannot get resource "pods/log" in API group "" in the namespace "default"');
  });

  it("everybody may ask for version and health, the authenticated for discovery", async () => {
    expect((await api.send("GET", "/version", undefined, { token: null })).body.gitVersion).toBe("v1.36.2");
    expect((await api.send("GET", "/readyz", undefined, { token: null })).text).toBe("ok");
    expect((await api.send("GET", "/apis", undefined, { token: TOKENS.nobody })).code).toBe(200);
    expect((await api.send("GET", "/apis", undefined, { token: null })).code).toBe(403);
  });

  it("the viewer reads, but neither writes nor sees Secrets", async () => {
    const token = { token: TOKENS.viewer };
    expect((await api.send("GET", PODS, undefined, token)).code).toBe(200);
    expect((await api.send("GET", "/api/v1/nodes", undefined, token)).code).toBe(200);
    expect((await api.send("GET", "/api/v1/secrets", undefined, token)).code).toBe(403);
    expect((await api.send("POST", "/api/v1/namespaces/default/configmaps", {}, token)).code).toBe(403);
  });

  it("service-account tokens are issued, work, and stop with the account or the pod they are bound to", async () => {
    const path = "/api/v1/namespaces/default/serviceaccounts/bot/token";
    const issued = await api.send("POST", path, { spec: { expirationSeconds: 600 } });
    expect(issued.code).toBe(201);
    const { token } = issued.body.status;
    const self = await api.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { token });
    expect(self.body.status.userInfo).toMatchObject({
      username: "system:serviceaccount:default:bot",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
    expect((await api.send("GET", PODS, undefined, { token })).code).toBe(403);
    expect((await api.send("POST", path, { spec: { expirationSeconds: 5 } })).body.message).toContain(
      "less than 10 minutes",
    );
    expect((await api.send("POST", path.replace("bot", "none"), {})).code).toBe(404);

    const pod = await api.send("POST", PODS, {
      metadata: { name: "p" },
      spec: { serviceAccountName: "bot", containers: [{ name: "c", image: "x" }] },
    });
    const boundObjectRef = { kind: "Pod", name: "p", uid: pod.body.metadata.uid };
    const bound = (await api.send("POST", path, { spec: { boundObjectRef } })).body.status.token;
    expect((await api.send("GET", "/apis", undefined, { token: bound })).code).toBe(200);
    await api.send("DELETE", `${PODS}/p`);
    expect((await api.send("GET", "/apis", undefined, { token: bound })).code).toBe(401);
    const forged = `${token.slice(0, -3)}abc`;
    expect((await api.send("GET", "/apis", undefined, { token: forged })).code).toBe(401);
    await api.send("DELETE", "/api/v1/namespaces/default/serviceaccounts/bot");
    expect((await api.send("GET", "/apis", undefined, { token })).code).toBe(401);
  });

  it("roles hold in their namespace, for their names, verbs and subresources, and end with their binding", async () => {
    const subject = { kind: "User", name: "nobody" };
    const rules = [
      { apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list"] },
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["*"] },
    ];
    await api.send("POST", `${RBAC}/namespaces/default/roles`, { metadata: { name: "r" }, rules });
    await api.send("POST", `${RBAC}/namespaces/default/rolebindings`, {
      metadata: { name: "r" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [subject],
    });
    const token = { token: TOKENS.nobody };
    const code = async (method: string, path: string) => (await api.send(method, path, undefined, token)).code;
    expect(await code("GET", PODS)).toBe(200);
    expect(await code("GET", "/api/v1/pods")).toBe(403);
    expect(await code("GET", "/api/v1/namespaces/kube-system/pods")).toBe(403);
    expect(await code("DELETE", `${PODS}/x`)).toBe(403);
    expect(await code("GET", `${PODS}/x/log`)).toBe(404);
    expect(await code("GET", "/api/v1/namespaces/default/configmaps/mine")).toBe(404);
    expect(await code("GET", "/api/v1/namespaces/default/configmaps/other")).toBe(403);
    await api.send("DELETE", `${RBAC}/namespaces/default/rolebindings/r`);
    expect(await code("GET", PODS)).toBe(403);
  });

  it("aggregated roles take in what is labelled for them", async () => {
    await api.send("POST", `${RBAC}/clusterroles`, {
      metadata: { name: "more", labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
      rules: [{ apiGroups: ["example.org"], resources: ["things"], verbs: ["get"] }],
    });
    await api.send("POST", `${RBAC}/clusterrolebindings`, {
      metadata: { name: "v" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
      subjects: [{ kind: "Group", name: "editors" }],
    });
    const ask = async (group: string, resource: string, verb: string) => {
      const body = {
        spec: { user: "x", groups: ["editors"], resourceAttributes: { group, resource, verb, namespace: "a" } },
      };
      return (await api.send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)).body.status.allowed;
    };
    expect(await ask("example.org", "things", "get")).toBe(true);
    expect(await ask("", "pods", "list")).toBe(true);
    expect(await ask("apps", "deployments", "patch")).toBe(true);
    expect(await ask("", "nodes", "list")).toBe(false);
  });

  it("reviews answer for oneself, and impersonation needs to be allowed", async () => {
    const review = {
      spec: { resourceAttributes: { group: "metallb.io", resource: "ipaddresspools", verb: "delete" } },
    };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    expect((await api.send("POST", path, review)).body.status.allowed).toBe(true);
    expect((await api.send("POST", path, review, { token: TOKENS.viewer })).body.status.allowed).toBe(false);
    const headers = { "impersonate-user": "somebody", "impersonate-group": "system:masters" };
    expect((await api.send("GET", PODS, undefined, { headers })).code).toBe(200);
    expect((await api.send("GET", PODS, undefined, { headers: { "impersonate-user": "somebody" } })).code).toBe(403);
    const refused = await api.send("GET", PODS, undefined, { headers, token: TOKENS.viewer });
    expect(refused.body.message).toContain('User "viewer" cannot impersonate resource "users"');
    const rules = await api.send(
      "POST",
      "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      { spec: { namespace: "default" } },
      { token: TOKENS.viewer },
    );
    expect(rules.body.status.resourceRules.length).toBeGreaterThan(2);
    const checked = await api.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
      spec: { token: TOKENS.viewer },
    });
    expect(checked.body.status).toMatchObject({ authenticated: true, user: { username: "viewer" } });
  });
});
