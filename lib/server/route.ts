import { z } from "zod";
import { Fault } from "#core/errors";
import { type Dashboard, dashboard } from "./context.ts";
import { refusal } from "./guard.ts";
import { httpProblem, problem } from "./problem.ts";
import type { Shape } from "./shapes/shape.ts";

const BODY_LIMIT = 65_536;

type Output<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;

interface Input<S extends Shape> {
  readonly params: Output<S["params"]>;
  readonly query: Output<S["query"]>;
  readonly body: Output<S["body"]>;
  readonly signal: AbortSignal;
}

interface NextContext {
  readonly params: Promise<unknown>;
}
export type Handler = (request: Request, next?: NextContext) => Promise<Response>;

/**
 * Wraps a use case as a route handler: guard, check the input, call, check
 * the reply, turn whatever was thrown into a problem. Handlers hold no logic
 * of their own, and an internal message never reaches the browser.
 */
export function route<S extends Shape>(
  shape: S,
  use: (input: Input<S>, on: Dashboard) => z.input<S["reply"]> | Promise<z.input<S["reply"]>>,
): Handler {
  return (request, next) =>
    guarded(request, shape.action, async (on) => {
      const params = shape.params && accept(shape.params, (await next?.params) ?? {}, "address");
      const query = shape.query && accept(shape.query, Object.fromEntries(new URL(request.url).searchParams), "query");
      const body = shape.body && accept(shape.body, await readJson(request), "body");
      // The three were parsed by exactly these schemas; the mapped type cannot follow the optionality.
      const input = { params, query, body, signal: request.signal } as Input<S>;
      const reply = confirm(shape.reply, await use(input, on));
      return new Response(JSON.stringify(reply), {
        status: shape.status ?? 200,
        headers: { "content-type": "application/json", "cache-control": "no-store" },
      });
    });
}

/** The guard and the error handling alone, for routes that do not answer JSON (the stream, metrics). */
export async function guarded(
  request: Request,
  action: string,
  answer: (on: Dashboard) => Response | Promise<Response>,
): Promise<Response> {
  let on: Dashboard | undefined;
  try {
    on = dashboard();
    const refused = refusal(request, on.hosts);
    if (refused !== null) return httpProblem(403, "Refused", refused);
    return await answer(on);
  } catch (thrown) {
    return thrown instanceof HttpFailure
      ? httpProblem(thrown.status, thrown.title, thrown.message)
      : problem(thrown, action, on?.log);
  }
}

class HttpFailure extends Error {
  readonly status: number;
  readonly title: string;
  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

/** A body that is missing counts as `{}`, so that routes with optional fields can be posted to without one. */
async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const text = await readText(request);
  if (text === "") return {};
  if (type !== "application/json" && type !== "application/merge-patch+json") {
    throw new HttpFailure(415, "Unsupported media type", "Send the body as application/json.");
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new HttpFailure(400, "Not JSON", `The body is not valid JSON: ${why}`);
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new HttpFailure(413, "Too large", `A body may have at most ${BODY_LIMIT} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_LIMIT) throw tooLarge();
  if (request.body === null) return "";
  const reader = request.body.getReader();
  const decoder = new TextDecoder("utf-8");
  let bytes = 0;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > BODY_LIMIT) {
      await reader.cancel();
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Checks what the caller sent. A mismatch is theirs to fix, so it names the fields. */
function accept<S extends z.ZodType>(schema: S, value: unknown, part: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? part : issue.path.join(".") || part;
  throw new Fault("invalid", `${where}: ${issue?.message ?? "not accepted"}`, { cause: parsed.error });
}

/** Checks what we are about to send. A mismatch is our bug, whatever the caller sent. */
function confirm<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Fault("internal", `reply does not match its schema: ${z.prettifyError(parsed.error)}`);
}
