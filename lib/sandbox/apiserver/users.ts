import { createHash, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "#runtime/clock";
import type { Json } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { textAt, textList, timestamp } from "./json.ts";
import { signToken, verifyToken } from "./jwt.ts";
import { bucketOf, keyOf } from "./resource.ts";
import { failure, type StatusFault } from "./status.ts";

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

export const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const AUTHENTICATED = "system:authenticated";
/** The issuer of service-account tokens, and the audience of this server. */
export const ISSUER = "https://kubernetes.default.svc.cluster.local";
const SERVICE_ACCOUNTS = bucketOf("", "serviceaccounts");
const BINDABLE = [
  { kind: "pod", bucket: bucketOf("", "pods"), namespaced: true },
  { kind: "secret", bucket: bucketOf("", "secrets"), namespaced: true },
  { kind: "node", bucket: bucketOf("", "nodes"), namespaced: false },
] as const;

/** What a token ends with. */
export interface BoundObject {
  readonly kind: "pod" | "secret" | "node";
  readonly name: string;
  readonly uid: string;
}

interface TokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly expirationSeconds?: number;
  readonly audiences?: readonly string[];
  readonly bound?: BoundObject;
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

  /** Whose token this is, if it is meant for one of `audiences`; undefined for a bad one. */
  ofToken(token: string, audiences: readonly string[] = [ISSUER]): User | undefined {
    return this.#known.get(digest(token)) ?? this.#ofServiceAccount(token, audiences);
  }

  /** Whom a token is meant for; undefined when it is no service-account token of ours. */
  audiencesOf(token: string): readonly string[] | undefined {
    const claims = verifyToken(token, this.#key, this.#clock.now());
    return claims === undefined ? undefined : textList(claims.aud);
  }

  /** A new token for a service account; the account must exist. */
  issue(request: TokenRequest, uid: string): { readonly token: string; readonly expires: string } {
    const seconds = request.expirationSeconds ?? 3600;
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, name, bound } = request;
    const claims: Json = {
      aud: request.audiences !== undefined && request.audiences.length > 0 ? [...request.audiences] : [ISSUER],
      exp: now + seconds,
      iat: now,
      iss: ISSUER,
      jti: randomUUID(),
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
      "kubernetes.io": {
        namespace,
        serviceaccount: { name, uid },
        ...(bound === undefined ? {} : { [bound.kind]: { name: bound.name, uid: bound.uid } }),
      },
    };
    return { token: signToken(claims, this.#key), expires: timestamp((now + seconds) * 1000) };
  }

  #ofServiceAccount(token: string, audiences: readonly string[]): User | undefined {
    const claims = verifyToken(token, this.#key, this.#clock.now());
    if (claims === undefined || !textList(claims.aud).some((one) => audiences.includes(one))) return undefined;
    const bound = claims["kubernetes.io"];
    const namespace = textAt(bound, "namespace");
    const name = textAt(bound, "serviceaccount", "name");
    const uid = textAt(bound, "serviceaccount", "uid");
    const account = this.#store.get(SERVICE_ACCOUNTS, keyOf(namespace, name));
    if (account === undefined || textAt(account.object, "metadata", "uid") !== uid) return undefined;
    for (const { kind, bucket, namespaced } of BINDABLE) {
      const boundName = textAt(bound, kind, "name");
      if (boundName === "") continue;
      const entry = this.#store.get(bucket, keyOf(namespaced ? namespace : "", boundName));
      if (entry === undefined || textAt(entry.object, "metadata", "uid") !== textAt(bound, kind, "uid"))
        return undefined;
    }
    const extra = extraOf(claims);
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      groups: withAuthenticated(["system:serviceaccounts", `system:serviceaccounts:${namespace}`]),
      uid,
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
  }
}

/** What the token says besides the account's name (KEP-4193). */
function extraOf(claims: Json): Readonly<Record<string, readonly string[]>> {
  const prefix = "authentication.kubernetes.io";
  const bound = claims["kubernetes.io"];
  const facts: readonly (readonly [string, string])[] = [
    ["credential-id", textAt(claims, "jti") === "" ? "" : `JTI=${textAt(claims, "jti")}`],
    ["node-name", textAt(bound, "node", "name")],
    ["node-uid", textAt(bound, "node", "uid")],
    ["pod-name", textAt(bound, "pod", "name")],
    ["pod-uid", textAt(bound, "pod", "uid")],
  ];
  return Object.fromEntries(
    facts.filter(([, value]) => value !== "").map(([key, value]) => [`${prefix}/${key}`, [value]]),
  );
}

function unauthorized(): StatusFault {
  return failure({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

/** With the group that everybody with valid credentials is in. */
export function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED];
}

// Looked up by digest, so that timing tells nothing about tokens.
function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
