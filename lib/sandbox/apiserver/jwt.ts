import { createHmac, timingSafeEqual } from "node:crypto";
import type { Json } from "#sandbox/kinds/definition";
import { isObject } from "./json.ts";

const HEADER = Buffer.from(JSON.stringify({ alg: "HS256", typ: "JWT" })).toString("base64url");

/** A JSON Web Token signed with HS256 (RFC 7519, RFC 7515). */
export function signToken(claims: Json, key: string): string {
  const body = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${body}.${signature(body, key)}`;
}

/** The claims of a token that we signed and that has not expired; undefined for anything else. `now` in ms. */
export function verifyToken(token: string, key: string, now: number): Json | undefined {
  const [header = "", payload = "", given = "", ...more] = token.split(".");
  if (header !== HEADER || more.length > 0) return undefined;
  const right = Buffer.from(signature(`${header}.${payload}`, key));
  const offered = Buffer.from(given);
  if (right.length !== offered.length || !timingSafeEqual(right, offered)) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    if (!isObject(claims) || typeof claims.exp !== "number" || claims.exp * 1000 <= now) return undefined;
    return claims;
  } catch {
    return undefined;
  }
}

function signature(body: string, key: string): string {
  return createHmac("sha256", key).update(body).digest("base64url");
}
