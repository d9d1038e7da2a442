import { createHash } from "node:crypto";
import type { TokenReview } from "#api/admission";
import { apiVersionOf, SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Cluster } from "./port.ts";

/** Whether somebody may see what they ask for; `unknown` when the API server could not be asked. */
type Access = "allowed" | "unauthenticated" | "forbidden" | "unknown";

/** Judges the value of an `Authorization` header. Never rejects. */
type AccessCheck = (authorization: string | undefined) => Promise<Access>;

/** A right that is taken away is noticed after at most this time; so is one that was granted. */
const REMEMBERED_MS = 10_000;
const ENTRIES_MAX = 256;
const ASKING_MS = 5000;

/**
 * Asks the API server who has the token (TokenReview) and whether they may
 * `get` this path (SubjectAccessReview, nonResourceAttributes). Answers are
 * remembered for ten seconds by the token's hash; requests with one token that
 * come at once are one question.
 */
export function accessCheck(deps: {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly path: string;
}): AccessCheck {
  const { cluster, clock, path } = deps;
  const known = new Map<string, { readonly until: number; readonly access: Promise<Access> }>();
  return (authorization) => {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return Promise.resolve("unauthenticated");
    const id = createHash("sha256").update(token).digest("base64");
    const now = clock.monotonic();
    const found = known.get(id);
    if (found !== undefined && found.until > now) return found.access;
    for (const [key, { until }] of known) {
      if (until <= now || known.size >= ENTRIES_MAX) known.delete(key);
    }
    const access = ask(cluster, token, path).catch(() => "unknown" as const);
    known.set(id, { until: now + REMEMBERED_MS, access });
    void access.then((answer) => {
      if (answer === "unknown") known.delete(id);
    });
    return access;
  };
}

async function ask(cluster: Cluster, token: string, path: string): Promise<Access> {
  const signal = AbortSignal.timeout(ASKING_MS);
  const review = await cluster.create<TokenReview>(
    TOKEN_REVIEWS,
    { ...head(TOKEN_REVIEWS), spec: { token } },
    { signal },
  );
  const user = review.status?.user;
  if (review.status?.authenticated !== true || user?.username === undefined) return "unauthenticated";
  const { username, uid, groups = [], extra } = user;
  const answer = await cluster.create(
    SUBJECT_ACCESS_REVIEWS,
    {
      ...head(SUBJECT_ACCESS_REVIEWS),
      spec: {
        user: username,
        groups,
        ...(uid !== undefined && { uid }),
        ...(extra !== undefined && { extra }),
        nonResourceAttributes: { path, verb: "get" },
      },
    },
    { signal },
  );
  if (answer.status === undefined) throw new Fault("unavailable", "the SubjectAccessReview has no answer");
  return answer.status.allowed === true && answer.status.denied !== true ? "allowed" : "forbidden";
}

function head(resource: {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}) {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: {} };
}
