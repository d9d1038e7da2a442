import { formatAddress, sameAddress } from "../address.ts";
import { failure, type Remark } from "./finding.ts";
import { type Nodes, sharedNode } from "./nodes.ts";
import type { PeerView } from "./peers.ts";
import type { Neighbours } from "./settle.ts";

interface Conflict {
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

/** What two peers may not have on one node (metallb.md 4.3): FRR runs one router per VRF there, with one id. */
export function peersApart(nodes: Nodes | null): Neighbours<PeerView> {
  const accepted: PeerView[] = [];
  return {
    clash: (view) => {
      for (const other of accepted) {
        const conflict = conflictOf(view, other);
        if (conflict === null || sharedNode(view.nodeSelectors, other.nodeSelectors, nodes) !== "yes") continue;
        return failure(conflict.field, "peer_conflict", conflict.message, conflict.fix);
      }
      return null;
    },
    add: (view) => void accepted.push(view),
  };
}

/** As `peersApart`, for pairs of which it cannot be told whether they share a node. */
export function possiblePeerClashes(
  peers: readonly PeerView[],
  nodes: Nodes | null,
): readonly { readonly name: string; readonly remark: Remark }[] {
  if (nodes !== null) return [];
  return peers.flatMap((view, index) =>
    peers.slice(0, index).flatMap((other) => {
      const conflict = conflictOf(view, other);
      if (conflict === null || sharedNode(view.nodeSelectors, other.nodeSelectors, nodes) !== "perhaps") return [];
      const message = `${conflict.message}; refused on a node that both select`;
      const remark: Remark = { ...conflict, severity: "warning", reason: "peer_conflict", message };
      return [{ name: view.name, remark }];
    }),
  );
}

function conflictOf(a: PeerView, b: PeerView): Conflict | null {
  if (a.routerId !== b.routerId) {
    const message = `routerID ${said(a.routerId)}, and ${said(b.routerId)} on peer ${b.name} of the same node`;
    return { field: "spec.routerID", message, fix: "give all peers of a node the same routerID" };
  }
  if (a.vrf !== b.vrf) return null;
  if (sameTarget(a, b)) {
    const field = a.target.kind === "address" ? "spec.peerAddress" : "spec.interface";
    const message = `${targetText(a)} is the target of peer ${b.name} too, on the same node and VRF`;
    return { field, message, fix: "let every peer of a node have its own target" };
  }
  if (a.myAsn !== b.myAsn) {
    const message = `myASN ${a.myAsn}, and ${b.myAsn} on peer ${b.name} of the same node and VRF`;
    return { field: "spec.myASN", message, fix: "give all peers of a node and VRF the same myASN" };
  }
  return null;
}

function said(routerId: string): string {
  return routerId === "" ? "not set" : routerId;
}

function targetText({ target }: PeerView): string {
  return target.kind === "address" ? formatAddress(target.address) : `interface ${target.name}`;
}

function sameTarget({ target: a }: PeerView, { target: b }: PeerView): boolean {
  if (a.kind === "interface") return b.kind === "interface" && a.name === b.name;
  return b.kind === "address" && sameAddress(a.address, b.address);
}
