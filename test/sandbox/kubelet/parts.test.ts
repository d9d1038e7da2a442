import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#runtime/clock";
import { writeAtomically } from "#sandbox/kubelet/atomic-dir";
import { BackOff, goSeconds } from "#sandbox/kubelet/back-off";
import { expand } from "#sandbox/kubelet/env";
import { imageKind } from "#sandbox/kubelet/image";
import { ContainerLog } from "#sandbox/kubelet/log-file";
import { PodAddresses, shadowOf } from "#sandbox/kubelet/pod-addresses";
import { viewPod } from "#sandbox/kubelet/pod-view";
import { readProxyConfig } from "#sandbox/kubelet/runtimes/kube-proxy";
import { parseScript } from "#sandbox/kubelet/shell/parse";
import { ShellError } from "#sandbox/kubelet/shell/syntax";
import { reachableText, readReachableAt, wantedListeners } from "#sandbox/nodes/reachable-at";
import { fc } from "../../support/random.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "berth-parts-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("restart back-off", () => {
  it("is nothing, then 10 s doubling up to 5 min, and is forgotten after 10 quiet minutes", () => {
    const backOff = new BackOff();
    const waits: number[] = [];
    let now = 1_000;
    for (let restart = 0; restart < 8; restart++) {
      const waitMs = backOff.waitMs(now, now);
      waits.push(waitMs / 1000);
      now += waitMs;
      backOff.next(now);
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(backOff.waitMs(now + 600_001, now + 600_001)).toBe(0);
    backOff.next(now + 600_001);
    expect(backOff.delayMs).toBe(10_000);
  });

  it("never exceeds the maximum a node is configured with", () => {
    const backOff = new BackOff(10_000);
    for (let restart = 0; restart < 8; restart++) backOff.next(restart);
    expect(backOff.delayMs).toBe(10_000);
  });

  it.each([
    [10_000, "10s"],
    [80_000, "1m20s"],
    [300_000, "5m0s"],
  ])("prints %i ms as %s", (ms, text) => expect(goSeconds(ms)).toBe(text));
});

describe("pod addresses of a node", () => {
  it("keeps an adopted address for its pod and gives the next one to others", () => {
    const addresses = new PodAddresses(3);
    expect(addresses.adopt("old", "10.244.3.7")).toBe(true);
    expect(addresses.adopt("thief", "10.244.3.7")).toBe(false);
    expect(addresses.adopt("foreign", "10.244.1.7")).toBe(false);
    expect(addresses.assign("new")).toBe("10.244.3.8");
    expect(addresses.assign("old")).toBe("10.244.3.7");
  });

  it("gives 253 different addresses, then none, then the released one", () => {
    const addresses = new PodAddresses(1);
    const given = Array.from({ length: 253 }, (_unused, index) => addresses.assign(`pod-${index}`));
    expect(new Set(given).size).toBe(253);
    expect(given).not.toContain("10.244.1.1");
    expect(addresses.assign("one-more")).toBeNull();
    addresses.release("pod-9");
    expect(addresses.assign("one-more")).toBe(given[9]);
  });

  it("names the loopback shadow of a pod address", () => {
    expect([shadowOf("10.244.2.5"), shadowOf("127.77.0.11")]).toEqual(["127.244.2.5", "127.77.0.11"]);
  });
});

describe("images", () => {
  it.each([
    ["nginx", "nginx"],
    ["nginx:latest", "nginx"],
    ["docker.io/library/busybox:1.28", "busybox"],
    ["localhost:5000/berth@sha256:abc", "berth"],
    ["registry.example/kube-proxy:v1.36.2", "kube-proxy"],
    ["redis:7", null],
    ["constructor", null],
    ["", null],
  ])("%s runs as %s", (image, kind) => expect(imageKind(image)).toBe(kind));
});

describe("$(NAME) expansion", () => {
  it.each([
    ["$(A)-$(B)", "1-2"],
    ["$$(A)", "$(A)"],
    ["$(NOPE) $A $", "$(NOPE) $A $"],
    ["$$$(A)", "$1"],
  ])("%s becomes %s", (text, want) => expect(expand(text, { A: "1", B: "2" })).toBe(want));
});

describe("a container's log", () => {
  it("is in CRI format, with unfinished lines at the end and long lines in parts", () => {
    const file = path.join(directory, "logs", "main.0.log");
    const log = new ContainerLog(file, systemClock);
    log.write("stdout", "one\ntw");
    log.write("stderr", "oops\n");
    log.write("stdout", "o\n");
    log.write("stdout", `${"x".repeat(20_000)}\nend`);
    log.close();
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ").slice(1).join(" ").slice(0, 20))).toEqual([
      "stdout F one",
      "stderr F oops",
      "stdout F two",
      `stdout P ${"x".repeat(11)}`,
      `stdout F ${"x".repeat(11)}`,
      "stdout F end",
    ]);
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F one$/);
  });

  it("begins a new file after about 10 MB and keeps one old one", async () => {
    const file = path.join(directory, "main.0.log");
    const log = new ContainerLog(file, systemClock);
    for (let block = 0; block < 12; block++) {
      for (let line = 0; line < 100; line++) log.line("stdout", "x".repeat(10_000));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    log.close();
    expect(readdirSync(directory).toSorted()).toEqual(["main.0.log", "main.0.log.1"]);
    expect(statSync(file).size).toBeLessThan(3_000_000);
  });

  it("never throws, even where it cannot be written", () => {
    writeFileSync(path.join(directory, "a-file"), "");
    const log = new ContainerLog(path.join(directory, "a-file", "main.0.log"), systemClock);
    log.line("stdout", "lost");
    log.close();
  });
});

describe("a ConfigMap's directory", () => {
  const files = (entries: Record<string, string>) =>
    new Map(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text)]));

  it("changes all at once, drops what is gone, and is not touched when nothing changed", async () => {
    expect(await writeAtomically(directory, files({ a: "1", "sub/b": "2" }), "v1")).toBe(true);
    expect(await writeAtomically(directory, files({ a: "1", "sub/b": "2" }), "v2")).toBe(false);
    expect(readFileSync(path.join(directory, "sub/b"), "utf8")).toBe("2");
    expect(await writeAtomically(directory, files({ a: "3" }), "v3")).toBe(true);
    expect(readFileSync(path.join(directory, "a"), "utf8")).toBe("3");
    expect(readlinkSync(path.join(directory, "..data"))).toBe("..v3");
    expect(readdirSync(directory).toSorted()).toEqual(["..data", "..v3", "a"]);
  });

  it.each(["../x", "a/../../x", "/x", "", "..data"])("refuses the file name %j", async (name) => {
    await expect(writeAtomically(directory, files({ [name]: "x" }), "v1")).rejects.toThrow("not a usable file name");
  });
});

describe("KubeProxyConfiguration", () => {
  const config = (rest: string) => `kind: KubeProxyConfiguration\n${rest}`;
  it.each([
    [config("mode: ipvs\nipvs: {strictARP: true}"), { mode: "ipvs", strictArp: true }],
    [config('mode: ""'), { mode: "iptables", strictArp: false }],
    [config("mode: nftables\nipvs:\n"), { mode: "nftables", strictArp: false }],
  ])("%j is read", (text, want) => expect(readProxyConfig(text)).toEqual(want));

  it.each([
    ["{", "not valid YAML"],
    ["[]", "a KubeProxyConfiguration is expected"],
    ["kind: Pod", 'expected KubeProxyConfiguration, not "Pod"'],
    [config("mode: 3"), "mode: 3 is not one of"],
    [config("ipvs: {strictARP: 'yes'}"), "ipvs.strictARP: true or false is expected"],
  ])("%j is refused with a sentence", (text, message) => expect(() => readProxyConfig(text)).toThrow(message));
});

describe("what the edge offers", () => {
  const service = (more: object) => ({
    metadata: { namespace: "default", name: "web", ...more },
    spec: {
      type: "LoadBalancer",
      ports: [{ port: 443 }, { port: 80, protocol: "TCP" }, { port: 9, protocol: "SCTP" }],
    },
    status: { loadBalancer: { ingress: [{ ip: "127.77.10.1" }, { hostname: "x" }] } },
  });

  it("is every TCP and UDP port of every address, with the mapped port of an earlier run", () => {
    const annotations = { "berth.dev/reachable-at": "80/TCP=127.0.0.1:18080, junk" };
    expect(wantedListeners([service({ annotations })])).toEqual([
      { address: "127.77.10.1", port: 80, protocol: "TCP", key: "default/web", preferredPort: 18080 },
      { address: "127.77.10.1", port: 443, protocol: "TCP", key: "default/web" },
    ]);
  });

  it("is nothing for a Service that is going away", () => {
    expect(wantedListeners([service({ deletionTimestamp: "2026-01-01T00:00:00Z" })])).toEqual([]);
  });

  it("is written as one annotation, which reads back", () => {
    const row = { key: "default/web", address: "127.77.10.1", protocol: "TCP", mapped: true, why: "EACCES" } as const;
    const text = reachableText([
      { ...row, port: 80, at: { address: "127.0.0.1", port: 18080 } },
      { ...row, port: 443, at: { address: "127.0.0.1", port: 18443 } },
      { ...row, port: 8443, at: null },
    ]);
    expect(text).toBe("80/TCP=127.0.0.1:18080, 443/TCP=127.0.0.1:18443");
    expect([...readReachableAt(text ?? "")]).toEqual([
      ["80/TCP", 18080],
      ["443/TCP", 18443],
    ]);
    expect(reachableText([{ ...row, port: 80, mapped: false, at: { address: "127.77.10.1", port: 80 } }])).toBeNull();
  });
});

describe("random input", () => {
  it("never makes the shell's parser fail in another way than it says", () => {
    const piece = fc.constantFrom(
      "echo",
      " ",
      "$",
      "{",
      "}",
      "(",
      ")",
      '"',
      "'",
      ";",
      "\n",
      "&&",
      "if",
      "then",
      "fi",
      "while",
      "do",
      "done",
      "x",
      "=",
      ">",
      "<",
      "1",
      "\\",
      "`",
      "!",
      "#",
      "in",
      "for",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parseScript(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ShellError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never makes a pod's view throw", () => {
    fc.assert(
      fc.property(
        fc.object({
          key: fc.constantFrom("spec", "containers", "env", "volumes", "ports", "name", "valueFrom", "httpGet"),
        }),
        (spec) => {
          viewPod({ metadata: { name: "x" }, spec } as never);
        },
      ),
      { numRuns: 300 },
    );
  });
});
