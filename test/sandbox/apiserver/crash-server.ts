import { readFileSync } from "node:fs";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { startApiServer } from "#sandbox/apiserver/start";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore } from "#sandbox/store/sqlite";

// An API server over a file, until it is killed: `crash-server.ts <folder> <port>`. Prints a line when it listens.
const [, , dir = "", port = "0"] = process.argv;
const tls = JSON.parse(readFileSync(`${dir}/tls.json`, "utf8"));
const server = await startApiServer({
  host: "127.0.0.1",
  port: Number(port),
  tls,
  ca: tls.ca,
  store: openStore({ path: `${dir}/store.sqlite`, log: silentLog }),
  kinds: builtinKinds(),
  dataDir: dir,
  tokens: [{ token: "crash", user: "tests", groups: ["system:masters"] }],
  signingKey: "crash",
  clock: systemClock,
  log: silentLog,
});
process.stdout.write(`${server.port}\n`);
