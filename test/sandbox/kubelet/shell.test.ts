// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "#runtime/clock";
import { ContainerFs } from "#sandbox/kubelet/container-fs";
import { runShell } from "#sandbox/kubelet/shell/run";

let directory = "";
let fs: ContainerFs;
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "berth-shell-"));
  const volumes = path.join(directory, "volumes");
  for (const name of ["data", "config"]) mkdirSync(path.join(volumes, name), { recursive: true });
  writeFileSync(path.join(volumes, "config", "key"), "value");
  writeFileSync(path.join(directory, "secret"), "outside");
  fs = new ContainerFs({
    root: path.join(directory, "root"),
    volumes,
    mounts: [
      { path: "/opt/nginx", host: path.join(volumes, "data"), readOnly: false },
      { path: "/etc/config", host: path.join(volumes, "config"), readOnly: true },
    ],
  });
  await fs.prepare();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A clock whose waits are over at once. */
const hurried: Clock = { ...systemClock, schedule: (_ms, task) => systemClock.schedule(0, task) };

async function sh(script: string, options: { env?: Record<string, string>; signal?: AbortSignal; clock?: Clock } = {}) {
  const [out, err]: string[][] = [[], []];
  const into = (sink: string[] | undefined) => (data: string | Uint8Array) => {
    sink?.push(Buffer.from(data).toString());
  };
  const code = await runShell(script, {
    host: {
      fs,
      clock: options.clock ?? hurried,
      signal: options.signal ?? new AbortController().signal,
      programs: new Map(),
      hostname: "pod-1",
    },
    io: { stdin: null, out: into(out), err: into(err) },
    env: options.env ?? {},
    parameters: ["sh", "one", "two words"],
    cwd: "/",
  });
  return { code, out: out?.join("") ?? "", err: err?.join("") ?? "" };
}

const env = { POD_NAME: "nginx-app-1", NODE_NAME: "node-01", EMPTY: "", SPACED: "a  b" };
const outputs: readonly (readonly [name: string, script: string, output: string])[] = [
  [
    "expands variables in double quotes and keeps a real tab",
    'echo "POD: ${POD_NAME}\t NODE: ${NODE_NAME}"',
    "POD: nginx-app-1\t NODE: node-01\n",
  ],
  ["leaves single quotes alone", "echo '$POD_NAME \"x\"'", '$POD_NAME "x"\n'],
  ["does not interpret escapes without -e", String.raw`echo "a\tb"`, "a\\tb\n"],
  ["interprets escapes with -e", String.raw`echo -e "a\tb\x41\c gone"`, "a\tbA"],
  ["omits the line break with -n", "echo -n x; echo y", "xy\n"],
  ["splits unquoted variables at blanks and drops empty ones", "echo $SPACED $EMPTY end", "a b end\n"],
  ["keeps quoted variables whole, even empty ones", 'printf "[%s]" "$SPACED" "$EMPTY" x', "[a  b][][x]"],
  [
    "uses fallbacks of unset and empty variables",
    'echo ${NOPE:-none} ${EMPTY:-empty} "${EMPTY-kept}" ${POD_NAME:-x}',
    "none empty  nginx-app-1\n",
  ],
  ["escapes with a backslash", String.raw`echo \$POD_NAME a\ \ b`, "$POD_NAME a  b\n"],
  ["joins commands by && and ||", "true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n"],
  ["negates with !", "! false && echo yes", "yes\n"],
  ["tells the last status", "false; echo $?", "1\n"],
  ["runs while loops", "i=x; while [ $i != xxxx ]; do i=${i}x; echo $i; done", "xx\nxxx\nxxxx\n"],
  ["runs until loops, break and continue", "until false; do echo once; break; echo never; done", "once\n"],
  ["runs for loops over words", "for n in a 'b c' $POD_NAME; do echo \"<$n>\"; done", "<a>\n<b c>\n<nginx-app-1>\n"],
  ["chooses among if, elif and else", "if false; then echo a; elif test -n x; then echo b; else echo c; fi", "b\n"],
  ["groups commands and redirects them together", "{ echo a; echo b; } > /tmp/f; cat /tmp/f", "a\nb\n"],
  ["substitutes commands", 'echo "on $(hostname), $(echo -n $(echo deep))"', "on pod-1, deep\n"],
  ["knows comments and continued lines", "echo a # not this\n  # nor this\necho b \\\n c", "a\nb c\n"],
  ["passes parameters", 'echo $0 $# "$2"; for p in "$@"; do echo "[$p]"; done', "sh 2 two words\n[one]\n[two words]\n"],
  ["runs a nested sh -c with what is exported", "export A=1; sh -c 'echo $A $0 $1' name arg", "1 name arg\n"],
  ["uses assignments for one command only", "A=1; A=2 sh -c true; echo $A", "1\n"],
  [
    "sends stderr where stdout goes",
    "cat /nope > /tmp/log 2>&1; cat /tmp/log",
    "cat: can't open '/nope': No such file or directory\n",
  ],
  ["writes, appends and reads files", "mkdir -p /a/b && echo 1 > /a/b/f; echo 2 >> /a/b/f; cat < /a/b/f", "1\n2\n"],
  ["repeats a printf format", String.raw`printf '%s=%03d\n' a 1 b 22`, "a=001\nb=022\n"],
  ["compares numbers", "[ 10 -gt 9 ] && [ 2 -le 2 ] && echo yes", "yes\n"],
  ["knows what is a file and what a directory", "[ -d /opt/nginx ] && [ ! -f /opt/nginx ] && echo ok", "ok\n"],
];

describe("the small shell", () => {
  it.each(outputs)("%s", async (_name, script, output) => {
    expect(await sh(script, { env })).toMatchObject({ out: output, err: "" });
  });

  it("writes into a shared volume as the demo's init container does", async () => {
    const script = 'echo "POD: ${POD_NAME}\t NODE: ${NODE_NAME}" > /opt/nginx/index.html';
    expect(await sh(script, { env })).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(path.join(directory, "volumes/data/index.html"), "utf8")).toBe(
      "POD: nginx-app-1\t NODE: node-01\n",
    );
  });

  it.each([
    ["exits as told", "exit 3; echo no", 3, ""],
    ["exits with the last status", "true; false", 1, ""],
    ["stops at the first failure with set -e", "set -e; if false; then :; fi; false || true; false; exit 9", 1, ""],
    [
      "ends with 127 for an unknown command, even before ||",
      "nosuch --flag || true",
      127,
      'command "nosuch": not supported',
    ],
    ["ends with 127 for a pipe, before anything ran", "echo a | cat", 127, "pipes (|)"],
    ["ends with 127 for background jobs", "sleep 1 & wait", 127, "background jobs"],
    ["ends with 127 for arithmetic", "echo $((1+1))", 127, "arithmetic"],
    ["ends with 2 for an unfinished loop", "while true; do echo", 2, '"done" is missing'],
    ["ends with 2 for an open quote", 'echo "abc', 2, "unterminated quoted string"],
  ] as const)("%s", async (_name, script, code, message) => {
    const result = await sh(script);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  it.each([
    ["by ..", "cat /../../secret; cat ../../../secret"],
    ["by a symbolic link in a volume", "cat /opt/nginx/out"],
    ["by writing through a dangling link", "echo x > /opt/nginx/dangling"],
    ["by changing directory", "cd ../../..; cat secret"],
  ])("never leaves the container %s", async (_name, script) => {
    symlinkSync(path.join(directory, "secret"), path.join(directory, "volumes/data/out"));
    symlinkSync(path.join(directory, "created"), path.join(directory, "volumes/data/dangling"));
    const { code, out, err } = await sh(script);
    expect(out).toBe("");
    expect(err).toMatch(/No such file|Permission denied/);
    expect(code).toBe(1);
    expect(() => readFileSync(path.join(directory, "created"))).toThrow();
  });

  it("does not write where a volume is read-only", async () => {
    expect(await sh("echo x > /etc/config/key; touch /etc/config/new; cat /etc/config/key")).toEqual({
      code: 0,
      out: "value",
      err: "sh: can't create /etc/config/key: Read-only file system\ntouch: /etc/config/new: Read-only file system\n",
    });
  });

  it("ends a sleep and an endless loop at once when it is stopped", async () => {
    for (const script of ["sleep infinity", "while true; do sleep 1000; done", "while true; do :; done"]) {
      const stop = new AbortController();
      const running = sh(script, { signal: stop.signal, clock: systemClock });
      setTimeout(() => stop.abort("terminated"), 30);
      expect((await running).code).toBe(143);
    }
  });
});
