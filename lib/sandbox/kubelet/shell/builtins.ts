import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { evaluateTest } from "./conditions.ts";
import { escapes, formatPrintf } from "./printf.ts";
import { type Call, ExitShell, LoopControl, type Program } from "./state.ts";

/** The commands of the small shell. Anything else is "not supported" and ends the container with 127. */
export const BUILTINS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ["echo", echo],
  ["printf", printf],
  ["sleep", doSleep],
  ["cat", cat],
  ["true", () => 0],
  [":", () => 0],
  ["false", () => 1],
  ["exit", exit],
  ["break", (call) => control(call, "break")],
  ["continue", (call) => control(call, "continue")],
  ["mkdir", makeDirectory],
  ["rm", remove],
  ["touch", touch],
  ["ls", list],
  ["test", (call) => evaluateTest(call, call.args)],
  ["[", bracket],
  ["pwd", async ({ io, state }) => print(io.out, `${state.cwd}\n`)],
  ["cd", changeDirectory],
  ["export", assign],
  ["unset", unset],
  ["set", set],
  [
    "env",
    async ({ io, state }) =>
      print(
        io.out,
        Object.entries(state.env)
          .map(([k, v]) => `${k}=${v}\n`)
          .join(""),
      ),
  ],
  ["hostname", async ({ io, host }) => print(io.out, `${host.hostname}\n`)],
  ["date", async ({ io, host }) => print(io.out, `${new Date(host.clock.now()).toUTCString()}\n`)],
  ["tail", tail],
]);

async function print(sink: Call["io"]["out"], text: string): Promise<number> {
  await sink(text);
  return 0;
}

async function echo({ args, io }: Call): Promise<number> {
  let [newline, interpret, from] = [true, false, 0];
  for (; /^-[neE]+$/.test(args[from] ?? ""); from++) {
    for (const flag of (args[from] ?? "").slice(1)) {
      if (flag === "n") newline = false;
      else interpret = flag === "e";
    }
  }
  const text = args.slice(from).join(" ");
  const { output, stopped } = interpret ? escapes(text) : { output: text, stopped: false };
  return print(io.out, newline && !stopped ? `${output}\n` : output);
}

async function printf({ args, io }: Call): Promise<number> {
  const [format, ...values] = args;
  if (format === undefined) return complain(io, "printf: a format is needed");
  return print(io.out, formatPrintf(format, values));
}

async function doSleep({ args, io, host }: Call): Promise<number> {
  let ms = 0;
  for (const text of args) {
    const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text);
    if (text === "infinity" || text === "inf") ms = Number.POSITIVE_INFINITY;
    else if (match === null) return complain(io, `sleep: invalid number '${text}'`);
    else ms += Number(match[1]) * ({ m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ""] ?? 1000);
  }
  if (args.length === 0) return complain(io, "sleep: a duration is needed");
  await pause(ms, host);
  return 0;
}

/** Waits in steps, because timers end at 24 days. */
async function pause(ms: number, { clock, signal }: Call["host"]): Promise<void> {
  for (let rest = ms; rest > 0; rest -= 86_400_000) await sleep(clock, Math.min(rest, 86_400_000), signal);
}

async function cat({ args, io, host, state }: Call): Promise<number> {
  if (args.length === 0 || args[0] === "-") {
    if (io.stdin !== null) await io.out(io.stdin);
    return 0;
  }
  let code = 0;
  for (const file of args) {
    if (file === "/dev/null") continue;
    try {
      await io.out(await readFile(await host.fs.resolve(file, state.cwd)));
    } catch (error) {
      code = await failed(io, "cat", file, error);
    }
  }
  return code;
}

function exit({ args, state }: Call): never {
  const code = Number(args[0] ?? state.status);
  throw new ExitShell(Number.isInteger(code) ? code : 2);
}

function control({ args }: Call, kind: "break" | "continue"): never {
  throw new LoopControl(kind, Math.max(1, Number(args[0] ?? 1) || 1));
}

async function makeDirectory(call: Call): Promise<number> {
  const { args, io, host, state } = call;
  const parents = args.some((arg) => /^-\w*p/.test(arg));
  let code = 0;
  for (const name of args.filter((arg) => !arg.startsWith("-"))) {
    try {
      const parts = name.split("/").filter((part) => part !== "");
      const start = parents ? 1 : parts.length;
      for (let count = start; count <= parts.length; count++) {
        const file = `${name.startsWith("/") ? "/" : ""}${parts.slice(0, count).join("/")}`;
        refuseReadOnly(call, file);
        const at = await host.fs.resolve(file, state.cwd);
        await mkdir(at).catch((error) => (parents && error.code === "EEXIST" ? undefined : Promise.reject(error)));
      }
    } catch (error) {
      code = await failed(io, "mkdir", name, error);
    }
  }
  return code;
}

async function remove(call: Call): Promise<number> {
  const { args, io, host, state } = call;
  const flags = args.filter((arg) => arg.startsWith("-")).join("");
  let code = 0;
  for (const name of args.filter((arg) => !arg.startsWith("-"))) {
    try {
      refuseReadOnly(call, name);
      const at = await host.fs.resolve(name, state.cwd);
      await rm(at, { recursive: /r|R/.test(flags), force: flags.includes("f") });
    } catch (error) {
      if (!flags.includes("f")) code = await failed(io, "rm", name, error);
    }
  }
  return code;
}

async function touch(call: Call): Promise<number> {
  const { args, io, host, state } = call;
  let code = 0;
  for (const name of args) {
    try {
      refuseReadOnly(call, name);
      const at = await host.fs.resolve(name, state.cwd);
      await writeFile(at, "", { flag: "a" });
      const now = new Date(host.clock.now());
      await utimes(at, now, now);
    } catch (error) {
      code = await failed(io, "touch", name, error);
    }
  }
  return code;
}

async function list({ args, io, host, state }: Call): Promise<number> {
  let code = 0;
  const names = args.filter((arg) => !arg.startsWith("-"));
  for (const name of names.length === 0 ? ["."] : names) {
    try {
      const at = await host.fs.resolve(name, state.cwd);
      const entries = (await stat(at)).isDirectory() ? (await readdir(at)).toSorted() : [name];
      await io.out(
        entries
          .filter((entry) => !entry.startsWith("."))
          .map((entry) => `${entry}\n`)
          .join(""),
      );
    } catch (error) {
      code = await failed(io, "ls", name, error);
    }
  }
  return code;
}

async function bracket(call: Call): Promise<number> {
  if (call.args.at(-1) !== "]") return complain(call.io, "[: missing ]", 2);
  return evaluateTest(call, call.args.slice(0, -1));
}

async function changeDirectory({ args, io, host, state }: Call): Promise<number> {
  const target = args[0] ?? "/";
  try {
    if (!(await stat(await host.fs.resolve(target, state.cwd))).isDirectory())
      throw new Fault("invalid", "Not a directory");
  } catch {
    return complain(io, `cd: can't cd to ${target}`, 2);
  }
  state.cwd = path.posix.resolve("/", state.cwd, target);
  return 0;
}

function assign({ args, state }: Call): number {
  for (const arg of args) {
    const at = arg.indexOf("=");
    const name = at === -1 ? arg : arg.slice(0, at);
    if (at !== -1) state.variables.set(name, arg.slice(at + 1));
    state.exported.add(name);
  }
  return 0;
}

function unset({ args, state }: Call): number {
  for (const name of args) state.variables.delete(name);
  return 0;
}

async function set({ args, io, state }: Call): Promise<number> {
  for (const arg of args) {
    if (/^[-+][eux]+$/.test(arg)) {
      if (arg.includes("e")) state.exitOnFailure = arg.startsWith("-");
    } else return complain(io, `set: ${arg}: not supported by the small shell of Berth's sandbox`);
  }
  return 0;
}

/** Only `tail -f /dev/null`, which people write to keep a container alive, and the end of a file. */
async function tail({ args, io, host, state }: Call): Promise<number> {
  if (args.includes("-f") && args.includes("/dev/null")) {
    await pause(Number.POSITIVE_INFINITY, host);
    return 0;
  }
  const countAt = args.indexOf("-n");
  const count = countAt === -1 ? 10 : Number(args[countAt + 1]);
  const file = args.at(-1) ?? "";
  if (args.includes("-f") || !Number.isInteger(count))
    return complain(io, "tail: only -n and -f /dev/null are supported");
  try {
    const lines = (await readFile(await host.fs.resolve(file, state.cwd), "utf8")).replace(/\n$/, "").split("\n");
    return await print(
      io.out,
      lines
        .slice(-count)
        .map((line) => `${line}\n`)
        .join(""),
    );
  } catch (error) {
    return failed(io, "tail", file, error);
  }
}

function refuseReadOnly({ host, state }: Call, file: string): void {
  const absolute = file.startsWith("/") ? file : `${state.cwd}/${file}`;
  if (host.fs.readOnly(absolute)) throw new Fault("forbidden", `${file}: Read-only file system`);
}

async function failed(io: Call["io"], name: string, file: string, error: unknown): Promise<number> {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory",
    EEXIST: "File exists",
    EISDIR: "Is a directory",
    ENOTDIR: "Not a directory",
    ERR_FS_EISDIR: "Is a directory",
  };
  const sentence = error instanceof Fault ? error.message : `can't open '${file}': ${words[code] ?? "I/O error"}`;
  return complain(io, `${name}: ${sentence}`);
}

async function complain(io: Call["io"], sentence: string, code = 1): Promise<number> {
  await io.err(`${sentence}\n`);
  return code;
}
