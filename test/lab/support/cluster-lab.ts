import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PODS, SERVICE_L2_STATUSES, SERVICES } from "#api/resources";
import type { HttpCluster } from "#kube/http-cluster";
import { onHost, readLab } from "../../../lib/main/lab-namespaces.ts";
import {
  adminCluster,
  type Berth,
  berthProcesses,
  eventually,
  removeDir,
  scratchDir,
  startBerth,
} from "../../support/berth.ts";
import type { Answer } from "../../support/hammer.ts";
import type { Ran } from "./namespaces.ts";
import { Spoken } from "./spoken.ts";

const COMMAND_MS = 20_000;
const REQUESTS = fileURLToPath(new URL("./requests.ts", import.meta.url));
const LINES = fileURLToPath(new URL("./lines.ts", import.meta.url));

/** A whole Berth with --network netns, and hands on its hosts. */
export class ClusterLab {
  readonly berth: Berth;
  readonly cluster: HttpCluster;
  readonly #services;
  readonly #statuses;
  readonly #pods;
  readonly #children = new Set<ChildProcess>();

  private constructor(berth: Berth) {
    this.berth = berth;
    this.cluster = adminCluster(berth.kubeconfig);
    this.#services = this.cluster.cache(SERVICES);
    this.#statuses = this.cluster.cache(SERVICE_L2_STATUSES);
    this.#pods = this.cluster.cache(PODS);
  }

  static async start(): Promise<ClusterLab> {
    const berth = await startBerth({ dataDir: scratchDir(), args: ["--network", "netns"] });
    const lab = new ClusterLab(berth);
    await Promise.all([lab.#services, lab.#statuses, lab.#pods].map((cache) => cache.whenSynced()));
    return lab;
  }

  /** Runs a command on a host and waits, at most 20 s. */
  exec(host: string, ...words: readonly string[]): Ran {
    const [command = "", ...args] = [...this.#enter(host), ...words];
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: COMMAND_MS });
    return { code: status, stdout: stdout ?? "", stderr: stderr ?? "" };
  }

  /** As `exec`, but throws when the command fails. */
  must(host: string, ...words: readonly string[]): string {
    const { code, stdout, stderr } = this.exec(host, ...words);
    if (code !== 0) throw new Error(`${words.join(" ")} on ${host} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** MACs that answer one ARP request, in order. */
  arping(address: string, host = "client"): readonly string[] {
    // It waits out its second, so that a second answer is seen too.
    const { stdout } = this.exec(host, "arping", "-i", "eth0", "-C", "9", "-c", "1", "-w", "1", "-r", address);
    return [...stdout.matchAll(/[0-9a-f:]{17}/g)].map(String);
  }

  /** One request; where its loss is what is looked for, say how soon it is given up. */
  curl(url: string, host = "client", withinS = 10): Ran {
    return this.exec(host, "curl", "-sS", "--max-time", String(withinS), url);
  }

  /** Pulls a node's cable to the LAN, or plugs it in. */
  cable(node: string, state: "up" | "down"): void {
    this.must("switch", "ip", "link", "set", node, state);
  }

  /** What the client's kernel believes of an address. */
  believed(address: string, host = "client"): string | undefined {
    return /lladdr (\S+)/.exec(this.exec(host, "ip", "neigh", "show", address).stdout)?.[1];
  }

  /** Requests a URL from the client every 10 ms until `stop`. */
  requests(url: string): { stop(): Promise<readonly Answer[]> } {
    const [command = "", ...args] = [...this.#enter("client"), process.execPath, "--no-warnings", REQUESTS, url, "10"];
    const child = this.#spawn(command, args);
    let text = "";
    child.stdout?.on("data", (data) => {
      text += data;
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    return {
      async stop() {
        child.stdin?.end();
        await ended;
        return JSON.parse(text) as readonly Answer[];
      },
    };
  }

  /** Opens one HTTP connection from the client; each call asks on it, and resolves with the pod that answered. */
  async keepAlive(address: string): Promise<(withinMs?: number) => Promise<string>> {
    const words = [...this.#enter("client"), process.execPath, "--no-warnings", LINES, "talk", address, "80"];
    const [command = "", ...args] = words;
    const connection = new Spoken(this.#spawn(command, args));
    await connection.next("open");
    return async (withinMs) => {
      connection.say("GET / HTTP/1.1\r\nHost: berth\r\n\r");
      return /nginx-app-[\w-]+/.exec(await connection.next(/nginx-app-/, withinMs))?.[0] ?? "";
    };
  }

  /** Follows the lines of a command on a host; resolves, with how to stop, once it has said `begun` on stdout or stderr. */
  async follow(
    host: string,
    words: readonly string[],
    begun: string,
    heard: (line: string) => void,
  ): Promise<() => void> {
    const [command = "", ...args] = [...this.#enter(host), ...words];
    const child = this.#spawn(command, args);
    let running = false;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        if (!running && line.includes(begun)) running = true;
        else if (stream === child.stdout) heard(line);
      });
    }
    await eventually(`"${begun}" of ${words.join(" ")}`, 30_000, async () => (running ? true : null));
    return () => child.kill("SIGKILL");
  }

  /** Calls `heard` with every MAC that the client's kernel learns for an address. */
  async watchNeighbour(address: string, heard: (mac: string) => void): Promise<() => void> {
    const [command = "", ...args] = [...this.#enter("client"), "ip", "-o", "monitor", "neigh"];
    const child = this.#spawn(command, args);
    if (child.stdout)
      createInterface({ input: child.stdout }).on("line", (line) => {
        const mac = /lladdr (\S+)/.exec(line)?.[1];
        if (mac !== undefined && line.startsWith(`${address} `)) heard(mac);
      });
    // It does not say that it has begun.
    await sleep(500);
    return () => child.kill("SIGKILL");
  }

  /** The one node that says it announces a Service; null while there is none or more than one. */
  announcer(service: string): string | null {
    const owners = this.#statuses.list().filter(({ status }) => status?.serviceName === service);
    return owners.length === 1 ? (owners[0]?.status?.node ?? null) : null;
  }

  /** Waits for the one announcer that every speaker being there leads to. */
  settled(service: string): Promise<string> {
    return eventually(`one announcer of ${service} and three ready speakers`, 60_000, async () => {
      const node = this.announcer(service);
      return node !== null && this.readySpeakers() === 3 ? node : null;
    });
  }

  /** Those that are ready in the cluster and run; one that was killed or told to end a moment ago is none. */
  readySpeakers(): number {
    return this.#pods
      .list()
      .filter(
        ({ metadata, spec, status }) =>
          metadata.name?.startsWith("speaker-") &&
          metadata.deletionTimestamp === undefined &&
          status?.containerStatuses?.[0]?.ready &&
          this.speakerPids(spec?.nodeName ?? "").length === 1,
      ).length;
  }

  /** The first address of a Service, when it has one. */
  addressOf(service: string, within = 20_000): Promise<string> {
    return eventually(`an address for ${service}`, within, async () => {
      const found = this.#services.get(`default/${service}`);
      return found?.status?.loadBalancer?.ingress?.[0]?.ip ?? null;
    });
  }

  speakerPids(node: string): readonly number[] {
    return berthProcesses(this.berth.dataDir, "speaker", `METALLB_NODE_NAME=${node}`);
  }

  signalSpeaker(node: string, signal: NodeJS.Signals): void {
    const pids = this.speakerPids(node);
    if (pids.length === 0) throw new Error(`no speaker runs on ${node}`);
    for (const pid of pids) process.kill(pid, signal);
  }

  /** A speaker that was killed waits in its back-off; deleting its pod starts it anew. */
  async freshSpeakers(): Promise<void> {
    const old = this.#pods
      .list()
      .filter(({ metadata, status }) => {
        return metadata.name?.startsWith("speaker-") && status?.containerStatuses?.[0]?.restartCount;
      })
      .map(({ metadata }) => metadata);
    for (const { name = "", namespace } of old) {
      await this.cluster.remove(PODS, { name, namespace }).catch(() => undefined);
    }
    const there = () => this.#pods.list().filter(({ metadata }) => old.some(({ uid }) => uid === metadata.uid));
    await eventually("the old pods to be gone", 30_000, async () => (there().length === 0 ? true : null));
  }

  async apply(manifest: string): Promise<void> {
    const { code, stderr } = this.#kubectl(["apply", "-f", "-"], manifest);
    if (code !== 0) throw new Error(stderr);
  }

  kubectl(...args: readonly string[]): string {
    const { code, stdout, stderr } = this.#kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await this.cluster.close();
    await this.berth.stop();
    removeDir(this.berth.dataDir);
  }

  #kubectl(args: readonly string[], input = ""): Ran {
    const words = ["--kubeconfig", this.berth.kubeconfig, ...args];
    const { status, stdout, stderr } = spawnSync("kubectl", words, { input, encoding: "utf8", timeout: COMMAND_MS });
    return { code: status, stdout, stderr };
  }

  #enter(host: string): readonly string[] {
    const lab = readLab(this.berth.dataDir);
    if (lab === null) throw new Error("the lab is not there");
    return onHost(lab, host);
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stderr?.resume();
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }
}

/** The MAC of a node's card on the LAN. */
export function macOf(node: string): string {
  return `02:be:77:00:00:1${node.slice(-1)}`;
}
