import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Fault } from "#core/errors";
import { claimDataDir, type DataDir, openDataDir, writeKubeconfig } from "#main/data-dir";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "berth-dir-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function otherKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The sentence of a refusal. */
async function refusal(task: () => Promise<unknown>): Promise<string> {
  const thrown: unknown = await task().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(Fault);
  const { code, message } = Fault.from(thrown);
  expect(code).toBe("invalid");
  expect(message).not.toContain("\n");
  return message;
}

describe("the data directory", () => {
  it("is made, with everything in it for its owner only, and is the same when opened again", async () => {
    const path = join(scratch, "a b/c".padEnd(120, "d"), "data");
    const first = await openDataDir(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "pki/tokens.json")).mode & 0o777).toBe(0o600);
    expect(await openDataDir(path)).toEqual(first);
  });

  const damages: readonly [name: string, damage: (path: string) => void, says: RegExp][] = [
    [
      "half a token file",
      (path) => writeFileSync(join(path, "pki/tokens.json"), '{"admin": "x"'),
      /tokens\.json is damaged/,
    ],
    [
      "empty tokens, with which everybody could come in",
      (path) => writeFileSync(join(path, "pki/tokens.json"), '{"admin":"","viewer":"","nodes":"","signingKey":""}'),
      /tokens\.json is damaged/,
    ],
    [
      "a certificate that is none",
      (path) => writeFileSync(join(path, "pki/server.json"), '{"ca":"x","cert":"y","key":"z"}'),
      /server\.json is damaged/,
    ],
    [
      "a key of another certificate",
      (path) => {
        const file = join(path, "pki/server.json");
        const mine = JSON.parse(readFileSync(file, "utf8"));
        writeFileSync(file, JSON.stringify({ ...mine, key: otherKey() }));
      },
      /server\.json is damaged/,
    ],
    [
      "a version that is none",
      (path) => writeFileSync(join(path, "version"), "-1\n"),
      /says "-1", which is no version/,
    ],
    ["an empty version", (path) => writeFileSync(join(path, "version"), ""), /says "", which is no version/],
    ["a newer version", (path) => writeFileSync(join(path, "version"), "99\n"), /version 99, made by a newer Berth/],
    [
      "a directory where the version belongs",
      (path) => {
        rmSync(join(path, "version"));
        mkdirSync(join(path, "version"));
      },
      /cannot be written \(EISDIR/,
    ],
    [
      "a file where the logs belong",
      (path) => {
        rmSync(join(path, "logs"), { recursive: true });
        writeFileSync(join(path, "logs"), "");
      },
      /cannot be written \(EEXIST at .*logs\)/,
    ],
  ];
  it.each(damages)("with %s is refused in one sentence", async (_name, damage, says) => {
    await openDataDir(scratch);
    damage(scratch);
    expect(await refusal(() => openDataDir(scratch))).toMatch(says);
  });

  it.each([["/dev/null"], ["/dev/null/data"], ["/proc/berth"], ["/proc/berth/data"]])(
    "cannot be %s, and finding that out takes no time",
    async (path) => {
      expect(await refusal(() => openDataDir(path))).toMatch(/cannot be written/);
    },
  );

  it("says so when the kubeconfig cannot be written", async () => {
    const dir: DataDir = await openDataDir(scratch);
    mkdirSync(dir.kubeconfig);
    expect(await refusal(async () => writeKubeconfig(dir, 16443))).toMatch(/cannot be written .*kubeconfig/);
  });

  it("is claimed by one process at a time, and a claim that cannot be read is nobody's", async () => {
    const { run } = await openDataDir(scratch);
    const other = { pid: process.ppid, startTime: readFileSync(`/proc/${process.ppid}/stat`, "utf8") };
    other.startTime = other.startTime.slice(other.startTime.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    writeFileSync(join(run, "up.json"), JSON.stringify(other));
    expect(await refusal(() => claimDataDir(run))).toContain(`process ${process.ppid}`);
    writeFileSync(join(run, "up.json"), "junk");
    const leave = await claimDataDir(run);
    rmSync(run, { recursive: true });
    expect(leave).not.toThrow();
  });
});
