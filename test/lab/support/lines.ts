/**
 * One TCP connection that can be spoken on line by line, as two programs: `lines.ts serve NAME PORT` answers each line
 * with "NAME: line", `lines.ts talk ADDRESS PORT` sends what it reads on stdin and prints what comes back, then how it ended.
 */
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [, , what = "", where = "", port = ""] = process.argv;
if (what === "serve") {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", (line) => socket.write(`${where}: ${line}\n`));
  }).listen({ port: Number(port), host: "::" }, () => console.log("listening"));
} else {
  const socket = connect({ host: where, port: Number(port), noDelay: true });
  socket.on("connect", () => console.log("open"));
  socket.on("error", (error: NodeJS.ErrnoException) => console.log(error.code));
  socket.on("close", () => process.exit(0));
  createInterface({ input: socket }).on("line", (line) => console.log(line));
  process.stdin.pipe(socket);
}
