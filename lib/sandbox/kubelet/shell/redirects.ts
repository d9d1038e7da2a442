import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { Fault } from "#core/errors";
import type { ContainerFs } from "../container-fs.ts";
import type { Io, Sink } from "./state.ts";
import type { Redirect } from "./syntax.ts";

const MAX_FILE = 64 * 1024 * 1024;

/** The files that one command's redirections opened. */
export class OpenFiles {
  readonly #handles: FileHandle[] = [];

  add(handle: FileHandle): void {
    this.#handles.push(handle);
  }

  async close(): Promise<void> {
    for (const handle of this.#handles) await handle.close().catch(() => undefined);
  }
}

interface Place {
  readonly fs: ContainerFs;
  readonly cwd: string;
  readonly files: OpenFiles;
}

/** What a command reads and prints to after one more redirection. Faults say what is wrong with the file. */
export async function applyRedirect(redirect: Redirect, file: string, io: Io, place: Place): Promise<Io> {
  if (redirect.kind === "duplicate") {
    const source = redirect.from === 1 ? io.out : io.err;
    return redirect.fd === 1 ? { ...io, out: source } : { ...io, err: source };
  }
  if (redirect.kind === "read") {
    if (file === "/dev/null") return { ...io, stdin: new Uint8Array() };
    const at = await place.fs.resolve(file, place.cwd);
    return { ...io, stdin: await readFile(at).catch((error) => Promise.reject(ioFault(file, error))) };
  }
  const sink = device(file, io) ?? (await fileSink(file, redirect.kind, place));
  return redirect.fd === 1 ? { ...io, out: sink } : { ...io, err: sink };
}

async function fileSink(file: string, kind: "write" | "append", { fs, cwd, files }: Place): Promise<Sink> {
  const at = await fs.resolve(file, cwd);
  const absolute = file.startsWith("/") ? file : `${cwd}/${file}`;
  if (fs.readOnly(absolute)) throw new Fault("forbidden", `can't create ${file}: Read-only file system`);
  const mode = kind === "write" ? constants.O_TRUNC : constants.O_APPEND;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | mode;
  const handle = await open(at, flags, 0o644).catch((error) => Promise.reject(ioFault(file, error)));
  files.add(handle);
  let size = (await handle.stat()).size;
  return async (data) => {
    const bytes = Buffer.from(data);
    size += bytes.length;
    if (size > MAX_FILE) throw new Fault("invalid", `${file}: No space left on device (64 MiB a file)`);
    await handle.write(bytes);
  };
}

function device(file: string, io: Io): Sink | null {
  if (file === "/dev/null") return () => undefined;
  if (file === "/dev/stdout" || file === "/proc/1/fd/1") return io.out;
  if (file === "/dev/stderr" || file === "/proc/1/fd/2") return io.err;
  return null;
}

function ioFault(file: string, error: unknown): Fault {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory",
    EISDIR: "Is a directory",
    EACCES: "Permission denied",
    ENOTDIR: "Not a directory",
    ELOOP: "Permission denied",
  };
  return new Fault("invalid", `can't open ${file}: ${words[code] ?? (code || "I/O error")}`);
}
