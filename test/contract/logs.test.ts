import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/api-server.ts";

const PODS = "/api/v1/namespaces/default/pods";
let api: TestApi;
let directory: string;

beforeAll(async () => {
  api = await startTestApi();
  const container = (name: string) => ({ name, image: "nginx" });
  const made = await api.send("POST", PODS, {
    metadata: { name: "p" },
    spec: { nodeName: "n", initContainers: [container("init")], containers: [container("a")] },
  });
  await api.send("POST", PODS, {
    metadata: { name: "two" },
    spec: { nodeName: "n", containers: [container("a"), container("b")] },
  });
  directory = join(api.dir, "pods", made.body.metadata.uid, "logs");
  mkdirSync(directory, { recursive: true });
  const line = (second: number, text: string, tag = "F") =>
    `2026-01-01T00:00:0${second}.000000000Z stdout ${tag} ${text}\n`;
  writeFileSync(join(directory, "a.0.log"), line(0, "earlier run"));
  writeFileSync(
    join(directory, "a.1.log"),
    line(1, "one") + line(2, "two") + line(3, "par", "P") + line(3, "tial") + line(4, ""),
  );
});
afterAll(() => api.close());

describe("a pod's log", () => {
  const rows: [string, string][] = [
    ["", "one\ntwo\npartial\n\n"],
    ["?tailLines=1", "\n"],
    ["?tailLines=0", ""],
    ["?timestamps=true&tailLines=1", "2026-01-01T00:00:04.000000000Z \n"],
    ["?limitBytes=5", "one\nt"],
    ["?sinceTime=2026-01-01T00:00:03Z", "partial\n\n"],
    ["?previous=true", "earlier run\n"],
    ["?container=a&sinceSeconds=60", ""],
  ];
  it.each(rows)("%j shows %j", async (query, want) => {
    const reply = await api.send("GET", `${PODS}/p/log${query}`);
    expect([reply.code, reply.text]).toEqual([200, want]);
  });

  const refused: [string, string, string][] = [
    ["p", "?container=zz", "container zz is not valid for pod p"],
    ["two", "", "a container name must be specified for pod two, choose one of: [a b]"],
    ["two", "?container=b", 'container "b" in pod "two" is waiting to start: ContainerCreating'],
    ["two", "?container=b&previous=true", 'previous terminated container "b" in pod "two" not found'],
    ["p", "?tailLines=-1", "tailLines: Invalid value: -1"],
    ["p", "?tailLines=x", "tailLines: Invalid value"],
    ["p", "?sinceTime=yesterday", "sinceTime: Invalid value"],
  ];
  it.each(refused)("of %s with %j is refused in the server's words", async (pod, query, says) => {
    const reply = await api.send("GET", `${PODS}/${pod}/log${query}`);
    expect([reply.code, reply.body.message]).toEqual([400, expect.stringContaining(says)]);
  });

  it("is followed until the container has ended", async () => {
    const following = spawn("kubectl", ["--kubeconfig", api.kubeconfig, "logs", "p", "-c", "a", "-f", "--tail=1"]);
    let said = "";
    following.stdout.on("data", (data) => {
      said += data;
    });
    const ended = once(following, "close");
    // It follows once it has printed what is there, an empty line.
    await expect.poll(() => said).toBe("\n");
    appendFileSync(join(directory, "a.1.log"), "2026-01-01T00:00:05.000000000Z stderr F late\n");
    await expect.poll(() => said).toBe("\nlate\n");
    const status = { containerStatuses: [{ name: "a", restartCount: 1, state: { terminated: { exitCode: 0 } } }] };
    const type = "application/strategic-merge-patch+json";
    expect((await api.send("PATCH", `${PODS}/p/status`, { status }, { type })).code).toBe(200);
    await ended;
    expect(said).toBe("\nlate\n");
  });
});
