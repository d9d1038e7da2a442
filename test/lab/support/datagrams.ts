/**
 * UDP from one source port, as two programs: `datagrams.ts serve NAME PORT` answers each datagram with NAME,
 * `datagrams.ts talk ADDRESS PORT` sends one every 25 ms and prints every answer, or "refused".
 * Both say "open" when they have begun.
 */
import { createSocket } from "node:dgram";

const [, , what = "", where = "", port = ""] = process.argv;
const socket = createSocket("udp4");
if (what === "serve") {
  socket.on("message", (_data, from) => socket.send(where, from.port, from.address));
  socket.on("error", () => undefined);
  socket.bind(Number(port), () => console.log("open"));
} else {
  socket.on("message", (data) => console.log(data.toString()));
  socket.on("error", () => console.log("refused"));
  socket.connect(Number(port), where, () => {
    console.log("open");
    setInterval(() => socket.send("hello"), 25);
  });
}
