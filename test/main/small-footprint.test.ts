import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shrinkFootprint, unchangedMappings } from "#main/small-footprint";

const mapping = (head: string, { anonymous = 0, dirty = 0 } = {}) =>
  [head, "Size: 8 kB", `Private_Dirty: ${dirty} kB`, `Anonymous: ${anonymous} kB`, "VmFlags: rd ex mr"].join("\n");
const START = { start: 0x400000n, end: 0x402000n };

describe("the pages a process may forget", () => {
  it.each([
    ["of a program's code", "00400000-00402000 r-xp 00001000 08:01 12 /usr/bin/node", {}, [START]],
    ["of a library's constants", "00400000-00402000 r--p 00001000 08:01 12 /lib/libc.so.6", {}, [START]],
    [
      "never those that were changed, as by the loader",
      "00400000-00402000 r--p 0 08:01 12 /bin/x",
      { anonymous: 4 },
      [],
    ],
    ["never those with changes not yet written", "00400000-00402000 r-xp 0 08:01 12 /bin/x", { dirty: 4 }, []],
    ["never those that can be written", "00400000-00402000 rw-p 0 08:01 12 /bin/x", {}, []],
    ["never those shared with others", "00400000-00402000 r--s 0 08:01 12 /bin/x", {}, []],
    ["never memory without a file", "00400000-00402000 r-xp 00000000 00:00 0 ", {}, []],
    ["never the kernel's own", "00400000-00402000 r-xp 00000000 00:00 0 [vdso]", {}, []],
  ])("are %s", (_name, head, pages, expected) => {
    expect(unchangedMappings(`${mapping(head, pages)}\n`)).toEqual(expected);
  });

  it.skipIf(process.platform !== "linux")("are forgotten, and come back when they are needed", async () => {
    expect(unchangedMappings(readFileSync("/proc/self/smaps", "utf8")).length).toBeGreaterThan(0);
    const fileKb = () => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
    const before = fileKb();
    await shrinkFootprint();
    expect(fileKb()).toBeLessThan(before);
    expect(JSON.parse(JSON.stringify({ still: [1, 2n.toString()] }))).toEqual({ still: [1, "2"] });
  });
});
