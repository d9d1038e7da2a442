import { accessSync, constants, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { Fault } from "#core/errors";
import type { Json } from "#sandbox/kinds/definition";
import { isObject } from "#sandbox/kinds/json";
import { shareFieldSets } from "./field-sets.ts";
import { RECOVERING, type Salvage, salvage } from "./salvage.ts";

/**
 * Version of the tables below; a file of a newer version is refused, never changed. 2: a checksum with every object, and
 * a table with row ids, whose pages hold four times as many objects of a kilobyte.
 */
const SCHEMA_VERSION = 2;

const META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";
const OBJECTS = `CREATE TABLE objects (
  bucket TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL, crc INTEGER,
  PRIMARY KEY (bucket, key)
)`;

/** A log that was blown up by a burst of writes is cut back to this; free pages beyond half the file are given back. */
const LOG_BYTES = 16 * 1024 * 1024;
const VACUUM_PAGES = 1_000;
/** Far more than any writer can have got ahead of the last revision that a damaged file still shows. */
const REVISION_LEAP = 1_000_000;

export interface Row {
  readonly bucket: string;
  readonly key: string;
  readonly revision: number;
  readonly object: Json;
  readonly text: string;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly revision: number;
  readonly rows: readonly Row[];
  /** Set when the file was damaged: what was kept is in a new file, the damaged one is beside it. */
  readonly salvaged?: Salvage;
}

/**
 * Opens or makes the store's file and reads all of it. A damaged file is set aside, never deleted, and what can still be
 * read of it goes into a new one. Throws Fault `unavailable` with a sentence that names the file when it cannot be
 * written, is in use, was written by a newer version, or nothing in it can be read.
 */
export function openDatabase(path: string): Opened {
  try {
    if (path !== ":memory:") {
      mkdirSync(dirname(path), { recursive: true });
      // The process was killed between the two renamings of a recovery.
      if (!existsSync(path) && existsSync(`${path}${RECOVERING}`)) renameSync(`${path}${RECOVERING}`, path);
    }
    return openSound(path);
  } catch (thrown) {
    const fault = explain(thrown, path);
    if (fault.context.damaged !== true || path === ":memory:") throw fault;
    const salvaged = salvage(path, { create: createFile, readRow }, String(fault.context.why));
    if (salvaged === undefined) throw fault;
    return { ...openSound(path), salvaged };
  }
}

function openSound(path: string): Opened {
  const database = new DatabaseSync(path);
  try {
    // Exclusive: a second process on the same directory is told so instead of sharing it.
    database.exec("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE;");
    checkVersion(database, path);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${LOG_BYTES};`);
    migrate(database);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw damaged(path, String(check?.quick_check));
    const revision = Number(database.prepare("SELECT value FROM meta WHERE name = 'revision'").get()?.value ?? 0);
    const rows: Row[] = [];
    for (const row of database.prepare("SELECT bucket, key, revision, value, crc FROM objects").iterate()) {
      const read = readRow(row);
      if (read === undefined) throw damaged(path, `the object ${row.bucket} ${row.key} is not what was written`);
      rows.push(read);
    }
    giveBackSpace(database);
    return { database, revision, rows };
  } catch (thrown) {
    try {
      database.close();
    } catch {
      // The first failure is the one worth telling.
    }
    throw thrown;
  }
}

/** A file with these rows, complete on disk when it returns. */
function createFile(path: string, revision: number, rows: readonly Row[]): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA synchronous = FULL;");
    migrate(database);
    database.exec("BEGIN IMMEDIATE");
    const put = database.prepare(PUT);
    for (const row of rows) put.run(row.bucket, row.key, row.revision, row.text, crc32(row.text));
    const newest = rows.reduce((most, row) => Math.max(most, row.revision), revision);
    // Whoever saw a newer version than the file still shows must not meet its number again.
    database.prepare("UPDATE meta SET value = ? WHERE name = 'revision'").run(newest + REVISION_LEAP);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}

export const PUT = `INSERT INTO objects VALUES (?, ?, ?, ?, ?) ON CONFLICT (bucket, key)
  DO UPDATE SET revision = excluded.revision, value = excluded.value, crc = excluded.crc`;

function migrate(database: DatabaseSync): void {
  database.exec(`BEGIN IMMEDIATE; ${META}`);
  const columns = database.prepare("PRAGMA table_info(objects)").all();
  if (columns.length === 0) database.exec(OBJECTS);
  else if (!columns.some(({ name }) => name === "crc")) {
    database.exec(`
      ALTER TABLE objects RENAME TO objects1;
      ${OBJECTS};
      INSERT INTO objects SELECT bucket, key, revision, value, NULL FROM objects1;
      DROP TABLE objects1`);
  }
  database.prepare("INSERT OR REPLACE INTO meta VALUES ('schema', ?)").run(SCHEMA_VERSION);
  database.exec("INSERT OR IGNORE INTO meta VALUES ('revision', 0); COMMIT");
}

/** A row whose value is the object that was written; undefined for anything else. */
function readRow(row: Readonly<Record<string, unknown>>): Row | undefined {
  const { bucket, key, revision, value, crc } = row;
  if (typeof bucket !== "string" || typeof key !== "string" || typeof value !== "string") return undefined;
  if (typeof crc === "number" && crc !== crc32(value)) return undefined;
  const object = parse(value);
  if (object !== undefined) shareFieldSets(object);
  return object === undefined ? undefined : { bucket, key, revision: Number(revision), object, text: value };
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const metadata = isObject(value) ? value.metadata : undefined;
    return isObject(value) && isObject(metadata) && typeof metadata.name === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Pages that deletions left empty are reused; only when they are most of the file is it worth writing it anew. */
function giveBackSpace(database: DatabaseSync): void {
  const free = Number(database.prepare("PRAGMA freelist_count").get()?.freelist_count ?? 0);
  const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count ?? 0);
  if (pages < VACUUM_PAGES || free * 2 < pages) return;
  try {
    database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
  } catch {
    // A full disk: the store works as it is.
  }
}

function checkVersion(database: DatabaseSync, path: string): void {
  const known = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  if (known.length === 0) return;
  if (!known.some((table) => table.name === "meta")) {
    throw new Fault("unavailable", `the store ${path} is a database of something else: choose another data directory`, {
      context: { path },
    });
  }
  const schema = Number(database.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.value ?? 0);
  if (schema <= SCHEMA_VERSION) return;
  throw new Fault(
    "unavailable",
    `the store ${path} was written by a newer version of Berth (schema ${schema}, this one knows ${SCHEMA_VERSION}): ` +
      "update Berth, or use another data directory",
    { context: { path, schema } },
  );
}

function damaged(path: string, why: string): Fault {
  const reason = why.replace(/\s+/g, " ");
  return new Fault(
    "unavailable",
    `the store ${path} is damaged (${reason}) and nothing in it can be read: move the file away to start with an empty ` +
      "cluster, or put a copy back",
    { context: { path, why: reason, damaged: true } },
  );
}

function explain(thrown: unknown, path: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (/not a database|malformed|corrupt|disk I\/O|unsupported file format|no such column|no such table/i.test(text)) {
    return damaged(path, text);
  }
  // A file that may be written but says of itself that it may not (its format's version, file format §1.3).
  if (/readonly/i.test(text) && isWritable(path)) return damaged(path, text);
  if (/locked|busy/i.test(text)) {
    return new Fault("unavailable", `the store ${path} is in use by another process: stop that one first`, {
      context: { path },
    });
  }
  const full = /full/i.test(text) ? ": the disk is full, make room on it" : "";
  return new Fault("unavailable", `the data directory ${dirname(path)} cannot be written: ${text}${full}`, {
    cause: thrown,
    context: { path },
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
