/**
 * One TCP connection that can be spoken on line by line, as two programs: `lines.ts serve NAME PORT` answers each line
 * with "NAME: line", and ends after the line "bye"; `lines.ts talk ADDRESS PORT [OWN_PORT]` sends what it reads on stdin
 * (the line "reset" resets it) and prints what comes back. Both print how it ended: an error, "closed".
 */
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [, , what = "", where = "", port = "", own] = process.argv;
if (what === "serve") {
  createServer((socket) => {
    socket.on("error", (error: NodeJS.ErrnoException) => console.log(error.code));
    socket.on("close", () => console.log("closed"));
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => {
      if (line === "bye") socket.end();
      else socket.write(`${where}: ${line}\n`);
    });
    // What fails on the way of the lines was said above.
    lines.on("error", () => undefined);
  }).listen({ port: Number(port), host: "::" }, () => console.log("listening"));
} else {
  const socket = connect({
    host: where,
    port: Number(port),
    noDelay: true,
    ...(own !== undefined && { localPort: Number(own) }),
  });
  socket.on("connect", () => console.log("open"));
  socket.on("error", (error: NodeJS.ErrnoException) => console.log(error.code));
  socket.on("close", () => {
    console.log("closed");
    process.exit(0);
  });
  createInterface({ input: socket }).on("line", (line) => console.log(line));
  process.stdin.pipe(socket);
  process.stdin.on("data", (data) => {
    if (`${data}` === "reset\n") socket.resetAndDestroy();
  });
}
