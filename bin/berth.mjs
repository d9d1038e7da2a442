#!/usr/bin/env node
// The one program: `berth <verb> [flags]`. Plain JavaScript, because it may be
// started by any Node: it makes sure of the pinned Node 24, then hands over to
// lib/main/berth.ts. The image uses this file too.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const major = Number(process.versions.node.split(".")[0]);

if (major >= 24) {
  // One speaker runs on every node and computes little: without the optimising compiler it takes 10 MB less there.
  if (process.argv[2] === "speaker") setFlagsFromString("--no-opt");
  // Compiled code (and stripped types) kept on disk: a start costs half the time, and a speaker 30 MB less,
  // because the TypeScript stripper is then never loaded. Silently off where the folder cannot be written.
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules/.cache/berth"));
  // Not only at a clean exit: a process that is killed leaves a warm cache too.
  setTimeout(() => module.flushCompileCache?.(), 5_000).unref();
  await import(join(root, "lib/main/berth.ts"));
} else {
  const pinned = ["x64", "arm64"]
    .map((arch) => join(root, `node_modules/node-linux-${arch}/bin/node`))
    .find((path) => existsSync(path));
  if (pinned === undefined) {
    console.error(`berth needs Node 24; this is ${process.version}. Run "npm install" here first, or use Node 24.`);
    process.exit(1);
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
}
