import { existsSync, renameSync, rmSync } from "node:fs";
import type { Row } from "./database.ts";
import { recordsOf, type Value } from "./pages.ts";

/** A complete new file on its way to the store's name; see `openDatabase`. */
export const RECOVERING = ".recovering";
const LOG_FILES = ["-wal", "-shm"];

/** What was done about a damaged file. */
export interface Salvage {
  readonly why: string;
  /** Where the damaged file is now. */
  readonly aside: string;
  readonly kept: number;
  /** Objects that were found but are not what was written. */
  readonly unreadable: number;
}

interface Helpers {
  /** Writes a new file, complete on disk when it returns. */
  create(path: string, revision: number, rows: readonly Row[]): void;
  readRow(row: Readonly<Record<string, Value | undefined>>): Row | undefined;
}

/**
 * Puts what can be read of a damaged file into a new one under its name and the damaged one aside, with its log. The
 * damaged file itself is never written. Undefined, and nothing changed, when no object can be read.
 */
export function salvage(path: string, helpers: Helpers, why: string): Salvage | undefined {
  const fresh = `${path}${RECOVERING}`;
  for (const suffix of ["", ...LOG_FILES]) rmSync(`${fresh}${suffix}`, { force: true });
  const { rows, revision, unreadable } = readAll(path, helpers);
  if (rows.size === 0) return undefined;
  helpers.create(fresh, revision, [...rows.values()]);
  const aside = freeName(`${path}.damaged`);
  for (const suffix of LOG_FILES)
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`);
  renameSync(path, aside);
  renameSync(fresh, path);
  return { why, aside, kept: rows.size, unreadable };
}

function readAll(path: string, { readRow }: Helpers) {
  const rows = new Map<string, Row>();
  let revision = 0;
  let unreadable = 0;
  for (const record of recordsOf(path)) {
    const [bucket, key, version, value, crc] = record;
    if (record.length === 2) {
      if (bucket === "revision" && typeof key === "number") revision = Math.max(revision, key);
      continue;
    }
    // The index by name has three.
    if (record.length < 4) continue;
    const row = readRow({ bucket, key, revision: version, value, crc });
    if (row === undefined) {
      unreadable++;
      continue;
    }
    // A page that lost its place in the tree may hold an older copy.
    const id = `${row.bucket}\n${row.key}`;
    if ((rows.get(id)?.revision ?? -1) < row.revision) rows.set(id, row);
  }
  return { rows, revision, unreadable };
}

function freeName(wanted: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!existsSync(name)) return name;
  }
}
