import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Log } from "#net/host";
import { decodeHello, encodeLanMessage, LAN_MESSAGE, type LanMessage, LanReader } from "#net/lan-wire";
import type { NodePort } from "./node-port.ts";

export type Stations = (node: string) => { readonly port: NodePort; readonly token: string } | undefined;

const HELLO_MS = 2_000;
/** Sockets (and the node's own kernel) on one port. */
const ATTACHED_MAX = 16;
/** Octets that may wait for a slow reader before frames to it are dropped. */
const BACKLOG_MAX = 512 * 1024;

/**
 * One process at a node's port. Whatever it sends that is not the protocol,
 * or a hello that is late, wrong or for a node without power, ends this
 * connection and nothing else.
 */
export function serveSpeaker(socket: Socket, stations: Stations, log: Log): void {
  const reader = new LanReader();
  let port: NodePort | null = null;
  let detach = () => undefined as unknown;

  const refuse = (why: string) => {
    log.warn("connection to the virtual LAN refused", { why });
    socket.destroy();
  };

  const hello = (message: LanMessage) => {
    const asked = message.type === LAN_MESSAGE.hello ? decodeHello(message.payload) : null;
    if (asked === null) return refuse("no hello");
    const station = stations(asked.node);
    if (station === undefined || !sameText(station.token, asked.token)) return refuse("wrong token");
    if (station.port.mac !== asked.mac) return refuse("wrong mac");
    if (station.port.attached >= ATTACHED_MAX) return refuse("too many attached");
    if (!station.port.up) return void socket.destroy();
    socket.setTimeout(0);
    port = station.port;
    detach = port.attach({
      receive(frame) {
        if (socket.writableLength < BACKLOG_MAX) socket.write(encodeLanMessage(LAN_MESSAGE.frame, frame));
      },
      unplug: () => void socket.destroy(),
    });
    socket.write(encodeLanMessage(LAN_MESSAGE.state, Uint8Array.of(1)));
  };

  socket.setTimeout(HELLO_MS, () => socket.destroy());
  socket.on("error", () => undefined);
  socket.on("close", () => detach());
  socket.on("data", (chunk) => {
    try {
      for (const message of reader.push(chunk)) {
        if (socket.destroyed) return;
        if (port === null) hello(message);
        else if (message.type === LAN_MESSAGE.frame) port.send(message.payload);
        else refuse("unexpected message");
      }
    } catch {
      refuse("malformed message");
    }
  });
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
