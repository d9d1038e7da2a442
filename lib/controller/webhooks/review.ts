import { AdmissionReview } from "#api/admission";
import { type AdmissionKind, type Change, remarkText, type Verdict } from "#core/configuration/admission";
import { Fault } from "#core/errors";

/** What to answer to one POST: the status of the HTTP reply, and its JSON. */
interface ReviewReply {
  readonly status: 200 | 400;
  readonly body: string;
  readonly outcome: "allowed" | "denied" | "malformed";
}

const ERRORS_MAX = 20;
/** An API server cuts all warnings of a request at 4096 characters, and each at 256. */
const WARNING_MAX = 256;

/**
 * Answers an AdmissionReview (admission.k8s.io/v1) about objects of `kind`. A
 * body that is none is 400 with the reason; never throws. A refusal carries
 * every wrong field as a cause, so that clients can show it where it was written.
 */
export function answerReview(text: string, kind: AdmissionKind, judge: (change: Change) => Verdict): ReviewReply {
  let review: AdmissionReview;
  try {
    review = parse(text, kind);
  } catch (thrown) {
    const message = Fault.from(thrown).message;
    return { status: 400, outcome: "malformed", body: JSON.stringify({ kind: "Status", status: "Failure", message }) };
  }
  const { request } = review;
  const respond = (response: object) =>
    JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, response: { uid: request.uid, ...response } });
  const change = changeOf(review, kind);
  // Sub-resources that connect change nothing.
  if (change === null) return { status: 200, outcome: "allowed", body: respond({ allowed: true }) };
  const { errors, warnings } = judge(change);
  const said = warnings.length === 0 ? {} : { warnings: warnings.map(cut) };
  if (errors.length === 0) return { status: 200, outcome: "allowed", body: respond({ allowed: true, ...said }) };
  const listed = errors.slice(0, ERRORS_MAX);
  const more = errors.length > listed.length ? [`and ${errors.length - listed.length} more`] : [];
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: [...listed.map(remarkText), ...more].join("; "),
    details: {
      name: change.name,
      group: request.kind.group,
      kind,
      causes: listed.map(({ field, message, fix }) => ({
        reason: "FieldValueInvalid",
        field,
        message: `${message}; ${fix}`,
      })),
    },
  };
  return { status: 200, outcome: "denied", body: respond({ allowed: false, status, ...said }) };
}

function parse(text: string, kind: AdmissionKind): AdmissionReview {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Fault("invalid", "the body is not JSON; send an AdmissionReview");
  }
  const read = AdmissionReview.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0];
    const where = issue?.path.join(".") ?? "";
    throw new Fault("invalid", `the body is no AdmissionReview of admission.k8s.io/v1: ${where}: ${issue?.message}`);
  }
  const { group, kind: asked } = read.data.request.kind;
  if (asked !== kind)
    throw new Fault("invalid", `request.kind: ${group} ${asked} is judged at another path than ${kind}`);
  return read.data;
}

function changeOf({ request }: AdmissionReview, kind: AdmissionKind): Change | null {
  const { operation, object, oldObject } = request;
  if (operation === "CONNECT") return null;
  const subject = operation === "DELETE" ? oldObject : object;
  const { name, generateName, namespace } = metadataOf(subject);
  return {
    kind,
    operation,
    namespace: request.namespace || namespace,
    name: request.name || name || generateName,
    object: operation === "DELETE" ? undefined : named(object, request.namespace || namespace, name || generateName),
    oldObject: oldObject ?? undefined,
  };
}

/** The object with the name it is about to get: where a server chooses it later, the prefix stands for it. */
function named(object: unknown, namespace: string, name: string): unknown {
  if (!isObject(object)) return object;
  const metadata = isObject(object.metadata) ? object.metadata : {};
  return { ...object, metadata: { ...metadata, ...(namespace !== "" && { namespace }), ...(name !== "" && { name }) } };
}

function metadataOf(object: unknown) {
  const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { name: text(metadata.name), generateName: text(metadata.generateName), namespace: text(metadata.namespace) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cut(text: string): string {
  return text.length > WARNING_MAX ? `${text.slice(0, WARNING_MAX - 1)}…` : text;
}
