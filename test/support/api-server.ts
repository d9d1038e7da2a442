import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { createServerCertificate } from "#main/certificates";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { type ApiServer, startApiServer } from "#sandbox/apiserver/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore, type Store } from "#sandbox/store/sqlite";

export const TOKENS = { admin: "admin-token", viewer: "viewer-token", nobody: "nobody-token" } as const;

export interface Reply {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // A test looks into replies freely; what is not there is undefined and fails the expectation.
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly body: any;
}

/** An API server as its clients see it. */
export interface ApiClient {
  readonly url: string;
  readonly ca: string;
  readonly dir: string;
  readonly kubeconfig: string;
  send(method: string, path: string, body?: unknown, options?: SendOptions): Promise<Reply>;
  kubectl(...args: readonly string[]): Promise<KubectlResult>;
  /** As `kubectl`, with this text on standard input. */
  kubectlWith(input: string, ...args: readonly string[]): Promise<KubectlResult>;
  /** Also removes `dir`. */
  close(): Promise<void>;
}

export interface TestApi extends ApiClient {
  readonly server: ApiServer;
  readonly store: Store;
}

export interface SendOptions {
  readonly type?: string;
  readonly accept?: string;
  /** null: none. */
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  /** Of a stream: only its first line is waited for (at most an hour), then it is given up. */
  readonly firstLine?: boolean;
}

export interface KubectlResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An API server in this process, over a store of its own, with the built-in kinds. */
export async function startTestApi(options: { readonly path?: string; readonly store?: Store } = {}): Promise<TestApi> {
  const dir = mkdtempSync(join(tmpdir(), "berth-api-"));
  const tls = await createServerCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
  const store = options.store ?? openStore({ path: options.path ?? ":memory:", log: silentLog });
  const server = await startApiServer({
    host: "127.0.0.1",
    port: 0,
    tls,
    ca: tls.ca,
    store,
    kinds: builtinKinds(),
    dataDir: dir,
    tokens: [
      { token: TOKENS.admin, user: "admin", groups: ["system:masters"] },
      { token: TOKENS.viewer, user: "viewer", groups: ["berth:viewers"] },
      { token: TOKENS.nobody, user: "nobody", groups: [] },
    ],
    signingKey: "test-signing-key",
    clock: systemClock,
    log: silentLog,
  });
  const client = apiClient(server.url, tls.ca, dir);
  return {
    ...client,
    server,
    store,
    async close() {
      await server.close();
      await store.close();
      await client.close();
    },
  };
}

/** A client, as the administrator unless told otherwise, of the API server at `url`. */
export function apiClient(url: string, ca: string, dir: string): ApiClient {
  const kubeconfig = join(dir, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigText(url, ca, TOKENS.admin));
  const agent = new Agent({ connect: { ca }, connections: 16 });
  const kubectlWith = (input: string, ...args: readonly string[]) => runKubectl(kubeconfig, dir, input, args);
  return {
    url,
    ca,
    dir,
    kubeconfig,
    async send(method, path, body, options = {}) {
      const { type = "application/json", accept, token = TOKENS.admin, headers = {}, firstLine = false } = options;
      const reply = await request(`${url}${path}`, {
        method: method as "GET",
        dispatcher: agent,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": type }),
          ...(accept === undefined ? {} : { accept }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        headersTimeout: 30_000,
        bodyTimeout: firstLine ? 3_600_000 : 30_000,
      });
      const text = firstLine ? await firstLineOf(reply.body) : await reply.body.text();
      return { code: reply.statusCode, headers: reply.headers, text, body: json(text) };
    },
    kubectl: (...args) => kubectlWith("", ...args),
    kubectlWith,
    async close() {
      await agent.destroy();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function firstLineOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of body) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function kubeconfigText(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });
}

function runKubectl(kubeconfig: string, dir: string, input: string, args: readonly string[]): Promise<KubectlResult> {
  return new Promise((resolve) => {
    const child = execFile(
      "kubectl",
      ["--kubeconfig", kubeconfig, "--cache-dir", join(dir, "cache"), ...args],
      { timeout: 50_000, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, HOME: dir } },
      (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: `${out}`, err: `${err}` }),
    );
    child.stdin?.end(input);
  });
}
