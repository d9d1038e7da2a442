import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readManifests } from "#main/manifests";
import { startTestApi, type TestApi } from "../support/api-server.ts";

const dir = mkdtempSync(join(tmpdir(), "berth-check-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return name;
};

/** Runs the verb as a user does, in a folder of its own. */
async function check(args: readonly string[], input?: string) {
  const env = { ...process.env, BERTH_KUBECONFIG: undefined, BERTH_CONTEXT: undefined };
  const child = spawn(process.execPath, [join(process.cwd(), "bin/berth.mjs"), "check", ...args], { cwd: dir, env });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (data) => out.push(String(data)));
  child.stderr.on("data", (data) => err.push(String(data)));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out: out.join(""), err: err.join("") };
}

const POOL = (name: string, range: string) => `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: ${name}, namespace: metallb-system }
spec: { addresses: [${range}] }
`;
const AD = `apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: all, namespace: metallb-system }
`;

describe("berth check on files", () => {
  it("says nothing but that it found nothing, and exits 0", async () => {
    file(
      "fine.yaml",
      `${POOL("a", "10.0.0.0/24")}---\n${AD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: other }\n`,
    );
    expect(await check(["fine.yaml"])).toEqual({ code: 0, out: "nothing found in 2 objects of 1 file\n", err: "" });
  });

  it("prints severity, object, field, message and fix in columns, errors first, and exits 1", async () => {
    file("bad.yaml", `${POOL("production", "10.0.0.7/24")}---\n${POOL("b", "10.0.0.9-10.0.0.1")}---\n${AD}`);
    const { code, out } = await check(["bad.yaml"]);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        'error    IPAddressPool metallb-system/b           spec.addresses.0  "10.0.0.9-10.0.0.1" is inverted: it begins at 10.0.0.9, after its end 10.0.0.1  (fix: write 10.0.0.1-10.0.0.9)  [bad.yaml:6]',
        'warning  IPAddressPool metallb-system/production  spec.addresses.0  "10.0.0.7/24" has bits set behind its prefix: the pool begins at the network\'s first address  (fix: write 10.0.0.0/24, or a range first-last)  [bad.yaml:1]',
        "1 error, 1 warning in 3 objects of 1 file",
        "",
      ].join("\n"),
    );
  });

  it("exits 0 on warnings, and 1 with --strict", async () => {
    file("warn.yaml", POOL("a", "10.0.0.0/24"));
    expect((await check(["warn.yaml"])).code).toBe(0);
    expect((await check(["--strict", "warn.yaml"])).code).toBe(1);
  });

  it("reads folders with all below, JSON and lists too, and judges them together", async () => {
    mkdirSync(join(dir, "tree/deep/.git"), { recursive: true });
    file("tree/a.yml", POOL("a", "10.0.0.0/24"));
    file("tree/notes.txt", "not: [yaml");
    file("tree/deep/.git/x.yaml", "not: [yaml");
    const pool = {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "b" },
      spec: { addresses: ["10.0.0.128/25"] },
    };
    file("tree/deep/b.json", JSON.stringify({ apiVersion: "v1", kind: "List", items: [pool] }));
    const { code, out } = await check(["--json", "tree"]);
    expect(code).toBe(1);
    const { findings } = JSON.parse(out);
    expect(findings).toContainEqual({
      severity: "error",
      kind: "IPAddressPool",
      object: "metallb-system/a",
      field: "spec.addresses.0",
      reason: "overlap",
      message: "10.0.0.0/24 overlaps 10.0.0.128/25 of pool b",
      fix: "take 10.0.0.128/25 out of one of them",
      source: "tree/a.yml:1",
    });
  });

  it("names both places of an object that is there twice", async () => {
    const { code, out } = await check(["-"], `${POOL("a", "10.0.0.0/24")}---\n${POOL("a", "10.0.0.0/24")}`);
    expect(code).toBe(1);
    expect(out).toContain("[(stdin):1, (stdin):6]");
  });

  it("reads standard input with -", async () => {
    const { code, out } = await check(["-"], POOL("a", "10.0.0"));
    expect(code).toBe(1);
    expect(out).toContain("[(stdin):1]");
  });

  it("names file and line of bad YAML, checks the rest all the same, and exits 2", async () => {
    file("broken.yaml", "a: 1\nb: [1\nc: 2\n");
    file("bad2.yaml", POOL("a", "10.0.0"));
    const { code, out, err } = await check(["broken.yaml", "bad2.yaml"]);
    expect(code).toBe(2);
    expect(err).toMatch(/^berth check: broken\.yaml:3: .+\n$/);
    expect(out).toContain("IPAddressPool metallb-system/a");
  });

  it.each([
    ["an unknown alias", "a: *nothing\n"],
    [
      "a bomb of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    ],
  ])("refuses %s with file and line", async (_what, text) => {
    file("alias.yaml", text);
    const { code, err } = await check(["alias.yaml"]);
    expect([code, err.split(" ")[2]]).toEqual([2, "alias.yaml:1:"]);
  });

  it("refuses a kind or version of metallb.io that does not exist, and says what would be right", async () => {
    const text = `${POOL("a", "10.0.0.0/24").replace("IPAddressPool", "IPAddresspool")}---\n${AD.replace("v1beta1", "v1")}`;
    const { code, out } = await check(["-"], text);
    expect(code).toBe(1);
    expect(out).toContain(
      'there is no kind "IPAddresspool" in metallb.io/v1beta1  (fix: write apiVersion metallb.io/v1beta1, kind IPAddressPool)',
    );
    expect(out).toContain(
      'there is no kind "L2Advertisement" in metallb.io/v1  (fix: write apiVersion metallb.io/v1beta1',
    );
  });

  it("prints control characters of a name as escapes", async () => {
    const { out } = await check(
      ["-"],
      JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", metadata: { name: "a\u001b[2J\nok" } }),
    );
    expect(out).toContain("a\\u001b[2J\\u000aok");
  });

  it("says nothing about an application's Service that names a pool of another repository", async () => {
    const service =
      "apiVersion: v1\nkind: Service\nmetadata: { name: s, annotations: { metallb.io/address-pool: production } }\nspec: { type: LoadBalancer }\n";
    expect((await check(["-"], service)).out).toBe("nothing found in 1 object of 1 file\n");
  });

  it.each([
    [["nowhere.yaml"], "berth check: nowhere.yaml: there is no such file or folder"],
    [["--nonsense"], "berth check: Unknown option '--nonsense'"],
    [[], "Usage: berth check"],
    [["--context", "x", "a.yaml"], "berth check: --context needs --kubeconfig"],
    [["--kubeconfig", "x", "a.yaml"], "berth check: --kubeconfig checks a cluster and takes no files."],
    [["--kubeconfig", "missing"], "berth check: kubeconfig missing does not exist"],
  ])("exits 2 on %j, and says why", async (args, says) => {
    const { code, err } = await check(args);
    expect([code, err.slice(0, says.length)]).toEqual([2, says]);
  });
});

describe("berth check on a cluster", () => {
  let api: TestApi;
  const create = (path: string, body: unknown) => api.send("POST", path, body);
  const METALLB = "/apis/metallb.io/v1beta1/namespaces/metallb-system";

  beforeAll(async () => {
    api = await startTestApi();
    for (const crd of readManifests("crds"))
      await create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
    await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "metallb-system" } });
    for (const [name, range] of [
      ["a", "10.0.0.0/24"],
      ["b", "10.0.0.128/25"],
    ]) {
      await create(`${METALLB}/ipaddresspools`, {
        apiVersion: "metallb.io/v1beta1",
        kind: "IPAddressPool",
        metadata: { name },
        spec: { addresses: [range] },
      });
    }
    const peer = { myASN: 64512, peerASN: 64513, peerAddress: "192.0.2.1", passwordSecret: { name: "router" } };
    await create("/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers", {
      apiVersion: "metallb.io/v1beta2",
      kind: "BGPPeer",
      metadata: { name: "tor" },
      spec: peer,
    });
    await create("/api/v1/namespaces/metallb-system/secrets", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "router" },
      data: { password: "eA==" },
    });
  });
  afterAll(() => api?.close());

  it("judges what is in it with the same words", async () => {
    const { code, out, err } = await check(["--json", "--kubeconfig", api.kubeconfig]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const said = JSON.parse(out).findings.map(({ severity, kind, object, reason }: Record<string, string>) =>
      [severity, kind, object, reason].join(" "),
    );
    expect(said).toEqual([
      "error BGPPeer metallb-system/tor wrong_secret",
      "error IPAddressPool metallb-system/b overlap",
      "warning IPAddressPool metallb-system/a not_advertised",
    ]);
  });

  it("names the cluster's trouble in a sentence, and exits 2, when it cannot be reached", async () => {
    const path = join(dir, "gone.kubeconfig");
    const { readFileSync } = await import("node:fs");
    writeFileSync(path, readFileSync(api.kubeconfig, "utf8").replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1"));
    const { code, err } = await check(["--kubeconfig", path]);
    expect(code).toBe(2);
    expect(err).toMatch(/^berth check: [^\n]+\n$/);
  });
});
