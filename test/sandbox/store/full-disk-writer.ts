import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "#core/errors";
import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";

// Writes until the disk is full, says how, and goes on once there is room again. Prints what was acknowledged.
const store = openStore({ path: process.argv[2] ?? "", log: silentLog });
const say = (line: string) => process.stdout.write(`${line}\n`);
let wasFull = false;
for (let i = 0, after = 0; after < 20; i++) {
  const name = `k${i}`;
  store.put("/things", name, { metadata: { name }, text: "x".repeat(4_000) }, 0);
  try {
    await store.durable();
    say(`kept ${name}`);
    if (wasFull) after++;
  } catch (thrown) {
    if (!wasFull) say(`full ${store.get("/things", name) === undefined} ${Fault.from(thrown).message}`);
    wasFull = true;
    await sleep(50);
  }
}
say(`done ${store.count("/things")}`);
await sleep(60_000);
