import { ANNOTATION, FOREIGN_HOSTS } from "#api/names";
import { CONFIG_MAPS, NODES } from "#api/resources";
import { canonicalText, tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import { connectionFromToken } from "#kube/connection";
import { HttpCluster } from "#kube/http-cluster";
import type { Cluster } from "#kube/port";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { openDataDir } from "./data-dir.ts";
import { readLab } from "./lab-namespaces.ts";

const USES = 'after "sandbox" only "power <node> off|on" or "foreign-host <address> [off]" may follow.';

/** A drill on a running sandbox: a node loses power, or a machine that is no node uses an address. Throws Fault `invalid`. */
export async function runDrill(words: readonly string[], dataDir: string, apiPort: number): Promise<number> {
  const [verb, what = "", state = verb === "foreign-host" ? "on" : ""] = words;
  const drill = verb === "power" ? power : verb === "foreign-host" ? foreignHost : null;
  if (drill === null || what === "" || (state !== "on" && state !== "off")) throw new Fault("invalid", USES);
  if (drill === foreignHost) checkForeignHost(what, dataDir);
  const dir = await openDataDir(dataDir);
  const server = `https://127.0.0.1:${apiPort}`;
  const connection = connectionFromToken({ server, ca: dir.tls.ca, token: dir.tokens.admin });
  const cluster = new HttpCluster({ connection, clock: systemClock, log: silentLog });
  try {
    console.log(await drill(cluster, what, state));
    return 0;
  } finally {
    await cluster.close();
  }
}

/** Switches a sandbox node off as a pulled plug does, or on again. */
async function power(cluster: Cluster, node: string, state: "on" | "off"): Promise<string> {
  const body = { metadata: { annotations: { [ANNOTATION.power]: state } } };
  await cluster.patch(NODES, { name: node }, { kind: "merge", body });
  return `node ${node} is being switched ${state}`;
}

function checkForeignHost(text: string, dataDir: string): void {
  if (tryParseAddress(text)?.family !== 4) {
    throw new Fault("invalid", `foreign-host needs an IPv4 address, not ${JSON.stringify(text)}.`);
  }
  if (readLab(dataDir) !== null) {
    const instead = `berth lab exec client -- ip address add ${text}/32 dev eth0`;
    throw new Fault("invalid", `foreign-host is of --network loopback; in the lab a real host can do it: ${instead}`);
  }
}

/** Plugs a machine that uses the address into the virtual LAN, or unplugs it. */
async function foreignHost(cluster: Cluster, text: string, state: "on" | "off"): Promise<string> {
  const address = canonicalText(text);
  const data = { [address]: state === "on" ? "plugged in by berth sandbox foreign-host" : null };
  try {
    await cluster.patch(CONFIG_MAPS, FOREIGN_HOSTS, { kind: "merge", body: { data } });
  } catch (thrown) {
    if (Fault.from(thrown).code !== "not_found") throw thrown;
    const present = Object.fromEntries(
      Object.entries(data).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
    );
    await cluster.create(CONFIG_MAPS, { metadata: { ...FOREIGN_HOSTS }, data: present });
  }
  return state === "on"
    ? `a machine that is no node now uses ${address}; unplug it with: berth sandbox foreign-host ${address} off`
    : `the machine that used ${address} is unplugged`;
}
