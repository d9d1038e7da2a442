import type { Server } from "node:http";
import { Fault } from "#core/errors";

/** A server that listens. `close` ends its connections too. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on one address; port 0 takes a free one. Rejects with a Fault
 * `unavailable` that says why when the address cannot be listened on.
 */
export function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<Listening> {
  const { host, port } = at;
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, host, port)));
    server.listen(port, host, () => {
      server.on("error", () => undefined);
      const address = server.address();
      resolve({
        host,
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): Fault {
  const why =
    cause.code === "EADDRINUSE"
      ? "the port is in use"
      : cause.code === "EACCES"
        ? "not permitted (ports below 1024 need root)"
        : cause.message;
  return new Fault("unavailable", `cannot listen on ${host}:${port}: ${why}`, { cause, context: { host, port } });
}
