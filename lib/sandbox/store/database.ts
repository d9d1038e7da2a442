import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "#core/errors";

/** Version of the tables below; a file of a newer version is refused, never changed. */
export const SCHEMA_VERSION = 1;

const TABLES = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
`;

export interface Row {
  readonly bucket: string;
  readonly key: string;
  readonly revision: number;
  readonly value: string;
}

/**
 * Opens or makes the store's file and reads all of it. Throws Fault `unavailable` with a sentence that names
 * the file when it cannot be written, is in use, is damaged, or was written by a newer version.
 */
export function openDatabase(path: string): { database: DatabaseSync; revision: number; rows: readonly Row[] } {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    database = new DatabaseSync(path);
    // Exclusive: a second process on the same directory is told so instead of sharing it.
    database.exec("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE;");
    checkVersion(database, path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    database.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw damaged(path, String(check?.quick_check));
    const set = database.prepare("INSERT OR IGNORE INTO meta VALUES (?, ?)");
    set.run("schema", SCHEMA_VERSION);
    set.run("revision", 0);
    const revision = Number(database.prepare("SELECT value FROM meta WHERE name = 'revision'").get()?.value ?? 0);
    const rows: Row[] = [];
    for (const row of database.prepare("SELECT bucket, key, revision, value FROM objects").iterate()) {
      rows.push({
        bucket: String(row.bucket),
        key: String(row.key),
        revision: Number(row.revision),
        value: String(row.value),
      });
    }
    return { database, revision, rows };
  } catch (thrown) {
    try {
      database?.close();
    } catch {
      // The first failure is the one worth telling.
    }
    throw explain(thrown, path);
  }
}

function checkVersion(database: DatabaseSync, path: string): void {
  const known = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  if (known.length === 0) return;
  if (!known.some((table) => table.name === "meta")) throw damaged(path, "it is a database of something else");
  const schema = Number(database.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.value ?? 0);
  if (schema <= SCHEMA_VERSION) return;
  throw new Fault(
    "unavailable",
    `the store ${path} was written by a newer version of Berth (schema ${schema}, this one knows ${SCHEMA_VERSION}): ` +
      "update Berth, or use another data directory",
    { context: { path, schema } },
  );
}

export function damaged(path: string, why: string): Fault {
  return new Fault(
    "unavailable",
    `the store ${path} is damaged (${why.replace(/\s+/g, " ")}): move the file away to start with an empty cluster, or put a copy back`,
    { context: { path } },
  );
}

function explain(thrown: unknown, path: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (/not a database|malformed|corrupt|disk I\/O/i.test(text)) return damaged(path, text);
  if (/locked|busy/i.test(text)) {
    return new Fault("unavailable", `the store ${path} is in use by another process: stop that one first`, {
      context: { path },
    });
  }
  return new Fault("unavailable", `the data directory ${dirname(path)} cannot be written: ${text}`, {
    cause: thrown,
    context: { path },
  });
}
