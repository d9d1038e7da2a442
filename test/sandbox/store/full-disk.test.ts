import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";

const WRITER = join(import.meta.dirname, "full-disk-writer.ts");
/** Soft limit on the size of a file, in blocks of 512 octets; the kernel's signal for it is ignored, so that writes fail. */
const LIMITED = `ulimit -S -f 4096; trap "" XFSZ; exec "$@"`;

it("says that the disk is full, keeps what was acknowledged, and goes on when there is room", {
  timeout: 60_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "berth-full-"));
  const path = join(dir, "store.sqlite");
  const child = spawn("sh", ["-c", LIMITED, "sh", process.execPath, WRITER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const kept: string[] = [];
    let full = "";
    let done = "";
    for await (const line of createInterface({ input: child.stdout })) {
      const [what = "", ...rest] = line.split(" ");
      if (what === "kept") kept.push(rest.join(" "));
      if (what === "full") {
        full = rest.join(" ");
        execFileSync("prlimit", ["--pid", `${child.pid}`, "--fsize=unlimited"]);
      }
      if (what === "done") {
        done = rest.join(" ");
        break;
      }
    }
    expect(full).toMatch(/^true the store could not be written: .*make room on the disk that holds the data directory/);
    expect(Number(done)).toBe(kept.length);
    child.kill("SIGKILL");
    await exited;
    const store = openStore({ path, log: silentLog });
    expect(new Set(store.list("/things").map(({ key }) => key))).toEqual(new Set(kept));
    await store.close();
  } finally {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
});
