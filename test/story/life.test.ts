import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Berth, eventually, processesOf, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { freePort, listenOn } from "../support/traffic.ts";

const running: Berth[] = [];
const dirs: string[] = [];

function dir(): string {
  const path = scratchDir();
  dirs.push(path);
  return path;
}

afterEach(async () => {
  for (const berth of running.splice(0)) await berth.stop();
  for (const path of dirs.splice(0)) removeDir(path);
});

async function start(dataDir: string, args: readonly string[] = []): Promise<Berth> {
  const berth = await startBerth({ dataDir, args });
  running.push(berth);
  return berth;
}

describe("the life of the whole system", () => {
  it("ends in order on Ctrl-C, leaves no process, and comes back as it was", async () => {
    const dataDir = dir();
    const first = await start(dataDir);
    const before = await first.kubectl(
      "get",
      "services,ipaddresspools",
      "-A",
      "-o",
      "jsonpath={range .items[*]}{.metadata.name} {.status.loadBalancer.ingress} {.metadata.uid}\n{end}",
    );
    expect(await first.stop()).toBe(0);
    running.length = 0;
    expect(processesOf(dataDir)).toEqual([]);

    const second = await start(dataDir);
    const after = await second.kubectl(
      "get",
      "services,ipaddresspools",
      "-A",
      "-o",
      "jsonpath={range .items[*]}{.metadata.name} {.status.loadBalancer.ingress} {.metadata.uid}\n{end}",
    );
    expect(after).toBe(before);
    expect(second.output().match(/^berth ready: /gm)).toHaveLength(1);
  }, 180_000);

  it("leaves no process when its top process is killed", async () => {
    const dataDir = dir();
    const berth = await start(dataDir);
    expect(processesOf(dataDir).length).toBeGreaterThan(3);
    await berth.kill();
    running.length = 0;
    await eventually("every process to be gone", 30_000, async () => (processesOf(dataDir).length === 0 ? true : null));
  }, 120_000);

  it("starts from scratch with nothing installed", async () => {
    const berth = await start(dir(), ["--from-scratch"]);
    expect(await berth.kubectl("get", "namespaces", "-o", "name")).not.toContain("metallb-system");
    expect(await berth.kubectl("get", "configmap", "kube-proxy", "-n", "kube-system", "-o", "yaml")).toContain(
      "strictARP: false",
    );
  }, 120_000);
});

/** Runs the program with arguments that must be refused. */
function refused(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["bin/berth.mjs", ...args],
      { timeout: 50_000, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, text: stdout + stderr });
      },
    );
  });
}

describe("bad input ends with one sentence and a non-zero exit", () => {
  const rows: readonly { name: string; args: readonly string[]; says: RegExp }[] = [
    { name: "an unknown command", args: ["dance"], says: /no command "dance"/ },
    { name: "an unknown flag", args: ["up", "--prot", "3000"], says: /--prot/ },
    { name: "a port that is no number", args: ["up", "--port", "many"], says: /--port many: must be a whole number/ },
    { name: "two equal ports", args: ["up", "--port", "5000", "--api-port", "5000"], says: /must differ/ },
    { name: "a network that does not exist", args: ["up", "--network", "token-ring"], says: /--network token-ring/ },
    { name: "a context without a kubeconfig", args: ["up", "--context", "prod"], says: /--context needs --kubeconfig/ },
    {
      name: "a kubeconfig that is not there",
      args: ["up", "--kubeconfig", "/nonexistent/config"],
      says: /nonexistent/,
    },
    { name: "a malformed power command", args: ["sandbox", "power", "node-01", "sideways"], says: /power <node> off/ },
    { name: "a foreign host without address", args: ["sandbox", "foreign-host", "printer"], says: /IPv4 address/ },
  ];
  it.each(rows)("$name", async ({ args, says }) => {
    const { code, text } = await refused(args);
    expect(code).toBeGreaterThan(0);
    expect(text).toMatch(says);
    expect(text).not.toMatch(/^\s+at /m);
  });

  it("a port in use, naming the flag", async () => {
    const server = createServer();
    const port = await listenOn(server, "127.0.0.1");
    const { code, text } = await refused(["up", "--port", String(port), "--data-dir", dir()]);
    server.close();
    expect(code).toBe(1);
    expect(text).toMatch(/in use; name another with --port/);
    expect(text).not.toMatch(/^\s+at /m);
  });

  it("a data directory of a newer version", async () => {
    const path = dir();
    writeFileSync(join(path, "version"), "99\n");
    const { code, text } = await refused(["up", "--data-dir", path]);
    expect(code).toBe(1);
    expect(text).toMatch(/version 99, made by a newer Berth/);
  });

  it("a data directory that cannot be written", async () => {
    const path = dir();
    const file = join(path, "file");
    writeFileSync(file, "");
    mkdirSync(join(path, "locked"));
    chmodSync(join(path, "locked"), 0o500);
    // A path below a plain file is refused for root too.
    const { code, text } = await refused(["up", "--data-dir", join(file, "data")]);
    expect(code).toBe(1);
    expect(text).toMatch(/cannot be written/);
    expect(text).not.toMatch(/^\s+at /m);
  });

  it("a cluster that does not answer", async () => {
    const path = dir();
    const config = join(path, "kubeconfig");
    const port = await freePort();
    writeFileSync(
      config,
      `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n`,
    );
    const { code, text } = await refused([
      "up",
      "--kubeconfig",
      config,
      "--data-dir",
      join(path, "data"),
      "--port",
      String(await freePort()),
    ]);
    expect(code).toBe(1);
    expect(text).toMatch(/does not answer/);
    expect(text).not.toMatch(/^\s+at /m);
  });
});
