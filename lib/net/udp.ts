import { createSocket, type Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { Fault } from "#core/errors";
import type { Datagrams } from "./port.ts";

/** `Datagrams` with what a test or a metric wants to know. */
interface UdpDatagrams extends Datagrams {
  /** The port that was bound; the one asked for unless that was 0. */
  readonly port: number;
  /** Datagrams that could not be sent, for whatever reason. */
  failures(): number;
}

/**
 * Binds one UDP socket to `address`. Throws Fault `unavailable` when that
 * fails. Afterwards nothing throws: a datagram that cannot be sent (no route,
 * refused, too long, not an address) is dropped and counted.
 */
export async function openDatagrams(at: { readonly address: string; readonly port: number }): Promise<UdpDatagrams> {
  const socket = createSocket({
    type: isIPv6(at.address) ? "udp6" : "udp4",
    // Only literal addresses are ever used: no resolver, no thread pool on the way.
    lookup: (hostname, _options, callback) => callback(null, hostname, isIP(hostname)),
  });
  await bind(socket, at);
  let failures = 0;
  let closed = false;
  // ECONNREFUSED of an earlier datagram may be reported here; heartbeats expect peers to be gone.
  socket.on("error", () => {
    failures += 1;
  });
  return {
    port: socket.address().port,
    failures: () => failures,
    send(bytes, address, port) {
      if (closed || isIP(address) === 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
        failures += 1;
        return;
      }
      try {
        socket.send(bytes, port, address, (error) => {
          if (error !== null) failures += 1;
        });
      } catch {
        failures += 1;
      }
    },
    receive(listener) {
      const onMessage = (bytes: Uint8Array, from: { readonly address: string; readonly port: number }) =>
        listener(bytes, { address: from.address, port: from.port });
      socket.on("message", onMessage);
      return () => socket.off("message", onMessage);
    },
    close() {
      if (closed) return Promise.resolve();
      closed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

function bind(socket: Socket, at: { readonly address: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      socket.close();
      reject(new Fault("unavailable", `cannot listen on UDP ${at.address}:${at.port}: ${cause.message}`, { cause }));
    };
    socket.once("error", failed);
    socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
      socket.off("error", failed);
      resolve();
    });
  });
}
