import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogFile } from "#main/log-file";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "berth-log-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

it("keeps the newest lines in at most two files, across restarts of whoever writes", () => {
  const path = join(scratch, "child.log");
  for (let start = 0; start < 50; start++) {
    const log = new LogFile(path, 1000);
    for (let line = 0; line < 10; line++) log.line(`start ${start} line ${line}`);
    log.close();
    log.line("nobody reads this");
  }
  expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThanOrEqual(2000);
  expect(readFileSync(path, "utf8").trim().split("\n").at(-1)).toBe("start 49 line 9");
  expect(`${readFileSync(`${path}.1`, "utf8")}${readFileSync(path, "utf8")}`).not.toContain("nobody");
});

it("drops what cannot be written, and never throws", () => {
  const path = join(scratch, "taken");
  mkdirSync(path);
  const log = new LogFile(path);
  expect(() => log.line("x")).not.toThrow();
  expect(() => log.close()).not.toThrow();
  expect(existsSync(`${path}.1`)).toBe(false);
});
