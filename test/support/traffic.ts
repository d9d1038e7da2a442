import { createServer as createHttpServer, type Server as HttpServer, request } from "node:http";
import { createServer } from "node:net";

/** A port that is free on `address` now. */
export async function freePort(address: string): Promise<number> {
  const server = createServer();
  const port = await listenOn(server, address);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
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
