/**
 * What the sandbox's lan, edge and proxy need of the machine they run on. They
 * may import only core and net, so the two types reach them through here.
 */
export type { Clock } from "#runtime/clock";
export type { Log } from "#runtime/log";

export type Protocol = "TCP" | "UDP";

/** One end of a flow: an address in text form without brackets, and a port. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}
