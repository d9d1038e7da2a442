import { silentLog } from "#runtime/log";
import { openStore } from "#sandbox/store/sqlite";

// Writes as fast as it can and prints each object's number once its write is acknowledged, until it is killed.
const store = openStore({ path: process.argv[2] ?? "", log: silentLog });
let acknowledged = "";
for (let i = 0; ; i++) {
  const key = `k${i % 50}`;
  store.put("/things", key, { metadata: { name: key }, value: i }, store.get("/things", key)?.revision ?? 0);
  if (i % 3 === 0) continue;
  await store.durable();
  acknowledged = `${store.revision} ${key} ${i}\n`;
  process.stdout.write(acknowledged);
}
