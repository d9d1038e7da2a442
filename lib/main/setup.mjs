// All set-up, by one dependency-free script that runs on any Node from 20.9:
//   node lib/main/setup.mjs install   packages only
//   node lib/main/setup.mjs start     packages, then the dashboard's build when sources are newer
//   node lib/main/setup.mjs test      the same, then the Debian packages that tests need (root only)
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
process.chdir(root);
const goal = process.argv[2] ?? "install";

function say(text) {
  console.log(`berth set-up: ${text}`);
}

function fail(text) {
  console.error(`berth set-up: ${text}`);
  process.exit(1);
}

function run(command, args, { quiet = true, env = {} } = {}) {
  const result = spawnSync(command, args, {
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { ok: result.status === 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}`, error: result.error };
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 9)) fail(`Node 20.9 or newer is needed; this is ${process.version}.`);

// --- packages ---------------------------------------------------------------
const wanted = createHash("sha256")
  .update(readFileSync("package-lock.json"))
  .update(readFileSync("package.json"))
  .digest("hex");
const stamp = "node_modules/.berth-setup";
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  say("installing packages (once)");
  // Node's own npm when there is one beside it, else the one on the path.
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  const clean = run(command, [...args, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  if (!clean.ok) {
    // A registry that lacks some platform builds makes `npm ci` refuse a lock that `npm install` accepts.
    const plain = run(command, [...args, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]);
    if (!plain.ok) fail(`npm could not install the packages:\n${plain.output.split("\n").slice(-15).join("\n")}`);
  }
  writeFileSync(stamp, wanted);
}

const pinned = ["x64", "arm64"]
  .map((arch) => `node_modules/node-linux-${arch}/bin/node`)
  .find((path) => existsSync(path));
if (pinned === undefined && major < 24) {
  fail(`Node 24 is needed on ${process.platform} ${process.arch}; this is ${process.version}.`);
}
const node = pinned ?? process.execPath;
if (goal === "install") process.exit(0);

// --- the dashboard's build -----------------------------------------------------
const SOURCES = ["app", "components", "lib", "public", "next.config.ts", "proxy.ts", "package.json", "tsconfig.json"];
// Changes here never reach the dashboard's bundle.
const APART = ["lib/sandbox", "lib/controller", "lib/speaker", "lib/net", "lib/probe", "lib/main", "lib/kube"];

function newest(path, without = APART) {
  if (without.includes(path) || !existsSync(path)) return 0;
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name), without)));
}

const built = ".next/BUILD_ID";
if (!existsSync(built) || statSync(built).mtimeMs < Math.max(...SOURCES.map((path) => newest(path)))) {
  say("building the dashboard (once)");
  const build = run(node, ["node_modules/next/dist/bin/next", "build"], {
    env: { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" },
  });
  if (!build.ok) fail(`the build failed:\n${build.output.split("\n").slice(-40).join("\n")}`);
}

// --- compiled code ---------------------------------------------------------------
// A process that has to strip the types of one file keeps the stripper, 20 MB, for as long as it lives.
const compiled = "node_modules/.cache/berth-compiled";
if (!existsSync(compiled) || statSync(compiled).mtimeMs < newest("lib", [])) {
  for (const verb of ["controller", "speaker"]) run(node, ["bin/berth.mjs", verb, "--help"]);
  mkdirSync(dirname(compiled), { recursive: true });
  writeFileSync(compiled, "");
}

// --- system packages that tests need -------------------------------------------
if (goal === "test") {
  const NEEDS = [
    ["chromium", "chromium"],
    ["curl", "curl"],
    // The network lab: real namespaces, and the tools that administrators look at a wire with.
    ["ip", "iproute2"],
    ["sysctl", "procps"],
    ["nft", "nftables"],
    ["arping", "arping"],
    ["ndisc6", "ndisc6"],
    ["tcpdump", "tcpdump"],
  ];
  const found = (name) =>
    (process.env.PATH ?? "")
      .split(":")
      .concat("/usr/sbin", "/sbin")
      .some((dir) => dir && existsSync(join(dir, name)));
  if (!found("kubectl"))
    fail("the tests run real kubectl (1.29 or newer) and it is not on the PATH; install it and run again.");
  const missing = NEEDS.filter(([program]) => !found(program)).map(([, name]) => name);
  if (missing.length > 0) {
    if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
      say(`installing ${missing.join(", ")} (Debian packages)`);
      const quiet = { env: { DEBIAN_FRONTEND: "noninteractive" } };
      const lock = ["-o", "DPkg::Lock::Timeout=300"];
      run("apt-get", ["update", ...lock], quiet);
      const apt = run("apt-get", ["install", "-y", "--no-install-recommends", ...lock, ...missing], quiet);
      if (!apt.ok)
        fail(`apt-get could not install ${missing.join(", ")}:\n${apt.output.split("\n").slice(-10).join("\n")}`);
    } else {
      say(`not found and not installed (only root on Debian can): ${missing.join(", ")}`);
    }
  }
}
mkdirSync(".next", { recursive: true });
