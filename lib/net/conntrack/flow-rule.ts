import type { Peer } from "../host.ts";
import type { Flow } from "./ctnetlink.ts";

/** Which flows to one address and port may stay: those that `keep` answers. All others are to be forgotten. */
export interface FlowRule {
  /** Null: any address of the host itself. */
  readonly address: string | null;
  readonly port: number;
  readonly keep: readonly Peer[];
}

/** Tells flows to be forgotten by `rules` on a host with `own` addresses; a look-up for each flow, however many rules. */
export function forgottenBy(rules: readonly FlowRule[], own: ReadonlySet<string>): (flow: Flow) => boolean {
  const keptAt = new Map(rules.map(({ address, port, keep }) => [idOf(address, port), new Set(keep.map(peerId))]));
  return ({ to, answeredBy }) => {
    const kept =
      keptAt.get(idOf(to.address, to.port)) ?? (own.has(to.address) ? keptAt.get(idOf(null, to.port)) : null);
    return kept instanceof Set && !kept.has(peerId(answeredBy));
  };
}

function idOf(address: string | null, port: number): string {
  return `${address ?? "*"}|${port}`;
}

function peerId({ address, port }: Peer): string {
  return idOf(address, port);
}
