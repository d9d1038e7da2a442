import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SETUP = "lib/main/setup.mjs";
const PACKAGES = ["package.json", "package-lock.json"] as const;
/** Stands for Next's build and for Berth: each leaves a line of what it was asked for. */
const NOTES = `import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
appendFileSync("asked", process.argv.slice(2).join(" ") + "\\n");
if (process.argv[2] === "build") { mkdirSync(".next", { recursive: true }); writeFileSync(".next/BUILD_ID", "1"); }
`;

describe("a set-up of what is set up", () => {
  let root = "";
  const write = (path: string, text = "") => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const touch = (path: string, seconds: number) => {
    write(path);
    const at = Date.now() / 1000 + seconds;
    utimesSync(join(root, path), at, at);
  };
  /** What it asked others to do. */
  const setUp = () => {
    rmSync(join(root, "asked"), { force: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [SETUP, "start"], { cwd: root, encoding: "utf8" });
    const asked = existsSync(join(root, "asked")) ? readFileSync(join(root, "asked"), "utf8").trim().split("\n") : [];
    return { status, asked, stdout, stderr };
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "berth-setup-"));
    mkdirSync(join(root, "lib/main"), { recursive: true });
    cpSync(SETUP, join(root, SETUP));
    const stamp = createHash("sha256");
    write("package-lock.json", "{}");
    write("package.json", '{"type": "module"}');
    for (const file of PACKAGES.toReversed()) stamp.update(readFileSync(join(root, file)));
    write("node_modules/.berth-setup", stamp.digest("hex"));
    write("node_modules/next/dist/bin/next", NOTES);
    write("node_modules/next/package.json", '{"type": "module"}');
    write("bin/berth.mjs", NOTES);
    for (const file of ["app/page.tsx", "lib/client/sort.ts", "lib/speaker/speaker.ts"]) touch(file, -3600);
    expect(setUp()).toMatchObject({ status: 0, asked: ["build", "controller --help", "speaker --help"] });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("asks for nothing and says nothing", () => {
    expect(setUp()).toEqual({ status: 0, asked: [], stdout: "", stderr: "" });
  });

  it.each([
    ["a page is newer: the dashboard is built again", "app/page.tsx", ["build"]],
    ["a new page: the dashboard is built", "app/pools/page.tsx", ["build"]],
    [
      "code that both use is newer: everything is built again",
      "lib/client/sort.ts",
      ["build", "controller --help", "speaker --help"],
    ],
    [
      "the speaker is newer: the dashboard is as it was",
      "lib/speaker/speaker.ts",
      ["controller --help", "speaker --help"],
    ],
  ])("%s", (_, file, asked) => {
    touch(file, 60);
    expect(setUp()).toMatchObject({ status: 0, asked });
  });
});
