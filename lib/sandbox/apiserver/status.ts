import { Fault, type FaultCode } from "#core/errors";
import type { Cause, Json } from "#sandbox/kinds/definition";
import { isObject, textAt } from "./json.ts";

/** Where a failed request was going: fills `status.details`. */
export interface Target {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

interface Detail {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: Json;
  readonly causes?: readonly Cause[];
}

const FAULT_CODES: Readonly<Record<number, FaultCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  410: "gone",
  429: "unavailable",
  500: "internal",
  503: "unavailable",
  504: "unavailable",
};

/** A Fault that knows the Kubernetes Status it is answered with. */
export interface StatusFault extends Fault {
  readonly status: Json;
}

/** The failure with this HTTP code; as a Fault it carries the causes as `fields`. */
export function failure(detail: Detail): StatusFault {
  const { code, reason, message, causes = [] } = detail;
  const faultCode =
    code === 409 ? (reason === "AlreadyExists" ? "already_exists" : "conflict") : (FAULT_CODES[code] ?? "invalid");
  const fields = Object.fromEntries(causes.map(({ field, message }) => [field.replace(/\[(\w+)\]/g, ".$1"), message]));
  const details: Json = { ...detail.details };
  if (causes.length > 0) {
    details.causes = causes.map((cause) => ({ reason: cause.reason, message: cause.message, field: cause.field }));
  }
  const status: Json = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(detail.details !== undefined || causes.length > 0 ? { details } : {}),
    code,
  };
  return Object.assign(new Fault(faultCode, message, { fields }), { status });
}

/** The failure with exactly this Status (somebody else's words). */
export function statusFault(status: Json): StatusFault {
  const fault = failure({
    code: statusCode(status),
    reason: textAt(status, "reason"),
    message: textAt(status, "message"),
  });
  return Object.assign(fault, { status });
}

function resourceName(target: Target): string {
  return target.group === "" ? target.plural : `${target.plural}.${target.group}`;
}

function about(target: Target, name: string): Json {
  return {
    ...(name === "" ? {} : { name }),
    ...(target.group === "" ? {} : { group: target.group }),
    kind: target.plural,
  };
}

export function notFound(target: Target, name: string): StatusFault {
  return failure({
    code: 404,
    reason: "NotFound",
    message: `${resourceName(target)} "${name}" not found`,
    details: about(target, name),
  });
}

export function alreadyExists(target: Target, name: string): StatusFault {
  return failure({
    code: 409,
    reason: "AlreadyExists",
    message: `${resourceName(target)} "${name}" already exists`,
    details: about(target, name),
  });
}

const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export function conflict(target: Target, name: string, why: string = MODIFIED): StatusFault {
  return failure({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${resourceName(target)} "${name}": ${why}`,
    details: about(target, name),
  });
}

export function forbidden(target: Target, name: string, why: string): StatusFault {
  const what = name === "" ? resourceName(target) : `${resourceName(target)} "${name}"`;
  return failure({
    code: 403,
    reason: "Forbidden",
    message: `${what} is forbidden: ${why}`,
    details: about(target, name),
  });
}

export function invalid(target: Target, name: string, causes: readonly Cause[]): StatusFault {
  const lines = causes.map((cause) => (cause.field === "" ? cause.message : `${cause.field}: ${cause.message}`));
  const kind = target.group === "" ? target.kind : `${target.kind}.${target.group}`;
  return failure({
    code: 422,
    reason: "Invalid",
    message: `${kind} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`}`,
    details: {
      ...(name === "" ? {} : { name }),
      ...(target.group === "" ? {} : { group: target.group }),
      kind: target.kind,
    },
    causes,
  });
}

export function badRequest(message: string): StatusFault {
  return failure({ code: 400, reason: "BadRequest", message });
}

export function unsupportedMediaType(message: string): StatusFault {
  return failure({ code: 415, reason: "UnsupportedMediaType", message });
}

export function methodNotAllowed(): StatusFault {
  return failure({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

/** What a path that is not served is answered with. */
export function noSuchPath(): StatusFault {
  return failure({
    code: 404,
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });
}

/** A kind that a real cluster may have and this one has not. */
export function noSuchKind(group: string, plural: string): StatusFault {
  const kind = resourceName({ group, plural, kind: plural });
  return failure({
    code: 404,
    reason: "NotFound",
    message: `the server could not find the requested resource: the Berth sandbox serves no ${kind} (kubectl api-resources lists what it does)`,
    details: {},
  });
}

const STATUS_OF: Readonly<Record<FaultCode, { code: number; reason: string }>> = {
  invalid: { code: 422, reason: "Invalid" },
  not_found: { code: 404, reason: "NotFound" },
  forbidden: { code: 403, reason: "Forbidden" },
  unauthorized: { code: 401, reason: "Unauthorized" },
  already_exists: { code: 409, reason: "AlreadyExists" },
  conflict: { code: 409, reason: "Conflict" },
  gone: { code: 410, reason: "Expired" },
  unavailable: { code: 503, reason: "ServiceUnavailable" },
  internal: { code: 500, reason: "InternalError" },
};

/** The Status for whatever was thrown; of a bug only its message gets out, never a stack. */
export function statusOf(thrown: unknown): Json {
  if (typeof thrown === "object" && thrown !== null && "status" in thrown && isStatus(thrown.status)) {
    return thrown.status;
  }
  const fault = Fault.from(thrown);
  const { code, reason } = STATUS_OF[fault.code];
  const message = code === 500 ? `Internal error occurred: ${fault.message}` : fault.message;
  const causes = Object.entries(fault.fields).map(
    ([field, text]): Cause => ({ reason: "FieldValueInvalid", field, message: text }),
  );
  return failure({ code, reason, message, causes, ...(code === 422 ? { details: {} } : {}) }).status;
}

export function statusCode(status: Json): number {
  return typeof status.code === "number" ? status.code : 500;
}

function isStatus(value: unknown): value is Json {
  return isObject(value) && textAt(value, "kind") === "Status";
}
