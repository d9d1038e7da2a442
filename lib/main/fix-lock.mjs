// Completes package-lock.json with optional platform packages that the registry in use could not resolve,
// so that `npm ci` accepts the lock everywhere. Run after every change of packages.
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const PLATFORM =
  /-(android|darwin|freebsd|linux|win32|wasm32|openbsd|netbsd|aix|sunos)(?:-(x64|arm64|arm|ia32|riscv64|ppc64|s390x|loong64|wasi))?/;

/** Whether a dependency of the package at `path` resolves by walking up its node_modules. */
function resolves(path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${base ? `${base}/` : ""}node_modules/${name}`]) return true;
    if (base === "") return false;
  }
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!/^\d/.test(version) || resolves(path, name)) continue;
    const [, os, cpu] = PLATFORM.exec(name) ?? [];
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu === "wasi" ? "wasm32" : cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(os ? { os: [os === "wasm32" ? "wasi" : os] } : {}),
    };
    added++;
  }
}
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
