import type { Cause } from "#sandbox/kinds/definition";
import { isTrue, numberParam } from "./route.ts";
import { badRequest, failure, invalid, type StatusFault } from "./status.ts";

/** What a list or watch asks of versions and pages (metav1.ListOptions). */
export interface ListOptions {
  /** Undefined: none was given, which asks for the newest. 0: any will do. */
  readonly revision: number | undefined;
  readonly match: "" | "Exact" | "NotOlderThan";
  readonly limit: number | undefined;
  readonly continue: string;
  /** Undefined: not said. */
  readonly sendInitialEvents: boolean | undefined;
}

const FIELD = "resourceVersionMatch";

/** Reads and checks the options in the server's words: 400 for what cannot be read, 422 for what does not go together. */
export function readListOptions(query: URLSearchParams, watch: boolean): ListOptions {
  const match = query.get(FIELD) ?? "";
  const initial = query.get("sendInitialEvents");
  const sendInitialEvents = initial === null ? undefined : isTrue(initial);
  const version = query.get("resourceVersion") ?? "";
  const token = query.get("continue") ?? "";
  const asked: Asked = { match, version, token, sendInitialEvents };
  const causes = watch ? watchCauses(asked) : listCauses(asked);
  if (causes.length > 0) {
    throw invalid({ group: "meta.k8s.io", plural: "listoptions", kind: "ListOptions" }, "", causes);
  }
  const revision = readRevision(version);
  if (!watch && token !== "" && revision !== undefined && revision !== 0) {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  const known = match === "Exact" || match === "NotOlderThan" ? match : "";
  return { revision, match: known, limit: numberParam(query, "limit"), continue: token, sendInitialEvents };
}

interface Asked {
  readonly match: string;
  readonly version: string;
  readonly token: string;
  readonly sendInitialEvents: boolean | undefined;
}

function listCauses({ match, version, token, sendInitialEvents }: Asked): Cause[] {
  const causes: Cause[] = [];
  if (match !== "") {
    if (version === "") causes.push(forbidden(`${FIELD} is forbidden unless resourceVersion is provided`));
    if (token !== "") causes.push(forbidden(`${FIELD} is forbidden when continue is provided`));
    if (match !== "Exact" && match !== "NotOlderThan") {
      causes.push(unsupported(match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && version === "0") {
      causes.push(forbidden(`${FIELD} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (sendInitialEvents !== undefined) {
    causes.push(forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents"));
  }
  return causes;
}

function watchCauses({ match, token, sendInitialEvents }: Asked): Cause[] {
  const causes: Cause[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    causes.push(forbidden(`sendInitialEvents requires setting ${FIELD} to NotOlderThan`));
  }
  if (match === "") return causes;
  if (sendInitialEvents === undefined) {
    causes.push(forbidden(`${FIELD} is forbidden for watch unless sendInitialEvents is provided`));
  }
  if (match !== "NotOlderThan") causes.push(unsupported(match, ["NotOlderThan"]));
  if (token !== "") causes.push(forbidden(`${FIELD} is forbidden when continue is provided`));
  return causes;
}

function forbidden(why: string, field = FIELD): Cause {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${why}` };
}

function unsupported(value: string, supported: readonly string[]): Cause {
  const list = supported.toSorted().map((one) => JSON.stringify(one));
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list.join(", ")}`;
  return { reason: "FieldValueNotSupported", field: FIELD, message };
}

/** A `resourceVersion` of a request: undefined when none was given. Throws 400 for anything but a number. */
function readRevision(text: string): number | undefined {
  if (text === "") return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const quoted = JSON.stringify(text);
  throw badRequest(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
}

/** A version that the server has not reached: clients wait a moment and ask again. */
export function tooLarge(revision: number, newest: number): StatusFault {
  return failure({
    code: 504,
    reason: "Timeout",
    message: `Too large resource version: ${revision}, current: ${newest}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}
