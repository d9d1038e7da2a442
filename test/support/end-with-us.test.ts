import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { eventually } from "./berth.ts";

/** A process with a companion that ends by itself only after a minute; `more` is what it does then. */
function program(more: string): string {
  return `
    const { spawn } = await import("node:child_process");
    const { endWithUs } = await import(${JSON.stringify(new URL("./end-with-us.ts", import.meta.url).href)});
    const child = spawn("sleep", ["60"]);
    endWithUs({ kill: () => child.kill("SIGKILL"), stop: async () => console.log("in order") });
    // As a browser's driver does: it listens, and does not end the process.
    process.on("SIGTERM", () => undefined);
    const held = setInterval(() => undefined, 1000);
    console.log(child.pid);
    ${more}`;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const rows = [
  { says: "SIGTERM", signal: "SIGTERM", more: "", ends: { code: null, signal: "SIGTERM", inOrder: true } },
  { says: "Ctrl-C", signal: "SIGINT", more: "", ends: { code: null, signal: "SIGINT", inOrder: true } },
  { says: "a throw", more: 'throw new Error("no");', ends: { code: 1, signal: null, inOrder: false } },
  {
    says: "its own end",
    more: "clearInterval(held); child.unref(); for (const stream of child.stdio) stream?.destroy();",
    ends: { code: 0, signal: null, inOrder: false },
  },
] as const;

describe("what must end with a process is gone after", () => {
  it.each(rows)("$says", async ({ more, ends, ...row }) => {
    const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", program(more)]);
    let said = "";
    child.stdout.on("data", (data) => {
      said += data;
    });
    const ended = once(child, "close");
    const pid = await eventually(
      "the pid of the companion",
      15_000,
      async () => Number(/^\d+\n/.exec(said)?.[0]) || null,
    );
    if ("signal" in row) child.kill(row.signal);
    const [code, signal] = await ended;
    expect({ code, signal, inOrder: said.includes("in order") }).toEqual(ends);
    await eventually("the companion to be gone", 15_000, async () => (isThere(pid) ? null : true));
  });
});
