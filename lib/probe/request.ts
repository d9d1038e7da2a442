import { type IncomingMessage, request } from "node:http";
import type { Outcome } from "#api/dashboard/probes";
import type { Clock } from "#runtime/clock";
import { firstLine, readIdentity } from "./identity.ts";
import { endingOfError, outcomeOfStatus } from "./outcome.ts";
import type { Target } from "./target.ts";

/** One request and what came of it. */
interface Answer {
  readonly outcome: Outcome;
  readonly pod: string | null;
  readonly node: string | null;
  readonly status: number | null;
  /** From before connect to the last byte (or the failure). */
  readonly totalMs: number;
  readonly text: string;
}

interface RequestOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly host?: string | undefined;
  /** Aborts the request; the answer is then null. */
  readonly signal: AbortSignal;
}

/** Octets of a body that are read; the rest is not waited for. */
const BODY_MAX = 64 * 1024;

/**
 * One GET over a connection of its own, never following a redirect. Never
 * rejects: whatever happens is an outcome. Null only when aborted.
 */
export function sendRequest(target: Target, options: RequestOptions): Promise<Answer | null> {
  const { clock, signal } = options;
  const startedAt = clock.monotonic();
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null);
    let status: number | null = null;

    const outgoing = request({
      host: target.host,
      port: target.port,
      path: target.path,
      method: "GET",
      // No agent: a new connection each time, so that each request is balanced anew.
      agent: false,
      setDefaultHeaders: true,
      headers: {
        host: options.host ?? hostHeader(target),
        "user-agent": "berth-probe",
        accept: "*/*",
        connection: "close",
      },
    });

    const finish = (answer: Answer | null) => {
      stopConnect();
      stopTotal();
      signal.removeEventListener("abort", aborted);
      outgoing.destroy();
      resolve(answer);
    };
    const failed = (outcome: Outcome, text: string) =>
      finish({ outcome, pod: null, node: null, status, totalMs: clock.monotonic() - startedAt, text });
    const aborted = () => finish(null);
    const stopConnect = clock.schedule(options.connectTimeoutMs, () =>
      failed("timeout", `no connection within ${seconds(options.connectTimeoutMs)}`),
    );
    const stopTotal = clock.schedule(options.timeoutMs, () =>
      failed("timeout", `no answer within ${seconds(options.timeoutMs)}`),
    );

    signal.addEventListener("abort", aborted, { once: true });
    outgoing.on("socket", (socket) => socket.once("connect", stopConnect));
    outgoing.on("error", (error) => {
      const { outcome, text } = endingOfError(error);
      failed(outcome, text);
    });
    outgoing.on("response", (reply) => {
      status = reply.statusCode ?? null;
      readBody(reply, (body, complete) => {
        if (!complete) return failed("bad_reply", "the reply ended too early");
        const identity = readIdentity(body);
        finish({
          outcome: outcomeOfStatus(reply.statusCode ?? 0),
          pod: identity?.pod ?? null,
          node: identity?.node ?? null,
          status,
          totalMs: clock.monotonic() - startedAt,
          text: textOf(reply, body),
        });
      });
    });
    outgoing.end();
  });
}

/** Calls back once: with the whole body, its first 64 KB, or what there was when the connection broke. */
function readBody(reply: IncomingMessage, done: (body: string, complete: boolean) => void): void {
  const chunks: Buffer[] = [];
  let octets = 0;
  let settled = false;
  const settle = (complete: boolean) => {
    if (settled) return;
    settled = true;
    done(Buffer.concat(chunks).subarray(0, BODY_MAX).toString("utf8"), complete);
  };
  reply.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    octets += chunk.byteLength;
    if (octets >= BODY_MAX) settle(true);
  });
  reply.on("end", () => settle(reply.complete));
  reply.on("error", () => settle(false));
  reply.on("close", () => settle(reply.complete));
}

function textOf(reply: IncomingMessage, body: string): string {
  const status = reply.statusCode ?? 0;
  const line = firstLine(body);
  if (status >= 200 && status < 300) return line === "" ? "(empty reply)" : line;
  return firstLine(`HTTP ${status} ${reply.statusMessage ?? ""}`);
}

function hostHeader({ host, port }: Target): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === 80 ? name : `${name}:${port}`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
