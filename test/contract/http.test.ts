import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/api-server.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send("POST", "/api/v1/namespaces/default/pods", {
    metadata: { name: "p" },
    spec: { containers: [{ name: "c", image: "nginx" }] },
  });
  const status = { status: { phase: "Running" } };
  const type = "application/merge-patch+json";
  await api.send("PATCH", "/api/v1/namespaces/default/pods/p/status", status, { type });
});
afterAll(() => api.close());

describe("paths that people look at", () => {
  it.each([
    ["/readyz?verbose", "[+]ping ok\n[+]store ok\nreadyz check passed\n"],
    ["/livez?verbose", "[+]ping ok\n[+]store ok\nlivez check passed\n"],
    ["/readyz", "ok"],
    ["/livez/ping", "ok"],
  ])("%s", async (path, text) => {
    expect((await api.kubectl("get", "--raw", path)).out).toBe(text);
  });
});

describe("a large reply", () => {
  const list = async (encoding: string) => {
    const reply = await api.send("GET", "/openapi/v3/api/v1", undefined, { headers: { "accept-encoding": encoding } });
    return reply.headers["content-encoding"];
  };

  it("is compressed to whoever accepts that, and to nobody else", async () => {
    expect([await list("gzip"), await list("br, gzip;q=0.5")]).toEqual(["gzip", "gzip"]);
    expect([await list("identity"), await list("gzip;q=0"), await list("")]).toEqual([undefined, undefined, undefined]);
  });
});

describe("what the sandbox does not serve is refused in words that say so", () => {
  it.each([
    [["exec", "p", "--", "ls"], /the Berth sandbox does not serve "exec" on pods: its pods are not containers/],
    [["attach", "p"], /the Berth sandbox does not serve "attach" on pods/],
    [["port-forward", "p", "18080:80"], /the Berth sandbox does not serve "portforward" on pods|unable to upgrade/],
    [["cp", "/etc/hostname", "p:/tmp/x"], /the Berth sandbox does not serve "exec" on pods/],
    [["top", "pods"], /Metrics API not available/],
    [["create", "job", "j", "--image=x"], /the Berth sandbox serves no jobs\.batch/],
    [["create", "quota", "q", "--hard=pods=1"], /the Berth sandbox serves no resourcequotas/],
    [["get", "cronjobs"], /the server doesn't have a resource type "cronjobs"/],
  ])("kubectl %j", async (words, says) => {
    const { code, out, err } = await api.kubectl(...words);
    expect(code).toBe(1);
    expect(out + err).toMatch(says);
  });
});
