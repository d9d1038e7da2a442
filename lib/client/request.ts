import { ApiProblem, problemOf } from "#client/problem";

const TIMEOUT_MS = 20_000;

/**
 * One call of the dashboard's own API. Bodies go and come as JSON; a failure
 * is always an `ApiProblem`. The types are the server's contract (lib/api);
 * rows of the stream are checked where they arrive, answers here are not again.
 */
export async function request<T>(
  url: string,
  init: { readonly method?: string; readonly body?: unknown; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal === undefined ? timeout : AbortSignal.any([init.signal, timeout]);
  let response: Response;
  try {
    response = await fetch(url, {
      method: init.method ?? "GET",
      signal,
      headers: {
        accept: "application/json, application/problem+json",
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    const late = timeout.aborted
      ? `No answer within ${TIMEOUT_MS / 1000} s.`
      : "The dashboard's server cannot be reached.";
    throw new ApiProblem({ status: 0, code: "unavailable", detail: late });
  }
  const text = await response.text();
  const body = parse(text);
  if (!response.ok) throw problemOf(response.status, body);
  return body as T;
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Path segments, escaped: `path("api", "pools", name)` → "/api/pools/production". */
export function path(...segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join("/")}`;
}

/** "shop/nginx" → "/api/services/shop/nginx" plus whatever follows. */
export function servicePath(key: string, ...rest: readonly string[]): string {
  const [namespace = "", name = ""] = key.split("/");
  return path("api", "services", namespace, name, ...rest);
}
