import { describe, expect, it } from "vitest";
import { ROW_KEY, rowName } from "#api/dashboard/row-name";
import { type RowOf, TOPICS, type Topic } from "#api/dashboard/stream";
import { fold } from "#client/fold";
import { parseMessage } from "#client/wire";

const pool = (name: string, version = "1") => ({ name, resourceVersion: version }) as RowOf<"pools">;
const names = (rows: readonly RowOf<"pools">[]) => rows.map((row) => `${row.name}@${row.resourceVersion}`);
const delta = (upserts: unknown[], removes: string[] = []) =>
  ({ kind: "delta", topic: "pools", at: 1, upserts, removes }) as const;

describe("fold", () => {
  it("names rows by the same field as the contract, for every topic", () => {
    for (const topic of Object.keys(TOPICS) as Topic[]) {
      const expected = topic === "session" ? "session" : "the name";
      expect(rowName(topic, { [ROW_KEY[topic]]: "the name" })).toBe(expected);
    }
  });

  it.each([
    [
      "a snapshot replaces everything",
      [pool("a")],
      { kind: "snapshot", topic: "pools", at: 1, rows: [pool("b")] } as const,
      ["b@1"],
    ],
    ["an upsert keeps the row's place", [pool("a"), pool("b")], delta([pool("a", "2")]), ["a@2", "b@1"]],
    ["a new row goes to the end", [pool("b")], delta([pool("a")]), ["b@1", "a@1"]],
    ["a removed row leaves", [pool("a"), pool("b")], delta([], ["a"]), ["b@1"]],
    ["a row removed and made again in one batch stays", [pool("a")], delta([pool("a", "2")], ["a"]), ["a@2"]],
    ["a removal of what is not there changes nothing", [pool("a")], delta([], ["x"]), ["a@1"]],
    ["a delta before any snapshot starts from nothing", undefined, delta([pool("a")]), ["a@1"]],
  ] as const)("%s", (_what, before, message, after) => {
    expect(names(fold<"pools">(before, message as never))).toEqual(after);
  });

  it("keeps the identity of rows that did not change, so that they need not be drawn again", () => {
    const a = pool("a");
    const after = fold<"pools">([a, pool("b")], delta([pool("b", "2")]) as never);
    expect(after[0]).toBe(a);
  });

  it("keeps only the newest 500 events", () => {
    const rows = Array.from({ length: 700 }, (_, n) => ({ id: String(n) }) as RowOf<"activity">);
    const kept = fold<"activity">(undefined, { kind: "snapshot", topic: "activity", at: 1, rows: [...rows] });
    expect(kept).toHaveLength(500);
    expect(kept.at(-1)?.id).toBe("699");
  });

  it("holds one session, the newest", () => {
    const session = (cluster: string) => ({ cluster }) as RowOf<"session">;
    const message = { kind: "delta", topic: "session", at: 1, upserts: [session("b")], removes: [] } as const;
    expect(fold<"session">([session("a")], message as never)).toEqual([session("b")]);
    expect(fold<"session">([session("a")], { ...message, upserts: [] } as never)).toEqual([session("a")]);
  });
});

describe("parseMessage", () => {
  it.each([
    ["what is not JSON", "hello"],
    ["an unknown kind", '{"kind":"surprise"}'],
    ["a snapshot of an unknown topic", '{"kind":"snapshot","topic":"cats","at":1,"rows":[]}'],
  ])("ignores %s", (_what, text) => {
    expect(parseMessage(text)).toBeNull();
  });

  it("leaves out a row that does not fit its schema and counts it", () => {
    const activity = {
      id: "1",
      at: "2026-01-01T00:00:00Z",
      type: "Normal",
      reason: "r",
      object: "o",
      message: "m",
      component: "c",
      count: 1,
    };
    const parsed = parseMessage(
      JSON.stringify({ kind: "delta", topic: "activity", at: 1, upserts: [activity, { id: 2 }], removes: [] }),
    );
    expect(parsed?.dropped).toBe(1);
    expect(parsed?.message).toMatchObject({ upserts: [activity] });
  });
});
