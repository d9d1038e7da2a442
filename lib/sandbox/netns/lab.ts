import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { LAB_FILE, type LabFile, type LabHost } from "#api/lab";
import { Fault } from "#core/errors";
import { runCommand } from "#runtime/command";
import type { Log } from "#runtime/log";
import { startTimeOf } from "../kubelet/children.ts";
import { hostLines, planHosts, podLines, readCable, switchLines } from "./plan.ts";
import { followLines, ipLines, NETNS_DIR, setSysctls } from "./tools.ts";

/** A pod that gets a namespace of its own. */
interface LabPod {
  readonly uid: string;
  /** "namespace/name" */
  readonly key: string;
  readonly node: string;
  readonly address: string;
}

/**
 * The namespaces of one sandbox. They are named in a mount namespace that only
 * this process and its children are in (`unshare --net --mount`): nobody else
 * sees them, sandboxes side by side cannot meet, and the kernel removes
 * everything when the last process has ended, however it ended.
 */
export class Lab {
  readonly #file: string;
  readonly #log: Log;
  readonly #nodeCount: number;
  /** Hosts whose cable is pulled, or leads elsewhere than to the LAN. */
  readonly #cutOff = new Set<string>();
  #stopLinks: () => void = () => undefined;
  readonly #pods = new Map<string, { readonly pod: LabPod; readonly ready: Promise<string> }>();

  private constructor(dataDir: string, nodeCount: number, log: Log) {
    this.#file = path.join(dataDir, LAB_FILE);
    this.#nodeCount = nodeCount;
    this.#log = log;
  }

  /** Builds everything but the pods. Fault `unavailable` when this is not a fresh namespace or a tool fails. */
  static async build(dataDir: string, nodeCount: number, log: Log): Promise<Lab> {
    assertFresh();
    const lab = new Lab(dataDir, nodeCount, log);
    // `ip netns` would otherwise write into the machine's own directory.
    const at = await runCommand("mount", ["-t", "tmpfs", "berth", NETNS_DIR]).then(
      () => NETNS_DIR,
      async () => {
        await runCommand("mount", ["-t", "tmpfs", "berth", "/run"]);
        return "/run";
      },
    );
    const hosts = planHosts(nodeCount);
    await ipLines(
      null,
      hosts.map(({ name }) => `netns add ${name}`),
    );
    await Promise.all(hosts.map(({ name, sysctls }) => setSysctls(name, sysctls)));
    await ipLines(null, usable(switchLines(hosts)));
    await Promise.all(hosts.map((host) => ipLines(host.name, usable(hostLines(host)))));
    lab.#stopLinks = followLines(null, ["ip", "-o", "monitor", "link"], (line) => {
      const cable = readCable(line);
      if (cable === null) return;
      if (cable.connected) lab.#cutOff.delete(cable.host);
      else lab.#cutOff.add(cable.host);
    });
    lab.#write();
    log.info("network namespaces are up", { hosts: hosts.map(({ name }) => name).join(", "), names: at });
    return lab;
  }

  /** The name of the pod's namespace, made when it is first asked for. Fault `unavailable` when it cannot be made. */
  podNamespace(pod: LabPod): Promise<string> {
    const known = this.#pods.get(pod.uid);
    if (known !== undefined) return known.ready;
    const namespace = `pod-${shortId(pod.uid)}`;
    const ready = this.#addPod(namespace, pod);
    this.#pods.set(pod.uid, { pod, ready });
    ready.then(
      () => this.#write(),
      () => this.#pods.delete(pod.uid),
    );
    return ready;
  }

  removePod(uid: string): void {
    const known = this.#pods.get(uid);
    if (known === undefined) return;
    this.#pods.delete(uid);
    this.#write();
    known.ready
      .then((namespace) => runCommand("ip", ["netns", "delete", namespace]))
      .catch((error) => this.#log.debug("namespace of a pod not removed", { error: Fault.from(error).message }));
  }

  /** Plugs a host's cable to the LAN in, or pulls it. */
  setCable(host: string, up: boolean): Promise<void> {
    return ipLines(null, [`link set ${host} ${up ? "up" : "down"}`]);
  }

  /** Whether a host's cable leads to the LAN. */
  connected(host: string): boolean {
    return !this.#cutOff.has(host);
  }

  /** The names go at once, everything in the namespaces with their last process. */
  close(): void {
    this.#stopLinks();
    rmSync(this.#file, { force: true });
  }

  async #addPod(namespace: string, pod: LabPod): Promise<string> {
    const cable = `veth${shortId(pod.uid).slice(0, 10)}`;
    const lines = podLines({ namespace, cable, address: pod.address });
    await runCommand("ip", ["netns", "add", namespace]);
    try {
      await setSysctls(namespace, { "net/ipv6/conf/default/accept_dad": "0", "net/ipv6/conf/all/accept_dad": "0" });
      await ipLines(pod.node, lines.node);
      await ipLines(namespace, usable(lines.pod));
    } catch (error) {
      await runCommand("ip", ["netns", "delete", namespace]).catch(() => undefined);
      throw error;
    }
    return namespace;
  }

  #write(): void {
    const planned = planHosts(this.#nodeCount).map(({ name, summary }): LabHost => ({ name, netns: name, summary }));
    const pods = [...this.#pods.values()].map(
      ({ pod }): LabHost => ({
        name: pod.key,
        netns: `pod-${shortId(pod.uid)}`,
        summary: `pod on ${pod.node}, ${pod.address}`,
      }),
    );
    const hub: LabHost = { name: "switch", netns: null, summary: "the LAN's switch: one cable per host, by its name" };
    const content: LabFile = {
      pid: process.pid,
      startTime: startTimeOf(process.pid) ?? "",
      user: process.env.BERTH_LAB_USER === "1",
      hosts: [...planned, hub, ...pods],
    };
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(content));
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log.warn("lab file not written", { file: this.#file, error: Fault.from(error).message });
    }
  }
}

/** Building in a machine's own namespace would change its network: a fresh one has no interface with an address. */
function assertFresh(): void {
  const present = Object.keys(networkInterfaces()).filter((name) => name !== "lo");
  if (process.env.BERTH_LAB === "1" && present.length === 0) return;
  throw new Fault(
    "invalid",
    `network namespaces are only built in a fresh one, as "berth up --network netns" starts this${present.length > 0 ? `; here are ${present.join(", ")}` : ""}.`,
  );
}

/** Without the lines about IPv6 where the kernel has none. */
function usable(lines: readonly string[]): readonly string[] {
  return existsSync("/proc/net/if_inet6") ? lines : lines.filter((line) => !line.includes("fd7"));
}

function shortId(uid: string): string {
  return uid.replaceAll("-", "").slice(0, 12);
}
