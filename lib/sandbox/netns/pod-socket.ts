import { rmSync } from "node:fs";
import { connect, createServer, isIP, type Socket } from "node:net";
import { Fault } from "#core/errors";

const ASK_MAX = 64;
const ASK_MS = 2_000;
const CONNECT_MS = 5_000;

/**
 * Serves a Unix socket through which the API server, whose namespace has no
 * way to them, reaches pods (admission webhooks). The client sends
 * "address port\n"; the answer is "+\n" and then the connection itself, or
 * "-CODE\n" and the end.
 */
export async function servePods(path: string): Promise<{ close(): void }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client);
    client.on("error", () => undefined);
    client.on("close", () => open.delete(client));
    client.setTimeout(ASK_MS, () => client.destroy());
    let text = "";
    const read = (data: Buffer) => {
      text += data.toString("latin1");
      if (text.includes("\n")) {
        client.off("data", read);
        client.pause();
        client.setTimeout(0);
        lead(client, text.trim());
      } else if (text.length > ASK_MAX) client.destroy();
    };
    client.on("data", read);
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Fault("unavailable", `the socket ${path} cannot be made: ${cause.message}`, { cause })),
    );
    server.listen({ path }, resolve);
  });
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function lead(client: Socket, asked: string): void {
  const [address = "", port = ""] = asked.split(" ");
  if (isIP(address) === 0 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    client.end("-EINVAL\n");
    return;
  }
  const upstream = connect({ host: address, port: Number(port), allowHalfOpen: true, noDelay: true });
  const refused = (error: NodeJS.ErrnoException) => client.end(`-${error.code ?? "ECONNREFUSED"}\n`);
  upstream.setTimeout(CONNECT_MS, () => upstream.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
  upstream.once("error", refused);
  upstream.once("connect", () => {
    upstream.setTimeout(0);
    upstream.off("error", refused);
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.write("+\n");
    client.pipe(upstream);
    upstream.pipe(client);
  });
}
