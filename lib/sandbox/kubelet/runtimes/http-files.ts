import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { Fault } from "#core/errors";
import type { ContainerFs } from "../container-fs.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  htm: "text/html",
  css: "text/css",
  js: "application/javascript",
  mjs: "application/javascript",
  json: "application/json",
  txt: "text/plain",
  xml: "text/xml",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  ico: "image/x-icon",
  webp: "image/webp",
  woff2: "font/woff2",
  wasm: "application/wasm",
  pdf: "application/pdf",
};

const WORDS: Readonly<Record<number, string>> = {
  301: "301 Moved Permanently",
  400: "400 Bad Request",
  403: "403 Forbidden",
  404: "404 Not Found",
  405: "405 Not Allowed",
  500: "500 Internal Server Error",
};

const MAX_FILE = 32 * 1024 * 1024;
const CACHED_FILE = 64 * 1024;
const CACHED_FILES = 200;

/** What was sent, for the access log. */
interface Served {
  readonly status: number;
  readonly bytes: number;
  /** A sentence for the error log. */
  readonly problem?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly problem?: string;
}

interface CachedFile {
  readonly file: string;
  readonly mtimeMs: number;
  readonly size: number;
  readonly body: Uint8Array;
}

/** Serves the files below one directory of a container, with nginx's answers for everything that is not a file. */
export class HttpFiles {
  readonly #fs: Pick<ContainerFs, "resolve">;
  readonly #directory: string;
  readonly #cache = new Map<string, CachedFile>();

  constructor(fs: Pick<ContainerFs, "resolve">, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** Never rejects. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): Promise<Served> {
    const answer = await this.#answer(request).catch((error): Answer => {
      return page(500, Fault.from(error).message);
    });
    const head = request.method === "HEAD";
    const bodyless = head || answer.status === 304;
    const length = answer.status === 304 ? {} : { "Content-Length": String(answer.body.byteLength) };
    response.writeHead(answer.status, { ...headers, ...answer.headers, ...length });
    response.end(bodyless ? undefined : answer.body);
    const served = { status: answer.status, bytes: bodyless ? 0 : answer.body.byteLength };
    return answer.problem === undefined ? served : { ...served, problem: answer.problem };
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== "GET" && request.method !== "HEAD") return page(405);
    const wanted = decodePath(request.url ?? "/");
    if (wanted === null) return page(400);
    const file = path.posix.join(this.#directory, wanted);
    const cached = await this.#fresh(wanted);
    if (cached !== null) return send(request, wanted, cached.mtimeMs, cached.body);

    const shown = JSON.stringify(file);
    let host: string;
    try {
      host = await this.#fs.resolve(file);
    } catch (error) {
      const forbidden = error instanceof Fault && error.code === "forbidden";
      return forbidden ? page(403, `open() ${shown} failed (13: Permission denied)`) : missing(shown);
    }
    const facts = await stat(host).catch(() => null);
    if (facts === null) return missing(shown);
    if (facts.isDirectory()) return this.#directoryAnswer(request, wanted, shown);
    if (wanted.endsWith("/")) return page(404, `${shown} is not a directory (20: Not a directory)`);
    if (!facts.isFile()) return page(403, `${shown} is not a regular file`);
    if (facts.size > MAX_FILE) return page(500, `${shown} is larger than the sandbox serves (32 MiB)`);
    const body = await readFile(host);
    this.#remember(wanted, { file: host, mtimeMs: facts.mtimeMs, size: facts.size, body });
    return send(request, wanted, facts.mtimeMs, body);
  }

  async #directoryAnswer(request: IncomingMessage, wanted: string, shown: string): Promise<Answer> {
    if (!wanted.endsWith("/")) {
      const moved = page(301);
      return { ...moved, headers: { ...moved.headers, Location: `${encodeURI(wanted)}/` } };
    }
    const index = await this.#fs.resolve(path.posix.join(this.#directory, wanted, "index.html")).catch(() => null);
    const facts = index === null ? null : await stat(index).catch(() => null);
    if (index === null || facts === null || !facts.isFile())
      return page(403, `directory index of ${shown} is forbidden`);
    if (facts.size > MAX_FILE) return page(500, `${shown} is larger than the sandbox serves (32 MiB)`);
    const body = await readFile(index);
    this.#remember(wanted, { file: index, mtimeMs: facts.mtimeMs, size: facts.size, body });
    return send(request, "index.html", facts.mtimeMs, body);
  }

  /** The remembered file if it is still the same on disk: one `stat` instead of a walk through every link. */
  async #fresh(wanted: string): Promise<CachedFile | null> {
    const cached = this.#cache.get(wanted);
    if (cached === undefined) return null;
    const facts = await stat(cached.file).catch(() => null);
    if (facts !== null && facts.mtimeMs === cached.mtimeMs && facts.size === cached.size) return cached;
    this.#cache.delete(wanted);
    return null;
  }

  #remember(wanted: string, file: CachedFile): void {
    if (file.size > CACHED_FILE) return;
    if (this.#cache.size >= CACHED_FILES) this.#cache.clear();
    this.#cache.set(wanted, file);
  }
}

function send(request: IncomingMessage, name: string, mtimeMs: number, body: Uint8Array): Answer {
  const file = name.endsWith("/") ? "index.html" : name;
  const extension = file.includes(".") ? (file.split(".").at(-1) ?? "").toLowerCase() : "";
  const etag = `"${Math.floor(mtimeMs / 1000).toString(16)}-${body.byteLength.toString(16)}-${digest(body)}"`;
  const headers = {
    "Content-Type": TYPES[extension] ?? "application/octet-stream",
    "Last-Modified": new Date(mtimeMs).toUTCString(),
    ETag: etag,
  };
  const match = request.headers["if-none-match"];
  if (match?.split(/,\s*/).includes(etag) === true) return { status: 304, headers, body: new Uint8Array() };
  return { status: 200, headers, body };
}

function digest(body: Uint8Array): string {
  return createHash("sha1").update(body).digest("hex").slice(0, 8);
}

function missing(shown: string): Answer {
  return page(404, `open() ${shown} failed (2: No such file or directory)`);
}

function page(status: number, problem?: string): Answer {
  const words = WORDS[status] ?? String(status);
  const body = Buffer.from(
    `<html>\r\n<head><title>${words}</title></head>\r\n<body>\r\n<center><h1>${words}</h1></center>\r\n` +
      "<hr><center>nginx (Berth sandbox)</center>\r\n</body>\r\n</html>\r\n",
  );
  const answer = { status, headers: { "Content-Type": "text/html" }, body };
  return problem === undefined ? answer : { ...answer, problem };
}

/** The path of a request, decoded; null for one that is malformed or climbs above the root. */
function decodePath(url: string): string | null {
  const raw = url.startsWith("http://") ? url.replace(/^http:\/\/[^/]*/, "") : url;
  const encoded = raw.split(/[?#]/)[0] ?? "";
  if (encoded !== "" && !encoded.startsWith("/")) return null;
  let decoded: string;
  try {
    decoded = decodeURIComponent(encoded === "" ? "/" : encoded);
  } catch {
    return null;
  }
  if (decoded.includes("\0")) return null;
  let depth = 0;
  for (const part of decoded.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return null;
  }
  return path.posix.normalize(decoded);
}
