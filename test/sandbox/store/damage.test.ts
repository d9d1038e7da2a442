import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import { openStore, type Store } from "#sandbox/store/sqlite";
import { fc } from "../../support/random.ts";

const OBJECTS = 400;
const dir = mkdtempSync(join(tmpdir(), "berth-damage-"));
const path = join(dir, "store.sqlite");
const written = new Map<string, string>();
let sound: Buffer;
let revision: number;

const open = () => openStore({ path, log: silentLog });
const contents = (store: Store) => store.list("/things").map((entry) => [entry.key, entry.text] as const);

beforeAll(async () => {
  const store = open();
  for (let i = 0; i < OBJECTS; i++) {
    const name = `thing-${String(i * 7919).padStart(8, "0")}`;
    const entry = store.put("/things", name, { metadata: { name }, text: `${i} `.repeat(50 + (i % 7) * 200) }, 0);
    written.set(name, entry.text);
  }
  await store.close();
  sound = readFileSync(path);
  revision = store.revision;
});
beforeEach(() => {
  for (const name of readdirSync(dir)) rmSync(join(dir, name));
  writeFileSync(path, sound);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Opens the damaged file, checks that nothing in it is invented and that it is kept; how many objects were saved. */
async function saved(): Promise<number> {
  const before = readFileSync(path);
  let store: Store;
  try {
    store = open();
  } catch (thrown) {
    expect(Fault.from(thrown)).toMatchObject({ code: "unavailable", message: expect.stringContaining(path) });
    expect(readFileSync(path).equals(before)).toBe(true);
    return 0;
  }
  const kept = contents(store);
  for (const [key, text] of kept) expect(text === written.get(key), `${key} is as it was written`).toBe(true);
  const aside = `${path}.damaged`;
  if (existsSync(aside)) {
    expect(readFileSync(aside).equals(before)).toBe(true);
    expect(store.revision).toBeGreaterThan(revision);
  } else expect(kept).toHaveLength(OBJECTS);
  store.put("/things", "new", { metadata: { name: "new" } }, 0);
  await store.close();
  const again = open();
  expect(again.count("/things")).toBe(kept.length + 1);
  await again.close();
  expect(readdirSync(dir).filter((name) => /salvage|recovering/.test(name))).toEqual([]);
  return kept.length;
}

function overwrite(at: number, bytes: Buffer): void {
  const copy = Buffer.from(sound);
  bytes.copy(copy, at);
  writeFileSync(path, copy);
}

describe("a damaged store", () => {
  it("keeps all but a few objects when any single byte is another one", { timeout: 60_000 }, async () => {
    const place = fc.integer({ min: 0, max: sound.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, by) => {
        for (const name of readdirSync(dir)) rmSync(join(dir, name));
        overwrite(at, Buffer.from([(sound[at] ?? 0) ^ by]));
        expect(await saved()).toBeGreaterThan(OBJECTS * 0.8);
      }),
      { numRuns: 30 },
    );
  });

  it("keeps what is before the end of a file that was cut off", async () => {
    truncateSync(path, Math.floor(sound.length / 8) * 4);
    expect(await saved()).toBeGreaterThan(OBJECTS / 4);
  });

  it("keeps the objects when the head of the file is gone", async () => {
    overwrite(0, Buffer.alloc(600, 0xaa));
    expect(await saved()).toBe(OBJECTS);
  });

  it("keeps what is around a hole of zeros", async () => {
    overwrite(Math.floor(sound.length / 2), Buffer.alloc(40_000));
    expect(await saved()).toBeGreaterThan(OBJECTS / 2);
  });

  it("notices an object that is no longer what was written, though the file is sound", async () => {
    const at = sound.indexOf("7 7 7 7 7");
    overwrite(at, Buffer.from("8"));
    expect(await saved()).toBe(OBJECTS - 1);
  });

  it("is refused, untouched, when nothing in it can be read", async () => {
    writeFileSync(path, "this is not a database, however long one looks at it".repeat(100));
    expect(await saved()).toBe(0);
    expect(readdirSync(dir)).toEqual(["store.sqlite"]);
  });

  it("is set aside under a name of its own each time", async () => {
    for (const name of ["store.sqlite.damaged", "store.sqlite.damaged-2"]) {
      writeFileSync(path, sound);
      overwrite(sound.indexOf("7 7 7 7 7"), Buffer.from("8"));
      await open().close();
      expect(existsSync(join(dir, name))).toBe(true);
    }
  });

  it("is taken up where a recovery was killed between its two renamings", async () => {
    writeFileSync(`${path}.recovering`, sound);
    rmSync(path);
    const store = open();
    expect(store.count("/things")).toBe(OBJECTS);
    await store.close();
  });
});

describe("a store of schema 1", () => {
  it("is read, and gets checksums with its next writes", async () => {
    for (const name of readdirSync(dir)) rmSync(join(dir, name));
    const old = new DatabaseSync(path);
    old.exec(`
      CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE objects (bucket TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (bucket, key)) WITHOUT ROWID;
      INSERT INTO meta VALUES ('schema', 1), ('revision', 7);
      INSERT INTO objects VALUES ('/things', 'a', 7, '{"metadata":{"name":"a","resourceVersion":"7"}}');`);
    old.close();
    const store = open();
    expect([store.revision, store.count("/things")]).toEqual([7, 1]);
    store.put("/things", "a", { metadata: { name: "a" } }, 7);
    await store.close();
    const now = new DatabaseSync(path);
    expect(now.prepare("SELECT revision, crc IS NULL AS bare FROM objects").get()).toEqual({ revision: 8, bare: 0 });
    now.close();
  });
});
