import { Fault } from "#core/errors";
import { FRAME_MAX } from "./ethernet.ts";

/**
 * What travels between a virtual LAN and a link attached to it, over one TCP
 * connection on loopback: 2 octets of payload length, 1 octet of type, payload.
 * The link says `hello` first; the LAN answers with `state` when the port is
 * up, and both send `frame` from then on.
 */
export const LAN_MESSAGE = { hello: 1, state: 2, frame: 3 } as const;

export interface LanMessage {
  readonly type: number;
  /** A view into what was pushed; valid until the next push. */
  readonly payload: Uint8Array;
}

const HEADER = 3;

/** Who wants to attach; the token is the LAN's secret for that node. */
interface LanHello {
  readonly node: string;
  readonly mac: string;
  readonly token: string;
}

/** `payload` may have up to `FRAME_MAX` octets. */
export function encodeLanMessage(type: number, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER + payload.byteLength);
  message[0] = payload.byteLength >> 8;
  message[1] = payload.byteLength & 0xff;
  message[2] = type;
  message.set(payload, HEADER);
  return message;
}

export function encodeHello(hello: LanHello): Uint8Array {
  return encodeLanMessage(LAN_MESSAGE.hello, new TextEncoder().encode(JSON.stringify(hello)));
}

/** Null for anything that is not a hello; never throws. */
export function decodeHello(payload: Uint8Array): LanHello | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (typeof value !== "object" || value === null) return null;
    const { node, mac, token } = value as Record<string, unknown>;
    if (typeof node !== "string" || typeof mac !== "string" || typeof token !== "string") return null;
    return { node, mac, token };
  } catch {
    return null;
  }
}

/** Cuts a byte stream into messages, wherever the chunks end. One per connection. */
export class LanReader {
  #rest: Uint8Array = new Uint8Array();

  /** Throws Fault `invalid` when the peer is not speaking this protocol; the connection is lost then. */
  push(chunk: Uint8Array): readonly LanMessage[] {
    const bytes = this.#rest.byteLength === 0 ? chunk : concat(this.#rest, chunk);
    const messages: LanMessage[] = [];
    let offset = 0;
    while (bytes.byteLength - offset >= HEADER) {
      const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
      if (length > FRAME_MAX) throw new Fault("invalid", `message of ${length} octets on the virtual LAN`);
      if (bytes.byteLength - offset - HEADER < length) break;
      const start = offset + HEADER;
      messages.push({ type: bytes[offset + 2] ?? 0, payload: bytes.subarray(start, start + length) });
      offset = start + length;
    }
    this.#rest = bytes.slice(offset);
    return messages;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}
