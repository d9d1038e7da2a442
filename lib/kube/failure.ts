import type { Status } from "#api/kubernetes/objects";
import { Fault, type FaultCode, type FieldProblems } from "#core/errors";

/**
 * What an API server's refusal means to us. `fields` are the causes of its
 * Status by dotted path ("spec.addresses.0"); `context` has status and reason.
 */
export function faultOf(what: string, httpStatus: number, body: string): Fault {
  const status = parseStatus(body);
  const reason = status?.reason ?? "";
  const message =
    status?.message || `${what}: HTTP ${httpStatus}${body === "" ? "" : `: ${body.slice(0, 200).trim()}`}`;
  return new Fault(codeOf(httpStatus, reason), message, {
    context: { status: httpStatus, ...(reason === "" ? {} : { reason }) },
    fields: fieldsOf(status),
  });
}

/** A failure below HTTP: refused, reset, timed out, unreadable. */
export function networkFault(what: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
  return new Fault("unavailable", `${what}: ${text || code || "connection failed"}`, {
    cause: thrown,
    ...(code === "" ? {} : { context: { network: code } }),
  });
}

function codeOf(httpStatus: number, reason: string): FaultCode {
  switch (httpStatus) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 409:
      return reason === "AlreadyExists" ? "already_exists" : "conflict";
    case 410:
      return "gone";
    case 408:
    case 429:
      return "unavailable";
    default:
      if (httpStatus >= 500) return "unavailable";
      return httpStatus >= 400 ? "invalid" : "internal";
  }
}

/** By hand: a schema library would be a fifth of what a speaker may weigh. */
function parseStatus(body: string): Status | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const causes = isRecord(value.details) && Array.isArray(value.details.causes) ? value.details.causes : [];
  return {
    message: text(value.message),
    reason: text(value.reason),
    details: {
      causes: causes.filter(isRecord).map(({ field, message }) => ({ field: text(field), message: text(message) })),
    },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fieldsOf(status: Status | null): FieldProblems {
  const fields: Record<string, string> = {};
  for (const { field, message } of status?.details?.causes ?? []) {
    if (!field || !message) continue;
    const path = field.replaceAll(/\[(\d+)\]/g, ".$1");
    fields[path] = path in fields ? `${fields[path]}; ${message}` : message;
  }
  return fields;
}
