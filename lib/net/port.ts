/** One Ethernet interface as the speaker sees it. */
export interface LinkInfo {
  readonly name: string;
  /** Lower case, colon separated: "02:be:77:00:00:11". */
  readonly mac: string;
  readonly up: boolean;
}

/**
 * The wire, and nothing but the wire: whole Ethernet frames in and out. The
 * virtual LAN, the packet socket (issue D) and the memory link of tests are
 * interchangeable behind it. A frame that cannot be sent (interface gone, down)
 * is dropped, as a real network would; nothing here throws because of a peer.
 */
export interface Link {
  /** The interfaces present now; a new array whenever something changed. */
  info(): readonly LinkInfo[];
  /** Called after `info()` changed. The returned function unsubscribes. */
  onInfo(listener: () => void): () => void;
  send(interfaceName: string, frame: Uint8Array): void;
  /** Every frame that arrived, without FCS. The listener must not keep `frame`. */
  frames(listener: (frame: Uint8Array, interfaceName: string) => void): () => void;
  /** Asks to receive this multicast MAC too (solicited-node groups of NDP). Idempotent. */
  join(interfaceName: string, group: string): void;
  close(): Promise<void>;
}

/** Unconnected datagrams on one bound address (heartbeats between speakers). Sending never throws. */
export interface Datagrams {
  send(bytes: Uint8Array, address: string, port: number): void;
  receive(listener: (bytes: Uint8Array, from: { readonly address: string; readonly port: number }) => void): () => void;
  close(): Promise<void>;
}
