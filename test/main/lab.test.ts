import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabFile } from "#api/lab";
import { serveSocket } from "../../lib/main/api-socket.ts";
import { upFlags } from "../../lib/main/flags.ts";
import { freshNamespaces, onHost, readLab } from "../../lib/main/lab-namespaces.ts";
import { startTimeOf } from "../../lib/main/sweep.ts";

const LAB: LabFile = {
  pid: 42,
  startTime: "1",
  user: false,
  hosts: [
    { name: "client", netns: "client", summary: "" },
    { name: "switch", netns: null, summary: "" },
    { name: "default/web-1", netns: "pod-0a1b", summary: "" },
  ],
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "berth-lab-"));
  mkdirSync(path.join(directory, "run"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("entering a host of the lab", () => {
  it.each([
    ["a host", "client", "--net=/proc/42/root/run/netns/client"],
    ["a pod, by namespace and name", "default/web-1", "--net=/proc/42/root/run/netns/pod-0a1b"],
    ["a pod, by its name alone", "web-1", "--net=/proc/42/root/run/netns/pod-0a1b"],
    ["the switch, which is the namespace of the nodes process", "switch", "--net=/proc/42/ns/net"],
  ])("leads to %s", (_what, name, word) => {
    expect(onHost(LAB, name)).toEqual(["nsenter", word, "--"]);
  });

  it("goes through the lab's user namespace first, where it has one", () => {
    const words = onHost({ ...LAB, user: true }, "client");
    expect(words.slice(0, 3)).toEqual(["nsenter", "--user=/proc/42/ns/user", "--preserve-credentials"]);
  });

  it("names the hosts there are when there is none of that name", () => {
    expect(() => onHost(LAB, "nobody")).toThrow('no host "nobody"; it has client, switch, default/web-1');
  });

  it("needs a user namespace for anyone but root", () => {
    expect(freshNamespaces(false)).toEqual(["unshare", "--net", "--mount", "--"]);
    expect(freshNamespaces(true)).toContain("--map-root-user");
  });
});

describe("the lab of a data directory", () => {
  const write = (text: string) => writeFileSync(path.join(directory, "run/lab.json"), text);
  const alive = { ...LAB, pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };

  it("is known while its process lives", () => {
    write(JSON.stringify(alive));
    expect(readLab(directory)).toEqual(alive);
  });

  it.each([
    ["there is no file", null],
    ["the file is damaged", '{"pid":'],
    ["the file is of another shape", '{"pid":"x"}'],
    ["the pid belongs to another process now", JSON.stringify({ ...alive, startTime: "1" })],
  ])("is none when %s", (_what, text) => {
    if (text !== null) write(text);
    expect(readLab(directory)).toBeNull();
  });
});

describe("the API server's Unix socket", () => {
  it("is its owner's alone, and leads to the port both ways", async () => {
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const file = path.join(directory, "api.sock");
    const socket = await serveSocket(file, typeof address === "object" && address !== null ? address.port : 0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const echoed = await new Promise<string>((resolve, reject) => {
      let text = "";
      const client = connect({ path: file }, () => client.end("hello"));
      client.on("data", (data) => {
        text += data;
      });
      client.on("end", () => resolve(text));
      client.on("error", reject);
    });
    expect(echoed).toBe("hello");
    socket.close();
    server.close();
  });

  it("refuses a path that is too long for one, in words", async () => {
    const long = path.join(directory, "x".repeat(100), "api.sock");
    await expect(serveSocket(long, 1)).rejects.toThrow("name a shorter --data-dir");
  });
});

describe("--network", () => {
  it.each(["loopback", "netns"])("takes %s", (network) => {
    expect(upFlags(["--network", network], {})?.network).toBe(network);
  });

  it("names what there is when it gets something else", () => {
    expect(() => upFlags(["--network", "bridge"], {})).toThrow('must be "loopback" or "netns"');
  });
});
