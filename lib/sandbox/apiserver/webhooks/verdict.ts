import type { Json } from "#sandbox/kinds/definition";
import { isObject, numberAt, objectAt, textAt, textList } from "../json.ts";
import { type StatusFault, statusFault } from "../status.ts";
import type { CallResult } from "./call.ts";

/** What one webhook makes of a write. `broken`: it could not be asked, or its answer is none. */
export type Verdict =
  | { readonly kind: "allowed"; readonly warnings: readonly string[] }
  | { readonly kind: "denied"; readonly warnings: readonly string[]; readonly fault: StatusFault }
  | { readonly kind: "broken"; readonly why: string };

/** Reads a webhook's reply as strictly as the real server: version, kind and uid must be those of the request. */
export function verdictOf(name: string, uid: string, result: CallResult): Verdict {
  const failed = (why: string): Verdict => ({ kind: "broken", why: `failed to call webhook: ${why}` });
  if (result.kind === "failed") return failed(result.why);
  if (result.code < 200 || result.code > 206) return failed(httpProblem(result.code, result.text));
  let review: unknown;
  try {
    review = JSON.parse(result.text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return failed(`couldn't get version/kind; json parse error: ${why}`);
  }
  const problem = reviewProblem(review, uid);
  if (problem !== undefined) return { kind: "broken", why: `received invalid webhook response: ${problem}` };
  const response = objectAt(isObject(review) ? review : {}, "response");
  const warnings = textList(response.warnings);
  if (response.allowed === true) return { kind: "allowed", warnings };
  return { kind: "denied", warnings, fault: denial(name, response.status) };
}

function reviewProblem(review: unknown, uid: string): string | undefined {
  if (!isObject(review)) return "the response is not a JSON object";
  const wanted = "admission.k8s.io/v1, Kind=AdmissionReview";
  const got = `${textAt(review, "apiVersion")}, Kind=${textAt(review, "kind")}`;
  if (got !== wanted) return `expected webhook response of ${wanted}, got ${got}`;
  const { response } = review;
  if (!isObject(response)) return "webhook response was absent";
  const own = textAt(response, "uid");
  if (own !== uid) return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(own)}`;
  return undefined;
}

/** The client library's words for a reply that is no success. */
function httpProblem(code: number, text: string): string {
  const body = text.trim().slice(0, 200);
  if (code === 404) return "the server could not find the requested resource";
  if (code === 401) return "Unauthorized";
  if (code === 403) return `forbidden: ${body || "the server refused"}`;
  if (code >= 500) {
    return `an error on the server (${JSON.stringify(body || "unknown")}) has prevented the request from succeeding`;
  }
  return "the server rejected our request for an unknown reason";
}

/** A denial as the client sees it (apiserver webhook errors.ToStatusErr). */
function denial(name: string, given: unknown): StatusFault {
  const result = isObject(given) ? given : {};
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = textAt(result, "message") || textAt(result, "reason");
  const code = numberAt(result, "code") ?? 0;
  const status: Json = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: why === "" ? `${by} without explanation` : `${by}: ${why}`,
    ...(textAt(result, "reason") === "" ? {} : { reason: textAt(result, "reason") }),
    ...(isObject(result.details) ? { details: result.details } : {}),
    code: Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400,
  };
  return statusFault(status);
}
