/** A `PassOn` in a process on a host of the lab: each line of stdin is an address and its next hop, or nothing for none, and answered when it is set. */
import { createInterface } from "node:readline";
import { openPassOn } from "#net/pass-on";
import { systemClock } from "#runtime/clock";
import { jsonLog } from "#runtime/log";

const log = jsonLog({ write: (line) => process.stderr.write(line) });
const passOn = await openPassOn({ clock: systemClock, log });
console.log("open");
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [address = "", hop = null] = line.split("|");
  passOn.set(address, hop);
  void passOn.settled().then(() => console.log("set"));
});
lines.on("close", () => void passOn.close());
