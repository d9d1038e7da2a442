import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "#runtime/clock";
import type { Json } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { textAt, timestamp } from "./json.ts";
import { signToken, verifyToken } from "./jwt.ts";
import { bucketOf, keyOf } from "./resource.ts";
import { badRequest, failure, type StatusFault } from "./status.ts";

/** A bearer token that is known from the start. */
export interface TokenSpec {
  readonly token: string;
  readonly user: string;
  readonly groups: readonly string[];
}

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const AUTHENTICATED = "system:authenticated";
const ISSUER = "https://kubernetes.default.svc.cluster.local";
const SERVICE_ACCOUNTS = bucketOf("", "serviceaccounts");
const PODS = bucketOf("", "pods");
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

export interface TokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly expirationSeconds?: number;
  readonly audiences?: readonly string[];
  readonly pod?: { readonly name: string; readonly uid: string };
}

/** Who is asking. Service-account tokens are checked without state: signature, expiry, and that account and pod still exist. */
export class Users {
  readonly #known = new Map<string, User>();
  readonly #store: Store;
  readonly #key: string;
  readonly #clock: Clock;

  constructor(options: {
    readonly tokens: readonly TokenSpec[];
    readonly signingKey: string;
    readonly store: Store;
    readonly clock: Clock;
  }) {
    for (const { token, user, groups } of options.tokens) {
      this.#known.set(digest(token), { name: user, groups: withAuthenticated(groups) });
    }
    this.#store = options.store;
    this.#key = options.signingKey;
    this.#clock = options.clock;
  }

  /** The user of these headers; without credentials the anonymous one. Throws 401 for a bad token. */
  authenticate(headers: IncomingHttpHeaders): User {
    const { authorization } = headers;
    if (authorization === undefined || authorization === "") return ANONYMOUS;
    const token = /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
    const user = token === undefined ? undefined : this.ofToken(token);
    if (user === undefined) throw unauthorized();
    return user;
  }

  ofToken(token: string): User | undefined {
    return this.#known.get(digest(token)) ?? this.#ofServiceAccount(token);
  }

  /** A new token for a service account; the account must exist. */
  issue(request: TokenRequest, uid: string): { readonly token: string; readonly expires: string } {
    const seconds = request.expirationSeconds ?? 3600;
    if (!Number.isInteger(seconds) || seconds < TOKEN_SECONDS_MIN || seconds > TOKEN_SECONDS_MAX) {
      throw badRequest(
        `spec.expirationSeconds: Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
      );
    }
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, name, pod } = request;
    const claims: Json = {
      aud: request.audiences !== undefined && request.audiences.length > 0 ? [...request.audiences] : [ISSUER],
      exp: now + seconds,
      iat: now,
      iss: ISSUER,
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
      "kubernetes.io": {
        namespace,
        serviceaccount: { name, uid },
        ...(pod === undefined ? {} : { pod: { name: pod.name, uid: pod.uid } }),
      },
    };
    return { token: signToken(claims, this.#key), expires: timestamp((now + seconds) * 1000) };
  }

  #ofServiceAccount(token: string): User | undefined {
    const claims = verifyToken(token, this.#key, this.#clock.now());
    if (claims === undefined) return undefined;
    const bound = claims["kubernetes.io"];
    const namespace = textAt(bound, "namespace");
    const name = textAt(bound, "serviceaccount", "name");
    const uid = textAt(bound, "serviceaccount", "uid");
    const account = this.#store.get(SERVICE_ACCOUNTS, keyOf(namespace, name));
    if (account === undefined || textAt(account.object, "metadata", "uid") !== uid) return undefined;
    const podName = textAt(bound, "pod", "name");
    if (podName !== "") {
      const pod = this.#store.get(PODS, keyOf(namespace, podName));
      if (pod === undefined || textAt(pod.object, "metadata", "uid") !== textAt(bound, "pod", "uid")) return undefined;
    }
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      groups: withAuthenticated(["system:serviceaccounts", `system:serviceaccounts:${namespace}`]),
      uid,
      ...(podName === "" ? {} : { extra: { "authentication.kubernetes.io/pod-name": [podName] } }),
    };
  }
}

/** What `Impersonate-*` headers ask for; undefined when they are absent. */
export function impersonated(headers: IncomingHttpHeaders): User | undefined {
  const name = one(headers["impersonate-user"]);
  const groups = headers["impersonate-group"];
  if (name === undefined) {
    if (groups === undefined && headers["impersonate-uid"] === undefined) return undefined;
    throw badRequest("requested groups without impersonating a user");
  }
  // Node joins repeated headers; group names hold no commas.
  const asked =
    groups === undefined
      ? []
      : String(groups)
          .split(",")
          .map((group) => group.trim())
          .filter((group) => group !== "");
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (name === "system:anonymous") return ANONYMOUS;
  const implied =
    asked.length > 0 || account === null ? asked : ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`];
  return { name, groups: withAuthenticated(implied) };
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

export function unauthorized(): StatusFault {
  return failure({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED];
}

// Looked up by digest, so that timing tells nothing about tokens.
function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
