import { randomInt } from "node:crypto";
import { createServer as createHttpServer, type Server as HttpServer, request } from "node:http";
import { createServer } from "node:net";

const given = new Set<number>();

/**
 * A port that is free on `address` now, and likely stays so until it is used: it is none of those that the kernel gives
 * to whoever connects or asks for any port (32768 and above on Linux, unless told otherwise), and none that this gave before.
 */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 30_000);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, address, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error(`no port is free on ${address}`);
}

/** Listens on a free port of `address` and gives it back. */
export function listenOn(
  server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown },
  address: string,
): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, address, () => {
      const at = server.address();
      resolve(typeof at === "object" && at !== null && "port" in at ? Number(at.port) : 0);
    }),
  );
}

/** A pod of the demo: answers every request with its name and node. */
export function podServer(pod: string, node: string): HttpServer {
  return createHttpServer((_request, reply) => reply.end(`POD: ${pod}   NODE:\t${node}\n`));
}

/** One GET on a connection of its own; the body, or the code of the error. */
export function get(address: string, port: number, path = "/"): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: address, port, path, agent: false }, (reply) => {
      let body = "";
      reply.setEncoding("utf8");
      reply.on("data", (chunk: string) => {
        body += chunk;
      });
      reply.on("end", () => resolve(body.trim()));
      reply.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end();
  });
}
