import { type ChildProcess, fork, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { createServerCertificate } from "#main/certificates";
import { freePort } from "./traffic.ts";

/** A Kubernetes API server in processes of its own, of which only this is known. */
export interface KubernetesApi {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Of an administrator. */
  readonly token: string;
  /** Its processes. */
  readonly pids: readonly number[];
  /** Writes of such objects ("services") that reached it so far, done or refused. */
  writes(resources: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/** What `api-process.ts` is asked. */
export type Question = { readonly kind: "start" } | { readonly kind: "writes"; readonly resources: readonly string[] };

const TOKEN = "admin-token";
const READY_WITHIN_MS = 60_000;

/** The folder with `etcd` and `kube-apiserver`, as envtest finds them; null when there is none. */
export function kubebuilderAssets(): string | null {
  const folder = process.env.KUBEBUILDER_ASSETS ?? "";
  const complete = folder !== "" && ["etcd", "kube-apiserver"].every((name) => existsSync(join(folder, name)));
  return complete ? folder : null;
}

/** The sandbox's API server, over a store in a file. */
export async function startSandboxApi(): Promise<KubernetesApi> {
  const child = fork(join(import.meta.dirname, "api-process.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let fail: (why: Error) => void = () => undefined;
  child.once("exit", (code) => fail(new Error(`the API server ended with ${code}`)));
  // One question at a time.
  const ask = <T>(question: Question): Promise<T> =>
    new Promise((resolve, reject) => {
      fail = reject;
      child.once("message", (answer) => resolve(answer as T));
      child.send(question);
    });
  const { url, ca } = await ask<{ readonly url: string; readonly ca: string }>({ kind: "start" });
  return {
    url,
    ca,
    token: TOKEN,
    pids: [child.pid ?? 0],
    writes: (resources) => ask<number>({ kind: "writes", resources }),
    close: () => end(child, "SIGTERM"),
  };
}

/** etcd and kube-apiserver from `folder`, as envtest starts them: no admission of service accounts, RBAC, one admin token. */
export async function startRealApi(folder: string): Promise<KubernetesApi> {
  const dir = mkdtempSync(join(tmpdir(), "berth-envtest-"));
  const file = (name: string, text: string) => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [etcdPort, port] = [await freePort(), await freePort()];
  const tls = await createServerCertificate({ dns: ["localhost", "kubernetes.default.svc"], ip: ["127.0.0.1"] });
  const account = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const children = [
    run(join(folder, "etcd"), [
      `--data-dir=${join(dir, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      "--listen-peer-urls=http://127.0.0.1:0",
      "--unsafe-no-fsync",
      "--log-level=error",
    ]),
  ];
  const url = `https://127.0.0.1:${port}`;
  const agent = new Agent({ connect: { ca: tls.ca } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const get = async (path: string) => {
    const reply = await request(`${url}${path}`, {
      dispatcher: agent,
      headers,
      headersTimeout: 5000,
      bodyTimeout: 5000,
    });
    return { code: reply.statusCode, text: await reply.body.text() };
  };
  const close = async () => {
    await agent.close();
    for (const child of children.toReversed()) await end(child, "SIGTERM");
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until("etcd", children, async () => (await request(`${etcdUrl}/health`)).statusCode === 200);
    children.push(
      run(join(folder, "kube-apiserver"), [
        `--etcd-servers=${etcdUrl}`,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        `--secure-port=${port}`,
        `--cert-dir=${dir}`,
        `--tls-cert-file=${file("tls.crt", tls.cert)}`,
        `--tls-private-key-file=${file("tls.key", tls.key)}`,
        `--token-auth-file=${file("tokens.csv", `${TOKEN},admin,1,"system:masters"\n`)}`,
        "--authorization-mode=RBAC",
        `--service-account-issuer=${url}/`,
        `--service-account-key-file=${file("sa.pub", account.publicKey)}`,
        `--service-account-signing-key-file=${file("sa.key", account.privateKey)}`,
        "--disable-admission-plugins=ServiceAccount",
        // Room for ten thousand cluster IPs.
        "--service-cluster-ip-range=10.96.0.0/12",
        "--allow-privileged=true",
      ]),
    );
    await until("kube-apiserver", children, async () => (await get("/readyz")).code === 200);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    url,
    ca: tls.ca,
    token: TOKEN,
    pids: children.map(({ pid }) => pid ?? 0),
    writes: async (resources) => countedWrites((await get("/metrics")).text, resources),
    close,
  };
}

const WRITE_VERBS = ["POST", "PUT", "PATCH", "APPLY", "DELETE"];

/** The sum of apiserver_request_total over writing verbs. */
export function countedWrites(metrics: string, resources: readonly string[]): number {
  let sum = 0;
  for (const [, labels = "", value] of metrics.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    if (WRITE_VERBS.includes(label("verb")) && resources.includes(label("resource"))) sum += Number(value);
  }
  return sum;
}

function run(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

async function until(what: string, children: readonly ChildProcess[], test: () => Promise<boolean>): Promise<void> {
  const from = performance.now();
  while (!(await test().catch(() => false))) {
    if (children.some(({ exitCode }) => exitCode !== null)) throw new Error(`${what} ended while it started`);
    if (performance.now() - from > READY_WITHIN_MS) throw new Error(`${what} was not ready within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill("SIGKILL"), 5000);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill(signal);
  });
}
