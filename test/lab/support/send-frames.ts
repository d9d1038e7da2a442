/** Sends the frames that come on stdin, one of hexadecimal digits a line: `node send-frames.ts INTERFACE`. */
import { readFileSync } from "node:fs";
import { sys } from "#net/packet/ffi";
import { arpFilter } from "#net/packet/filter";
import { ETHERTYPE } from "#net/packet/layouts";
import { openPacketSocket } from "#net/packet/socket";

const index = Number(readFileSync(`/sys/class/net/${process.argv[2]}/ifindex`, "utf8"));
const fd = openPacketSocket(ETHERTYPE.arp, index, arpFilter({ held: [], watched: [] }));
for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const frame = Buffer.from(line, "hex");
  sys.send(fd, frame, frame.byteLength, 0);
}
sys.close(fd);
