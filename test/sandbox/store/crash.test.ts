import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";

const WRITER = join(import.meta.dirname, "crash-writer.ts");

it("every acknowledged write survives kill -9, three times in a row on one file", { timeout: 120_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "berth-crash-"));
  const path = join(dir, "store.sqlite");
  try {
    let before = 0;
    for (const round of [1, 2, 3]) {
      const acknowledged = await runAndKill(path, 400 * round);
      const store = openStore({ path, log: silentLog });
      const values = new Map(store.list("/things").map((entry) => [entry.key, entry.object.value]));
      const newest = new Map(acknowledged.map(({ key, value }) => [key, value]));
      for (const [key, value] of newest) expect(Number(values.get(key))).toBeGreaterThanOrEqual(value);
      expect(store.revision).toBeGreaterThanOrEqual(acknowledged.at(-1)?.revision ?? 0);
      expect(store.revision).toBeGreaterThan(before);
      before = store.revision;
      await store.close();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

interface Line {
  readonly revision: number;
  readonly key: string;
  readonly value: number;
}

function runAndKill(path: string, lines: number): Promise<readonly Line[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, path], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    let count = 0;
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.stdout.on("data", (chunk) => {
      out += chunk;
      count += String(chunk).split("\n").length - 1;
      if (count >= lines) child.kill("SIGKILL");
    });
    child.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`the writer ended by itself: ${err}`));
      const whole = out.slice(0, out.lastIndexOf("\n")).split("\n");
      resolve(
        whole.map((line) => {
          const [revision, key = "", value] = line.split(" ");
          return { revision: Number(revision), key, value: Number(value) };
        }),
      );
    });
  });
}
