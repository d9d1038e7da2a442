import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import type { Json } from "#sandbox/kinds/definition";
import { openStore, type Store, type StoreEvent } from "#sandbox/store/sqlite";

const B = "/things";
const thing = (name: string, value = 0) => ({ metadata: { name }, value });

let dir: string;
let path: string;
const open: Store[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-store-"));
  path = join(dir, "store.sqlite");
});
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  rmSync(dir, { recursive: true, force: true });
});

function start(options: { path?: string; historyEvents?: number } = {}): Store {
  const store = openStore({ path, log: silentLog, ...options });
  open.push(store);
  return store;
}

function codeOf(task: () => unknown): string {
  try {
    task();
    return "no failure";
  } catch (thrown) {
    return Fault.from(thrown).code;
  }
}

describe("a store", () => {
  it("gives every write a higher revision and stamps it into the object", () => {
    const store = start();
    const first = store.put(B, "a", thing("a"), 0);
    const second = store.put(B, "b", thing("b"), 0);
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(JSON.parse(second.text).metadata.resourceVersion).toBe(`${second.revision}`);
  });

  it("lets only one of two writers of the same version win", () => {
    const store = start();
    const { revision } = store.put(B, "a", thing("a"), 0);
    store.put(B, "a", thing("a", 1), revision);
    expect(codeOf(() => store.put(B, "a", thing("a", 2), revision))).toBe("conflict");
    expect(codeOf(() => store.put(B, "a", thing("a", 2), 0))).toBe("already_exists");
    expect(codeOf(() => store.put(B, "x", thing("x"), revision))).toBe("not_found");
    expect(codeOf(() => store.remove(B, "a", revision))).toBe("conflict");
    expect(store.get(B, "a")?.object.value).toBe(1);
  });

  it("lists by key and by namespace, whatever the order of writing", () => {
    const store = start();
    for (const key of ["b/z", "a/y", "a-b/x", "b/a", "a/b"]) store.put(B, key, thing(key), 0);
    store.remove(B, "b/z", store.get(B, "b/z")?.revision ?? -1);
    expect(store.list(B).map((entry) => entry.key)).toEqual(["a-b/x", "a/b", "a/y", "b/a"]);
    expect(store.list(B, "a").map((entry) => entry.key)).toEqual(["a/b", "a/y"]);
  });

  it("finds everything again after it was closed, and counts on", async () => {
    const store = start();
    store.put(B, "a", thing("a", 7), 0);
    const gone = store.put(B, "b", thing("b"), 0);
    const last = store.remove(B, "b", gone.revision);
    await store.close();
    const again = start();
    expect(again.list(B).map((entry) => entry.object.value)).toEqual([7]);
    expect(again.revision).toBe(last.revision);
    expect(again.put(B, "c", thing("c"), 0).revision).toBe(last.revision + 1);
  });

  it("tells watchers each committed change once, in order, and only after the commit", async () => {
    const store = start();
    const seen: StoreEvent[] = [];
    store.subscribe(B, (events) => seen.push(...events));
    const a = store.put(B, "a", thing("a"), 0);
    store.put("/other", "x", thing("x"), 0);
    store.put(B, "a", thing("a", 1), a.revision);
    expect(seen).toEqual([]);
    await store.durable();
    expect(seen.map((event) => [event.key, event.before?.revision, event.revision])).toEqual([
      ["a", undefined, a.revision],
      ["a", a.revision, a.revision + 2],
    ]);
  });

  it("keeps one order for every listener when a listener writes and reads", () => {
    const store = start();
    const seen: number[] = [];
    store.subscribe(B, (events) => {
      if (events[0]?.key !== "a") return;
      store.put(B, "b", thing("b"), 0);
      store.flush();
    });
    store.subscribe(B, (events) => seen.push(...events.map((event) => event.revision)));
    store.put(B, "a", thing("a"), 0);
    store.flush();
    expect(seen).toEqual(seen.toSorted((x, y) => x - y));
    expect(seen).toHaveLength(2);
  });

  it("hands out history from any retained revision and says gone beyond", async () => {
    const store = start({ historyEvents: 5 });
    const revisions = Array.from({ length: 12 }, (_, i) => store.put(B, `k${i}`, thing("k"), 0).revision);
    store.flush();
    expect(store.since(B, revisions[9] ?? 0).map((event) => event.key)).toEqual(["k10", "k11"]);
    expect(store.since(B, store.revision)).toEqual([]);
    expect(codeOf(() => store.since(B, 1))).toBe("gone");
    expect(codeOf(() => store.since(B, store.revision + 1))).toBe("gone");
    await store.close();
    const again = start();
    expect(codeOf(() => again.since(B, again.revision - 1))).toBe("gone");
    expect(again.since(B, again.revision)).toEqual([]);
  });

  it("hands out old changes as they were told at their time", () => {
    const store = start();
    const told: StoreEvent[] = [];
    store.subscribe(B, (events) => told.push(...events));
    const first = store.put(B, "a", thing("a", 1), 0);
    const second = store.put(B, "a", thing("a", 2), first.revision);
    store.remove(B, "a", second.revision);
    store.flush();
    const plain = ({ now, before, last, ...rest }: StoreEvent) => ({
      ...rest,
      entries: [now, before, last].map((entry) => entry && [entry.key, entry.revision, entry.text, entry.object]),
    });
    expect(told).toHaveLength(3);
    expect(store.since(B, 0).map(plain)).toEqual(told.map(plain));
  });

  it("shares equal sets of managed fields among objects, also after it was opened again", async () => {
    const managed = (name: string) => ({
      metadata: { name, managedFields: [{ manager: "m", fieldsV1: { "f:data": { "f:a": {} } } }] },
    });
    const store = start();
    for (const name of ["a", "b"]) store.put(B, name, managed(name), 0);
    await store.close();
    const again = start();
    const [a, b] = again.list(B).map(({ object }) => (object as ReturnType<typeof managed>).metadata.managedFields[0]);
    expect(a?.fieldsV1).toEqual({ "f:data": { "f:a": {} } });
    expect(a?.fieldsV1).toBe(b?.fieldsV1);
  });

  it("remembers a quiet kind's changes however busy another is", () => {
    const store = start({ historyEvents: 5 });
    const first = store.put("/quiet", "a", thing("a"), 0);
    for (let i = 0; i < 50; i++) store.put(B, `k${i}`, thing("k"), 0);
    store.flush();
    expect(store.since("/quiet", first.revision - 1).map((event) => event.key)).toEqual(["a"]);
    expect(codeOf(() => store.since(B, first.revision))).toBe("gone");
  });

  it("undoes in memory what could not be committed, tells the writers, and goes on", async () => {
    const store = start();
    const kept = store.put(B, "kept", thing("kept"), 0);
    await store.durable();
    const seen: StoreEvent[] = [];
    store.subscribe(B, (events) => seen.push(...events));
    // A row that SQLite refuses, as a full disk would have it do: the key is no text.
    store.put(B, "new", thing("new"), 0);
    store.put(B, "kept", thing("kept", 1), kept.revision);
    store.put(B, ["bad"] as unknown as string, thing("bad"), 0);
    await expect(store.durable()).rejects.toMatchObject({ code: "unavailable" });
    expect(store.list(B).map((entry) => [entry.key, entry.object.value])).toEqual([["kept", 0]]);
    expect(seen).toEqual([]);
    store.put(B, "later", thing("later"), 0);
    await store.durable();
    expect(seen.map((event) => event.key)).toEqual(["later"]);
    expect(store.since(B, store.revision)).toEqual([]);
  });

  it("knows who has a value, after changes, removals and writes that were undone", async () => {
    const store = start();
    const of = (object: Json) => [`${object.value}`];
    const a = store.put(B, "a", thing("a", 1), 0);
    const holders = store.index(B, of);
    const now = () => Object.fromEntries([...holders].map(([value, keys]) => [value, [...keys].sort()]));
    store.put(B, "b", thing("b", 1), 0);
    expect(now()).toEqual({ 1: ["a", "b"] });
    const moved = store.put(B, "a", thing("a", 2), a.revision);
    expect(now()).toEqual({ 1: ["b"], 2: ["a"] });
    store.remove(B, "a", moved.revision);
    await store.durable();
    expect(now()).toEqual({ 1: ["b"] });
    store.put(B, "c", thing("c", 3), 0);
    store.put(B, ["bad"] as unknown as string, thing("bad"), 0);
    await expect(store.durable()).rejects.toMatchObject({ code: "unavailable" });
    expect(now()).toEqual({ 1: ["b"] });
    expect(store.index(B, of)).toBe(holders);
  });
});

describe("opening a store", () => {
  const message = () => {
    try {
      start();
      return "no failure";
    } catch (thrown) {
      return Fault.from(thrown).message;
    }
  };

  it("refuses a file of a newer version in words that name both", async () => {
    await start().close();
    const database = new DatabaseSync(path);
    database.exec("UPDATE meta SET value = 99 WHERE name = 'schema'");
    database.close();
    expect(message()).toMatch(/store\.sqlite was written by a newer version of Berth \(schema 99/);
  });

  it("says that a foreign database is not a store", () => {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE cats (name TEXT)");
    database.close();
    expect(message()).toContain("is a database of something else: choose another data directory");
  });

  it("refuses a store that another process uses", () => {
    start();
    expect(message()).toContain("is in use by another process");
  });

  it("says which directory cannot be written", () => {
    writeFileSync(join(dir, "file"), "");
    path = join(dir, "file", "store.sqlite");
    expect(message()).toContain(`the data directory ${join(dir, "file")} cannot be written`);
    if (process.getuid?.() === 0) return;
    chmodSync(dir, 0o500);
    path = join(dir, "below", "store.sqlite");
    expect(message()).toContain("cannot be written");
  });
});
