import type { Socket } from "node:net";
import type { Peer } from "./host.ts";

/** A new TCP connection as a node's network receives it: its first SYN. */
export interface TcpFlow {
  readonly protocol: "TCP";
  readonly source: Peer;
  /** What the client asked for: the external address and port, even where the socket is a mapped one. */
  readonly destination: Peer;
  /** Paused; whoever takes the flow owns the socket from then on. */
  readonly socket: Socket;
}

/** One UDP datagram; each one is routed by itself, as on a wire. */
export interface DatagramFlow {
  readonly protocol: "UDP";
  readonly source: Peer;
  readonly destination: Peer;
  readonly payload: Uint8Array;
  /** Sends a datagram back to `source` from `destination`. Never throws. */
  reply(payload: Uint8Array): void;
}

export type Flow = TcpFlow | DatagramFlow;

/** "ok": the node took the flow (and may still refuse it); "dark": nothing is behind that MAC now. */
export type Delivery = "ok" | "dark";
