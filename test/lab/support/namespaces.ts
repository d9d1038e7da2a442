import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";

const FOLDER = "/run/netns";
const COMMAND_MS = 20_000;

/** What a command said; `code` is null when it ran into its time limit. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One end of a cable. */
export interface End {
  readonly host: string;
  readonly name: string;
  readonly mac?: string;
}

/**
 * Hosts made of network namespaces, for real interfaces without touching this
 * machine's own. Their names carry the process id, so that runs do not meet and
 * what a dead run left is known. Needs root.
 */
export class Namespaces {
  readonly #prefix: string;
  readonly #children = new Set<ChildProcessWithoutNullStreams>();
  readonly #hosts = new Set<string>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Whether namespaces can be made here: asked by making one. */
  static available(): boolean {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
    return spawnSync("unshare", ["-n", "true"], { timeout: COMMAND_MS }).status === 0;
  }

  /** `family` is a short word for one kind of lab ("wire"): leftovers of dead runs of that kind are removed first. */
  static create(family: string): Namespaces {
    Namespaces.sweep(family);
    // A dead run may have had this process id, too.
    return new Namespaces(`berth-${family}-${process.pid}-${randomBytes(2).toString("hex")}-`);
  }

  /** Removes the namespaces of runs that are no more, and ends what still runs in them. */
  static sweep(family: string): void {
    for (const name of existsSync(FOLDER) ? readdirSync(FOLDER) : []) {
      const pid = new RegExp(`^berth-${family}-(\\d+)-`).exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
    }
  }

  /** A new host with loopback up. IPv6 is on and finds no duplicates, so that addresses are usable at once. */
  add(host: string): string {
    const name = this.#prefix + host;
    must(run("ip", ["netns", "add", name]));
    this.#hosts.add(host);
    this.must(host, "ip", "link", "set", "lo", "up");
    this.must(host, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
    return name;
  }

  /** The name that `ip netns` knows a host by. */
  nameOf(host: string): string {
    return this.#prefix + host;
  }

  /** Connects two hosts by a cable; both ends are up. */
  cable(a: End, b: End): void {
    const address = (end: End) => (end.mac === undefined ? [] : ["address", end.mac]);
    must(
      run("ip", [
        ...["-n", this.nameOf(a.host), "link", "add", a.name, ...address(a), "type", "veth"],
        ...["peer", "name", b.name, ...address(b), "netns", this.nameOf(b.host)],
      ]),
    );
    for (const end of [a, b]) this.must(end.host, "ip", "link", "set", end.name, "up");
  }

  /** Gives an interface an address, with its prefix length. */
  address(host: string, name: string, cidr: string): void {
    this.must(host, "ip", "address", "add", cidr, "dev", name, ...(cidr.includes(":") ? ["nodad"] : []));
  }

  /** Runs a command on a host and waits, at most 20 s. */
  exec(host: string, command: string, ...args: readonly string[]): Ran {
    return run("ip", ["netns", "exec", this.nameOf(host), command, ...args]);
  }

  /** As `exec`, but throws when the command fails. */
  must(host: string, command: string, ...args: readonly string[]): string {
    return must(this.exec(host, command, ...args));
  }

  /** As `must`, with a text for the command to read. */
  feed(host: string, input: string, command: string, ...args: readonly string[]): string {
    return must(run("ip", ["netns", "exec", this.nameOf(host), command, ...args], input));
  }

  /** Starts a command on a host; it is ended by `close`. */
  spawn(host: string, command: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn("ip", ["netns", "exec", this.nameOf(host), command, ...args]);
    this.#children.add(child);
    child.on("exit", () => this.#children.delete(child));
    return child;
  }

  /** Ends what was started, and removes the hosts and all that was on them. */
  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const host of this.#hosts) remove(this.nameOf(host));
    this.#hosts.clear();
  }
}

function run(command: string, args: readonly string[], input = ""): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: COMMAND_MS, input });
  return { code: status, stdout: stdout ?? "", stderr: error === undefined ? stderr : `${stderr}${error.message}` };
}

function must({ code, stdout, stderr }: Ran): string {
  if (code !== 0) throw new Error(`command ended with ${code}: ${stderr || stdout}`);
  return stdout;
}

function remove(name: string): void {
  const pids = run("ip", ["netns", "pids", name]).stdout.split(/\s+/).map(Number);
  for (const pid of pids) {
    try {
      if (pid > 1 && pid !== process.pid) process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  run("ip", ["netns", "delete", name]);
}
