import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { Fault } from "#core/errors";
import { carry } from "#net/carry";

/** sockaddr_un.sun_path of Linux, with its end. */
const PATH_MAX = 107;

/**
 * Serves a Unix socket (mode 0600) whose connections go on to a port of this
 * machine's loopback: the API server for processes in other network
 * namespaces. Fault `invalid` when the path is longer than the system takes.
 */
export async function serveSocket(path: string, port: number): Promise<{ close(): void }> {
  if (Buffer.byteLength(path) > PATH_MAX) {
    throw new Fault(
      "invalid",
      `the path ${path} is longer than a Unix socket's may be (${PATH_MAX}); name a shorter --data-dir.`,
    );
  }
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    carry(client, upstream, open);
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Fault("unavailable", `the socket ${path} cannot be made: ${cause.message}`, { cause })),
    );
    server.listen({ path }, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
