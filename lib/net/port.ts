import type { AnswerCounts } from "#core/responder";

export type { AnswerCounts } from "#core/responder";

/** Why an interface is never announced on, whatever its state (metallb.md 6.3). */
export type LinkSkip = "loopback" | "not_ethernet" | "no_arp" | "point_to_point" | "member";

/** One Ethernet interface as the speaker sees it. */
export interface LinkInfo {
  readonly name: string;
  /** Lower case, colon separated: "02:be:77:00:00:11". */
  readonly mac: string;
  /** It has carrier, and what is sent goes out. */
  readonly up: boolean;
  /** Absent: it may be used. A member is one of a bridge or bond; those carry its traffic. */
  readonly skipped?: LinkSkip;
  /** The host's own addresses there, canonical text without prefix lengths; absent where the link does not know them. */
  readonly addresses?: readonly string[];
}

/**
 * The wire: whole Ethernet frames out, answers to neighbours, and what others
 * say. The virtual LAN, the packet socket and the memory link of tests are
 * interchangeable behind it. A frame that cannot be sent (interface gone,
 * down) is dropped, as a real network would; nothing here throws because of a peer.
 */
export interface Link {
  /** The interfaces present now, without those excluded by name; a new array whenever something changed. */
  info(): readonly LinkInfo[];
  /** Called after `info()` changed. The returned function unsubscribes. */
  onInfo(listener: () => void): () => void;
  send(interfaceName: string, frame: Uint8Array): void;
  /**
   * From now on the link itself answers ARP requests and Neighbour Solicitations
   * for `address` (canonical text), with the MAC of the interface they come in
   * on; on these interfaces only, or on all (null), those that appear later
   * included. Asks for the multicast that this needs. Replaces what was said of `address`.
   */
  answer(address: string, interfaces: readonly string[] | null): void;
  /** No longer. Nothing is sent. */
  silence(address: string): void;
  /** What was answered and dropped since the last call; up to a quarter of a second may be missing. */
  takeCounts(): AnswerCounts;
  /**
   * Frames of other machines which say that they have an address that is answered
   * for or attended to, without FCS; other frames may come too. The listener must not keep `frame`.
   */
  frames(listener: (frame: Uint8Array, interfaceName: string) => void): () => void;
  /** Asks for the frames about these addresses too, until the returned function is called. */
  attend(addresses: readonly string[]): () => void;
  close(): Promise<void>;
}

/** Unconnected datagrams on one bound address (heartbeats between speakers). Sending never throws. */
export interface Datagrams {
  send(bytes: Uint8Array, address: string, port: number): void;
  receive(listener: (bytes: Uint8Array, from: { readonly address: string; readonly port: number }) => void): () => void;
  close(): Promise<void>;
}

/**
 * Hands TCP segments of connections that this host's kernel does not know on to
 * the host that announced their address before: there they were opened.
 */
export interface PassOn {
  /**
   * The next hop for an address (canonical texts, of one family), a neighbour of this host; null: none.
   * In force a moment later; what fails is logged and tried again.
   */
  set(address: string, hop: string | null): void;
  /** Resolves when what was set before is in force, or failed. */
  settled(): Promise<void>;
  /** Passes nothing on from now on. */
  close(): Promise<void>;
}
