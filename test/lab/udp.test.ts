import { readdirSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forgetFlows } from "#net/conntrack/forget-flows";
import { eventually } from "../support/berth.ts";
import { ClusterLab } from "./support/cluster-lab.ts";
import { Namespaces } from "./support/namespaces.ts";

const DATAGRAMS = fileURLToPath(new URL("./support/datagrams.ts", import.meta.url));
const PORT = "5300";
const NODE_PORT = "30530";
const program = (...args: readonly string[]) => [process.execPath, "--no-warnings", DATAGRAMS, ...args];

const pod = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: echo}}
spec: {terminationGracePeriodSeconds: 5, containers: [{name: echo, image: nginx, ports: [{containerPort: 80}]}]}
`;
const service = (name: string, spec: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: echo}, ${spec}}
`;

describe.skipIf(!Namespaces.available())("UDP in a cluster of namespaces (needs root)", { timeout: 180_000 }, () => {
  let lab: ClusterLab;

  beforeAll(async () => {
    lab = await ClusterLab.start();
  }, 120_000);
  afterAll(() => lab?.close(), 30_000);

  /** Runs a pod, and in it a server that says its name. */
  const serve = async (name: string) => {
    await lab.apply(pod(name));
    lab.kubectl("wait", "--for=condition=Ready", `pod/${name}`, "--timeout=15s");
    await lab.follow(name, program("serve", name, PORT), "open", () => undefined);
  };
  /** A client on the LAN that keeps its source port; tells what it heard last and the first time it hears `wanted`. */
  const talk = async (address: string, port: string) => {
    const heard: string[] = [];
    await lab.follow("client", program("talk", address, port), "open", (line) => heard.push(line));
    return {
      heard,
      next(wanted: readonly string[]) {
        const from = heard.length;
        const look = async () => heard.slice(from).find((one) => wanted.includes(one)) ?? null;
        // A flow that is not forgotten stays for as long as it is spoken on.
        return eventually(`${wanted.join(" or ")}; last heard was ${heard.at(-1)}`, 20_000, look);
      },
    };
  };
  const remove = (name: string) => lab.kubectl("delete", "pod", name, "--timeout=15s");

  it("a client that keeps its source port is taken to another pod when its own goes, and told when there is none", async () => {
    await Promise.all(["echo-a", "echo-b"].map(serve));
    await lab.apply(service("echo", `type: LoadBalancer, ports: [{port: ${PORT}, protocol: UDP}]`));
    const client = await talk(await lab.addressOf("echo"), PORT);
    const first = await client.next(["echo-a", "echo-b"]);
    const other = first === "echo-a" ? "echo-b" : "echo-a";
    await eventually("fifty answers", 20_000, async () => (client.heard.length > 50 ? true : null));
    expect(new Set(client.heard.filter((one) => one !== "refused"))).toEqual(new Set([first]));

    // The server in the pod's namespace is still there, and would answer for as long as it is asked.
    remove(first);
    await client.next([other]);
    const settled = client.heard.length;
    await eventually("twenty more answers", 20_000, async () => (client.heard.length > settled + 20 ? true : null));
    expect(new Set(client.heard.slice(settled))).toEqual(new Set([other]));

    remove(other);
    await client.next(["refused"]);
    await serve(first);
    await client.next([first]);
  });

  it("a NodePort that a client asks since before it was served answers it once it is", async () => {
    const client = await talk("10.77.0.11", NODE_PORT);
    await client.next(["refused"]);
    await lab.apply(service("late", `type: NodePort, ports: [{port: ${PORT}, protocol: UDP, nodePort: ${NODE_PORT}}]`));
    await client.next(["echo-a", "echo-b"]);
  });
});

describe.skipIf(!Namespaces.available())("forgetting flows in a namespace (needs root)", () => {
  const host = "one";
  let namespaces: Namespaces;
  beforeAll(() => {
    namespaces = Namespaces.create("flows");
    namespaces.add(host);
    namespaces.must(host, "ip", "route", "add", "10.9.0.0/16", "dev", "lo");
    namespaces.must(host, "ip", "-6", "route", "add", "fd09::/64", "dev", "lo");
    namespaces.feed(host, rules("ip", "127.0.0.1"), "nft", "-f", "-");
    namespaces.feed(host, rules("ip6", "[::1]"), "nft", "-f", "-");
  });
  afterAll(() => namespaces?.close());

  const rules = (family: string, to: string) =>
    `table ${family} t {\n chain out {\n  type nat hook output priority -100;\n  udp dport 53 dnat to ${to}:5353\n }\n}\n`;
  const namespace = () => `/run/netns/${namespaces.nameOf(host)}`;
  const send = (...to: readonly (readonly [address: string, port: number])[]) =>
    namespaces.must(
      host,
      process.execPath,
      "-e",
      `const dgram = require("node:dgram");
for (const [address, port] of ${JSON.stringify(to)}) {
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.send("x", port, address, () => socket.close());
}`,
    );
  const forget = async (address: string | null, port: number, keep: readonly string[] = []) => {
    const at = keep.map((one) => ({ address: one, port: 5353 }));
    const [result] = await forgetFlows([{ namespace: namespace(), rules: [{ address, port, keep: at }] }]);
    return result;
  };
  const removed = (count: number) => ({ kind: "forgotten", removed: count, complete: true });
  /** The namespaces of this process's threads. */
  const threads = () =>
    new Set(
      readdirSync("/proc/self/task").flatMap((task) => {
        try {
          return readlinkSync(`/proc/self/task/${task}/ns/net`);
        } catch {
          // It ended meanwhile.
          return [];
        }
      }),
    );

  it("removes those of an address and port that lead elsewhere, once, and leaves all others", async () => {
    send(["10.9.0.1", 53], ["10.9.0.1", 53], ["10.9.0.2", 53], ["10.9.0.1", 54], ["fd09::1", 53]);
    expect(await forget("10.9.0.1", 53, ["127.0.0.1"])).toEqual(removed(0));
    expect(await forget("10.9.0.1", 53, ["127.0.0.2"])).toEqual(removed(2));
    expect(await forget("10.9.0.1", 53)).toEqual(removed(0));
    expect(await forget("10.9.0.2", 53)).toEqual(removed(1));
    expect(await forget("fd09::1", 53)).toEqual(removed(1));
    expect(await forget("10.9.0.1", 54)).toEqual(removed(1));
  });

  it("takes the host's own addresses for a rule without one", async () => {
    send(["127.0.0.1", 30_053], ["10.9.0.1", 30_053]);
    expect(await forget(null, 30_053)).toEqual(removed(1));
    expect(await forget("10.9.0.1", 30_053)).toEqual(removed(1));
  });

  it("says which namespace failed, and does the others all the same", async () => {
    send(["10.9.0.1", 53]);
    const rules = [{ address: "10.9.0.1", port: 53, keep: [] }];
    const results = await forgetFlows([
      { namespace: "/run/netns/berth-nowhere", rules },
      { namespace: "/proc/self/ns/mnt", rules },
      { namespace: namespace(), rules },
    ]);
    expect(results).toEqual([
      { kind: "failed", why: expect.stringContaining("ENOENT") },
      { kind: "failed", why: expect.stringContaining("setns") },
      removed(1),
    ]);
  });

  it("leaves every thread of the process in its own namespace", async () => {
    const own = threads();
    expect(own.size).toBe(1);
    await Promise.all([forget("10.9.0.1", 53), forget("10.9.0.2", 53)]);
    // A thread that was started by now begins where the one that starts it is.
    await Promise.all(Array.from({ length: 8 }, () => import("node:fs/promises").then(({ stat }) => stat("/"))));
    expect(threads()).toEqual(own);
  });
});
