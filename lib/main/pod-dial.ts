import { connect, type Socket } from "node:net";

const WAIT_MS = 5_000;

/** Connects to pods through the Unix socket that the nodes process serves (`servePods`, --network netns). */
export function podDial(path: string): (address: string, port: number) => Promise<Socket> {
  return (address, port) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect({ path });
      const fail = (code: string) => {
        socket.destroy();
        reject(Object.assign(new Error(`${address}:${port}: ${code}`), { code }));
      };
      const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? "ECONNREFUSED");
      socket.once("error", failed);
      socket.setTimeout(WAIT_MS, () => fail("ETIMEDOUT"));
      socket.once("connect", () => socket.write(`${address} ${port}\n`));
      // The pod speaks second (TLS), so what comes first is the answer alone.
      socket.once("data", (data) => {
        const answer = data.toString("latin1").trim();
        if (answer !== "+") return fail(answer.slice(1));
        socket.off("error", failed);
        socket.setTimeout(0);
        socket.removeAllListeners("timeout");
        socket.pause();
        resolve(socket);
      });
      socket.once("close", () => fail("ECONNRESET"));
    });
}
