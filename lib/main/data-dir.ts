import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "#core/errors";
import { createServerCertificate, type ServerCertificate } from "./certificates.ts";
import { isAlive, type ProcessRecord, startTimeOf } from "./sweep.ts";

/** Raised when the layout below the data directory changes in a way older code cannot read. */
const LAYOUT_VERSION = 1;

interface SandboxTokens {
  /** system:masters; the one in the kubeconfig. */
  readonly admin: string;
  /** Group berth:viewers, bound to the ClusterRole view. */
  readonly viewer: string;
  /** The nodes process. */
  readonly nodes: string;
  /** Signs service account tokens. */
  readonly signingKey: string;
}

export interface DataDir {
  readonly path: string;
  readonly run: string;
  readonly logs: string;
  readonly kubeconfig: string;
  readonly tls: ServerCertificate;
  readonly tokens: SandboxTokens;
}

/**
 * Opens the data directory, making what is missing. Refuses, in one sentence,
 * a directory that cannot be written or that a newer Berth made.
 */
export async function openDataDir(path: string): Promise<DataDir> {
  try {
    return await open(path);
  } catch (thrown) {
    throw unusable(path, thrown);
  }
}

async function open(path: string): Promise<DataDir> {
  const run = join(path, "run");
  const logs = join(path, "logs");
  for (const dir of [path, run, logs, join(path, "pki"), join(path, "pods")]) makeDir(dir);
  accessSync(path, constants.W_OK | constants.X_OK);
  checkLayout(path);
  const tls = await loadOrMake(join(path, "pki/server.json"), isCertificate, () =>
    createServerCertificate({
      dns: ["localhost", "kubernetes", "kubernetes.default.svc"],
      ip: ["127.0.0.1", "10.96.0.1"],
    }),
  );
  const tokens = await loadOrMake(join(path, "pki/tokens.json"), isTokens, async () => ({
    admin: randomBytes(24).toString("hex"),
    viewer: randomBytes(24).toString("hex"),
    nodes: randomBytes(24).toString("hex"),
    signingKey: randomBytes(32).toString("hex"),
  }));
  return { path, run, logs, kubeconfig: join(path, "kubeconfig"), tls, tokens };
}

/** As `mkdir -p`. Node's own never returns where the system says ENOENT for a new entry of a directory that exists (/proc). */
function makeDir(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const code = reasonOf(thrown);
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || existsSync(dirname(path))) throw thrown;
    makeDir(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

/** A failure of the file system as a sentence. */
function unusable(path: string, thrown: unknown): unknown {
  const reason = reasonOf(thrown);
  if (thrown instanceof Fault || !/^E[A-Z]+$/.test(reason)) return thrown;
  const where = typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, "path") : undefined;
  const what = reason === "ENOSPC" ? "the disk is full" : reason;
  const at = typeof where === "string" && where !== path ? ` at ${where}` : "";
  return new Fault(
    "invalid",
    `the data directory ${path} cannot be written (${what}${at}); name another with --data-dir.`,
    { cause: thrown },
  );
}

function checkLayout(path: string): void {
  const file = join(path, "version");
  if (!existsSync(file)) {
    writeWhole(file, `${LAYOUT_VERSION}\n`);
    return;
  }
  const text = readFileSync(file, "utf8").trim();
  const version = Number(text);
  if (!Number.isInteger(version) || version < 1) {
    throw new Fault(
      "invalid",
      `${file} says "${text}", which is no version; move ${path} away or name another --data-dir.`,
    );
  }
  if (version > LAYOUT_VERSION) {
    throw new Fault(
      "invalid",
      `the data directory ${path} has version ${version}, made by a newer Berth; this one reads up to ${LAYOUT_VERSION}. Update Berth or name another --data-dir.`,
    );
  }
}

async function loadOrMake<T>(file: string, accept: (value: unknown) => value is T, make: () => Promise<T>): Promise<T> {
  if (existsSync(file)) {
    try {
      const value: unknown = JSON.parse(readFileSync(file, "utf8"));
      if (accept(value)) return value;
    } catch {
      // Falls through to the sentence below: half a file is as bad as a wrong one.
    }
    throw new Fault(
      "invalid",
      `${file} is damaged; delete it (clients will need the new kubeconfig) or name another --data-dir.`,
    );
  }
  const value = await make();
  writeWhole(file, JSON.stringify(value));
  return value;
}

function isCertificate(value: unknown): value is ServerCertificate {
  if (!hasStrings<keyof ServerCertificate>(value, ["ca", "cert", "key"])) return false;
  // Throws when one of them cannot be read: damaged, too.
  const [ca, cert] = [new X509Certificate(value.ca), new X509Certificate(value.cert)];
  return cert.checkIssued(ca) && cert.checkPrivateKey(createPrivateKey(value.key));
}

function isTokens(value: unknown): value is SandboxTokens {
  return hasStrings(value, ["admin", "viewer", "nodes", "signingKey"]);
}

function hasStrings<K extends string>(value: unknown, keys: readonly K[]): value is Readonly<Record<K, string>> {
  if (typeof value !== "object" || value === null) return false;
  const isFilled = (text: unknown) => typeof text === "string" && text !== "";
  return keys.every((key) => isFilled(Reflect.get(value, key)));
}

/** Writes to a neighbour and renames, so that a crash leaves the old or the new file; readable by its owner only. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

interface Claim extends ProcessRecord {
  /** Set while that process is on its way out. */
  readonly stopping?: boolean;
}

/**
 * Makes this process the only `berth up` of the data directory. One that is
 * already stopping is waited for, at most 6 s; one that runs is named.
 * Returns what to call when this one begins to stop.
 */
export async function claimDataDir(run: string): Promise<() => void> {
  const file = join(run, "up.json");
  const giveUpAt = performance.now() + 6000;
  for (;;) {
    const claim = readClaim(file);
    if (claim === null || claim.pid === process.pid || !isAlive(claim)) break;
    if (claim.stopping !== true || performance.now() > giveUpAt) {
      throw new Fault(
        "invalid",
        `Berth already runs from this data directory (process ${claim.pid}); stop it first or name another --data-dir.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const own: Claim = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
  try {
    writeWhole(file, JSON.stringify(own));
  } catch (thrown) {
    throw unusable(dirname(run), thrown);
  }
  return () => {
    try {
      writeWhole(file, JSON.stringify({ ...own, stopping: true }));
    } catch {
      // Full or gone: who starts next will name this process instead of waiting for it.
    }
  };
}

function readClaim(file: string): Claim | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (!hasStrings(value, ["startTime"])) return null;
    return value as Claim;
  } catch {
    return null;
  }
}

/** The kubeconfig that people use: `kubectl --kubeconfig .berth/kubeconfig`. */
export function writeKubeconfig(dir: DataDir, apiPort: number): void {
  try {
    writeWhole(dir.kubeconfig, kubeconfigText(dir, apiPort));
  } catch (thrown) {
    throw unusable(dir.path, thrown);
  }
}

function kubeconfigText(dir: DataDir, apiPort: number): string {
  const ca = Buffer.from(dir.tls.ca).toString("base64");
  const user = (name: string, token: string) => `- name: ${name}\n  user:\n    token: ${token}\n`;
  const context = (name: string, as: string) =>
    `- name: ${name}\n  context:\n    cluster: berth-sandbox\n    user: ${as}\n`;
  return `apiVersion: v1
kind: Config
clusters:
- name: berth-sandbox
  cluster:
    server: https://127.0.0.1:${apiPort}
    certificate-authority-data: ${ca}
users:
${user("berth-admin", dir.tokens.admin)}${user("berth-viewer", dir.tokens.viewer)}contexts:
${context("berth-sandbox", "berth-admin")}${context("berth-sandbox-viewer", "berth-viewer")}current-context: berth-sandbox
`;
}

function reasonOf(thrown: unknown): string {
  const code = typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, "code") : undefined;
  return typeof code === "string" ? code : Fault.from(thrown).message;
}
