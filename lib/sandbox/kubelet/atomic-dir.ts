import { mkdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { Fault } from "#core/errors";

type Files = ReadonlyMap<string, Uint8Array>;

/**
 * Makes `directory` show exactly `files`, all at once, as a kubelet does for
 * ConfigMaps and Secrets: the files live in a hidden directory, `..data` points
 * at it, and each top-level name is a link through `..data`. Returns whether anything changed.
 */
export async function writeAtomically(directory: string, files: Files, stamp: string): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  for (const name of files.keys()) refuseEscape(name);
  const current = await readlink(path.join(directory, "..data")).catch(() => null);
  if (current !== null && (await same(path.join(directory, current), files, current, directory))) return false;

  const fresh = `..${stamp}`;
  await rm(path.join(directory, fresh), { recursive: true, force: true });
  await mkdir(path.join(directory, fresh), { recursive: true });
  for (const [name, bytes] of files) {
    const file = path.join(directory, fresh, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes, { mode: 0o644 });
  }
  await writeFile(path.join(directory, fresh, INDEX), indexOf(files));
  await link(fresh, path.join(directory, "..data"));
  const wanted = tops(files);
  for (const top of wanted) await link(path.join("..data", top), path.join(directory, top));
  if (current !== null && current !== fresh) {
    const before = await readFile(path.join(directory, current, INDEX), "utf8").catch(() => "");
    for (const top of new Set(
      before
        .split("\n")
        .filter((name) => name !== "")
        .map(topOf),
    )) {
      if (!wanted.has(top)) await rm(path.join(directory, top), { force: true });
    }
    await rm(path.join(directory, current), { recursive: true, force: true });
  }
  return true;
}

/** Remembers which names a version held; hidden like everything that begins with "..". */
const INDEX = "..names";

async function same(at: string, files: Files, current: string, directory: string): Promise<boolean> {
  const index = await readFile(path.join(directory, current, INDEX), "utf8").catch(() => null);
  if (index !== indexOf(files)) return false;
  for (const [name, bytes] of files) {
    const existing = await readFile(path.join(at, name)).catch(() => null);
    if (existing === null || !existing.equals(bytes)) return false;
  }
  return true;
}

async function link(target: string, at: string): Promise<void> {
  const temporary = `${at}.tmp`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, at);
}

const indexOf = (files: Files) => [...files.keys()].toSorted().join("\n");
const topOf = (name: string) => name.split("/")[0] ?? name;
const tops = (files: Files) => new Set([...files.keys()].map(topOf));

function refuseEscape(name: string): void {
  const parts = name.split("/");
  const bad =
    name === "" || name.startsWith("/") || name.includes("\0") || parts.includes("..") || name.startsWith("..");
  if (bad)
    throw new Fault("invalid", `"${name}" is not a usable file name in a volume: it must be relative without ".."`);
}
