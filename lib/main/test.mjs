// `npm test`: types, lint, generated files, then every test. The last line is
// always "N passed, N failed, N skipped". --check is what contributors run: the same.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
process.chdir(root);
const arch = process.arch === "arm64" ? "arm64" : "x64";
const pinned = `node_modules/node-linux-${arch}/bin/node`;
const node = Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : join(root, pinned);
const scratch = mkdtempSync(join(tmpdir(), "berth-test-"));
const total = { passed: 0, failed: 0, skipped: 0 };

/** The only reasons for which a test may be skipped on a machine that has everything the set-up installs. */
const PERMITTED_SKIPS = [/KUBEBUILDER_ASSETS/, /needs a cluster/, /needs root/];

function run(args, { show = true } = {}) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(node, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: `${dirname(node)}:${join(root, "node_modules/.bin")}:${process.env.PATH}` },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        if (show) process.stdout.write(chunk);
      });
    }
    child.on("exit", (code) => resolve({ ok: code === 0, output }));
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
  });
}

async function gate(name, args) {
  const startedAt = performance.now();
  const { ok, output } = await run(args, { show: false });
  total[ok ? "passed" : "failed"]++;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(output);
}

async function vitest(name, args) {
  const report = join(scratch, `${name}.json`);
  const { ok } = await run([
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/vitest.config.ts",
    "--root",
    ".",
    "--reporter=dot",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...args,
  ]);
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    console.log(`FAIL ${name}: the runner left no report`);
    total.failed++;
    return;
  }
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  // A file that failed to load has no tests to count, but it is a failure all the same.
  const broken = result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  total.failed += broken.length;
  for (const file of broken) console.log(`FAIL ${file.name}: ${file.message}`);
  for (const test of result.testResults.flatMap((file) => file.assertionResults)) {
    if (test.status !== "skipped" && test.status !== "pending" && test.status !== "todo") continue;
    const permitted = PERMITTED_SKIPS.some((reason) => reason.test(test.fullName));
    total[permitted ? "skipped" : "failed"]++;
    if (!permitted) console.log(`FAIL skipped without a permitted reason: ${test.fullName}`);
  }
  if (!ok && result.numFailedTests === 0 && broken.length === 0) {
    console.log(`FAIL ${name}: errors outside tests`);
    total.failed++;
  }
}

await gate("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
await gate("lint", ["node_modules/@biomejs/biome/bin/biome", "check", "--diagnostic-level=warn", "."]);
await gate("generated files", ["lib/main/gen.ts", "--check"]);
// The story and the browser start whole systems, so they run alone, one file at a time.
const whole = ["test/story/**", "test/e2e/**"];
await vitest(
  "unit",
  whole.flatMap((pattern) => ["--exclude", pattern]),
);
await vitest("system", ["test/story", "test/e2e", "--no-file-parallelism", "--passWithNoTests"]);
rmSync(scratch, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
