/**
 * The one thread of the packet link: a busy main loop delays no answer. It
 * waits in the kernel, not in Node's event loop, so messages are fetched when
 * the loop is woken for them. Ends when it is told to `close`.
 */
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { sys } from "./ffi.ts";
import { ndpFilter } from "./filter.ts";
import { ETHERTYPE } from "./layouts.ts";
import { Loop } from "./loop.ts";
import type { WireCommand, WireReport, WireSettings } from "./messages.ts";
import { openPacketSocket, SystemFailure } from "./socket.ts";
import { Wire } from "./wire.ts";

const settings = workerData as WireSettings;
const { port } = settings;
const report = (message: WireReport) => port.postMessage(message);

hurry();
try {
  // Without NET_RAW it is better to know now than with the first interface.
  sys.close(openPacketSocket(ETHERTYPE.ipv6, 0, ndpFilter({ held: [], watched: [] })));
  const loop = new Loop(() => {
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      wire.command(got.message as WireCommand);
    }
  });
  report({ kind: "awake", wakeFd: loop.wakeFd });
  const wire = new Wire(loop, settings, report);
  loop.run();
} catch (thrown) {
  if (!(thrown instanceof SystemFailure)) throw thrown;
  report({ kind: "failed", call: thrown.call, errno: thrown.errno });
}
port.close();

/** This thread goes before others, where that may be asked for (CAP_SYS_NICE): it works for microseconds, and hosts wait for it. */
function hurry(): void {
  try {
    setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), constants.priority.PRIORITY_HIGH);
  } catch {
    // As fast as everybody else.
  }
}
