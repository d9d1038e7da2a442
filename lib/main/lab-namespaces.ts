import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LAB_FILE, LabFile } from "#api/lab";
import { Fault } from "#core/errors";
import { isAlive } from "./sweep.ts";

/** Programs that `--network netns` runs, and the Debian package of each. */
const TOOLS = [
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["setpriv", "util-linux"],
  ["mount", "mount"],
  ["ip", "iproute2"],
  ["nft", "nftables"],
] as const;

/**
 * The words before a command that start it in network and mount namespaces of
 * its own; in a user namespace too for anyone but root.
 */
export function freshNamespaces(user: boolean): readonly string[] {
  return ["unshare", ...(user ? ["--user", "--map-root-user"] : []), "--net", "--mount", "--"];
}

/** Throws Fault `invalid`, saying what is missing, where network namespaces cannot be used. */
export function checkNamespaces(): void {
  const instead = "use --network loopback, which needs neither";
  if (process.platform !== "linux") {
    throw new Fault("invalid", `--network netns needs Linux, and this is ${process.platform}; ${instead}.`);
  }
  const folders = (process.env.PATH ?? "").split(":").concat("/usr/sbin", "/sbin", "/usr/bin", "/bin");
  const missing = TOOLS.filter(([name]) => !folders.some((folder) => folder && existsSync(join(folder, name))));
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(", ");
    const packages = [...new Set(missing.map(([, name]) => name))].join(", ");
    throw new Fault("invalid", `--network netns needs ${names} (Debian: ${packages}); install it, or ${instead}.`);
  }
  const user = process.getuid?.() !== 0;
  const [command = "", ...args] = [...freshNamespaces(user), "true"];
  const tried = spawnSync(command, args, { timeout: 10_000, encoding: "utf8" });
  if (tried.status === 0) return;
  const why = `${tried.stderr ?? ""}`.trim().split("\n")[0] ?? "";
  const needs = user ? "root, or unprivileged user namespaces, which are off here" : "the capability SYS_ADMIN";
  throw new Fault("invalid", `--network netns needs ${needs}${why === "" ? "" : ` (${why})`}; ${instead}.`);
}

/** The lab of a running sandbox, or null when none runs in this data directory. */
export function readLab(dataDir: string): LabFile | null {
  try {
    const parsed = LabFile.safeParse(JSON.parse(readFileSync(join(dataDir, LAB_FILE), "utf8")));
    return parsed.success && isAlive(parsed.data) ? parsed.data : null;
  } catch {
    return null;
  }
}

/** The words before a command that run it on a host of the lab. Throws Fault `not_found` naming those there are. */
export function onHost(lab: LabFile, name: string): readonly string[] {
  const host = lab.hosts.find((one) => one.name === name) ?? lab.hosts.find((one) => one.name.split("/")[1] === name);
  if (host === undefined) {
    const names = lab.hosts.map((one) => one.name).join(", ");
    throw new Fault("not_found", `the lab has no host ${JSON.stringify(name)}; it has ${names}.`);
  }
  // Its names live in the mount namespace of the nodes process, which this leads through.
  const file = host.netns === null ? `/proc/${lab.pid}/ns/net` : `/proc/${lab.pid}/root/run/netns/${host.netns}`;
  const user = lab.user ? [`--user=/proc/${lab.pid}/ns/user`, "--preserve-credentials"] : [];
  return ["nsenter", ...user, `--net=${file}`, "--"];
}
