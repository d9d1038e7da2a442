import { connect, createServer, type Server, type Socket } from "node:net";
import { Fault } from "#core/errors";
import { carry } from "#net/carry";

/**
 * Carries every TCP connection to one port of this process's namespace on to a
 * Unix socket, which namespaces of the network do not separate: the way from
 * the lab to the API server, which listens on the machine's loopback only.
 */
export async function startRelay(at: { readonly port: number; readonly socket: string }): Promise<{ close(): void }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ path: at.socket, allowHalfOpen: true });
    carry(client, upstream, open);
  });
  await listen(server, at.port);
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Fault("unavailable", `the lab cannot listen on port ${port}: ${cause.message}`, { cause })),
    );
    server.listen({ host: "0.0.0.0", port }, () => {
      server.on("error", () => undefined);
      resolve();
    });
  });
}
