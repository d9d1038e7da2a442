/** `node test/bench/store-churn.ts`: how large the store's file gets over a million updates of 1,000 objects. Prints a table. */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";

// As `berth sandbox` runs.
setFlagsFromString("--semi-space-growth-factor=1");
const OBJECTS = 1_000;
const UPDATES = 1_000_000;
const PER_COMMIT = 100;

const dir = mkdtempSync(join(tmpdir(), "berth-churn-"));
const path = join(dir, "store.sqlite");
const store = openStore({ path, log: silentLog });
const megabytes = (file: string) => (existsSync(file) ? (statSync(file).size / 1_048_576).toFixed(1) : "0").padStart(6);

console.log("  updates      file       log   memory (MB)");
const started = performance.now();
for (let i = 0; i < UPDATES; i++) {
  const name = `lease-${i % OBJECTS}`;
  const before = store.get("/things", name)?.revision ?? 0;
  const text = "x".repeat(400 + (i % 997));
  store.put("/things", name, { metadata: { name, namespace: "default" }, spec: { i, text } }, before);
  if (i % PER_COMMIT === 0) await store.durable();
  if (i % (UPDATES / 5) !== UPDATES / 5 - 1) continue;
  const memory = Math.round(process.memoryUsage().rss / 1_048_576);
  console.log(
    `${String(i + 1).padStart(9)}   ${megabytes(path)}    ${megabytes(`${path}-wal`)}   ${String(memory).padStart(6)}`,
  );
}
const seconds = (performance.now() - started) / 1000;
await store.close();
console.log(
  `closed      ${megabytes(path)}    ${megabytes(`${path}-wal`)}            ${Math.round(UPDATES / seconds)} updates/s`,
);
rmSync(dir, { recursive: true, force: true });
