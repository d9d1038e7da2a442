import { isIP } from "node:net";
import { Fault } from "#core/errors";

export interface Target {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly url: string;
}

/**
 * Reads the URL of a probe. Only http, without credentials. With
 * `literal`, the host must be an address, so that nothing is ever resolved.
 * Throws Fault `invalid` whose field `url` says what would be right.
 */
export function parseTarget(text: string, options: { readonly literal: boolean }): Target {
  const bad = (right: string) =>
    new Fault("invalid", `cannot probe ${text.slice(0, 200)}: ${right}`, { fields: { url: right } });
  if (!URL.canParse(text)) throw bad("it must be a URL such as http://127.77.10.1/");
  const url = new URL(text);
  if (url.protocol !== "http:") throw bad("only http:// can be probed");
  if (url.username !== "" || url.password !== "") throw bad("a URL with a user name or password is not probed");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "") throw bad("a host is needed");
  if (options.literal && isIP(host) === 0) throw bad("the host must be an IP address");
  return { host, port: url.port === "" ? 80 : Number(url.port), path: `${url.pathname}${url.search}`, url: url.href };
}
