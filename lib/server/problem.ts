import { z } from "zod";
import type { Problem } from "#api/dashboard/problem";
import { Fault, type FaultCode } from "#core/errors";
import type { Log } from "#runtime/log";

const STATUS = {
  invalid: 422,
  not_found: 404,
  forbidden: 403,
  unauthorized: 401,
  already_exists: 409,
  conflict: 409,
  gone: 410,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<FaultCode, number>;

const TITLE = {
  invalid: "Some fields need attention",
  not_found: "Not found",
  forbidden: "Not allowed",
  unauthorized: "Not signed in",
  already_exists: "That name is taken",
  conflict: "It has changed meanwhile",
  gone: "It no longer exists",
  unavailable: "Not available right now",
  internal: "Something went wrong",
} as const satisfies Record<FaultCode, string>;

/**
 * Whatever was thrown as an RFC 9457 reply. The message of an `internal`
 * fault goes to the log and never to the browser.
 */
export function problem(thrown: unknown, action: string, log: Log | undefined): Response {
  const fault = thrown instanceof Fault ? thrown : fromOther(thrown);
  const hidden = fault.code === "internal";
  if (hidden) log?.error("request failed", { action, error: fault.message, cause: String(fault.cause ?? "") });
  const fields = { ...zodFields(fault.cause), ...fault.fields };
  const body: Problem = {
    type: `https://berth.dev/problems/${fault.code.replaceAll("_", "-")}`,
    title: TITLE[fault.code],
    status: STATUS[fault.code],
    detail: hidden ? "Something went wrong on the server. Its log says what." : fault.message,
    code: fault.code,
    ...(Object.keys(fields).length > 0 && { fields }),
  };
  return problemResponse(body);
}

/** A problem that is none of the faults: of the HTTP layer itself. */
export function httpProblem(status: number, title: string, detail: string): Response {
  const code = title.toLowerCase().replaceAll(" ", "_");
  return problemResponse({ type: "about:blank", title, status, detail, code });
}

function problemResponse(body: Problem): Response {
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

function fromOther(thrown: unknown): Fault {
  if (thrown instanceof Error && thrown.name === "AbortError")
    return new Fault("unavailable", "The request was ended.");
  return Fault.from(thrown);
}

/** The first message for each path of the body. */
function zodFields(cause: unknown): Record<string, string> {
  if (!(cause instanceof z.ZodError)) return {};
  const fields: Record<string, string> = {};
  for (const issue of cause.issues) {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
    for (const key of unknown) fields[[...issue.path, key].join(".")] ??= "not a known field";
    if (unknown.length === 0) fields[issue.path.join(".")] ??= issue.message;
  }
  return fields;
}
