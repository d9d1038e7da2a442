import { describe, expect, it } from "vitest";
import { logLine } from "#client/log-line";

describe("a line of a log", () => {
  it("of a component becomes time, level, message and facts", () => {
    const raw =
      '{"ts":"2026-01-01T10:00:00.201Z","level":"warn","part":"members","msg":"lost","node":"node-02","age":3}';
    const line = logLine(raw);
    expect(line).toMatchObject({ level: "warn", text: "members: lost  node=node-02  age=3" });
    expect(line.time).toMatch(/^\d\d:\d\d:00\.201$/);
  });
  it.each(["plain words", "{ not json", '{"no":"message"}', "", '{"msg":7}'])("%j stays as it is", (raw) => {
    expect(logLine(raw)).toEqual({ time: "", level: null, text: raw });
  });
  it("without a time has none", () => {
    expect(logLine('{"msg":"up","level":"loud"}')).toEqual({ time: "", level: null, text: "up" });
  });
});
