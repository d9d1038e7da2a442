/**
 * What a browser on the same machine could be tricked into: a page elsewhere
 * that resolves its own name to 127.0.0.1 (DNS rebinding: wrong Host) or that
 * posts to us (CSRF: foreign Origin). Both are refused before anything runs.
 */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Null when the request may go on; otherwise the sentence for the refusal. */
export function refusal(
  request: { readonly method: string; readonly headers: Headers },
  hosts: readonly string[] = [],
): string | null {
  const host = request.headers.get("host") ?? "";
  const name = hostName(host);
  if (name === null || !(LOOPBACK.has(name) || hosts.includes(name))) {
    return `This server does not answer for the host "${host.slice(0, 100)}".`;
  }
  if (READS.has(request.method)) return null;
  if (request.headers.get("sec-fetch-site") === "cross-site") return "Writes from other sites are refused.";
  const origin = request.headers.get("origin");
  // Without an Origin it is no browser (curl, a script): browsers send one with every write.
  if (origin === null) return null;
  const from = URL.canParse(origin) ? new URL(origin).host : "";
  return from === host.toLowerCase() ? null : `Writes from ${origin.slice(0, 100)} are refused.`;
}

/** "localhost:3000" → "localhost", "[::1]:3000" → "[::1]"; null when it is no host at all. */
function hostName(host: string): string | null {
  const match = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase() ?? null;
}
