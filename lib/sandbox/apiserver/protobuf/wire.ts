import { badRequest, type StatusFault } from "../status.ts";

/** Wire types of the encoding (protobuf.dev/programming-guides/encoding). */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export function malformed(why: string): StatusFault {
  return badRequest(`the body of the request is not valid protobuf: ${why}`);
}

const TEXT = new TextDecoder("utf-8", { fatal: true });

/** Reads one message's bytes in order. Every method throws 400 when the bytes end early or cannot be what was asked. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { readonly number: number; readonly wire: number } {
    const tag = Number(this.varint());
    const number = Math.floor(tag / 8);
    if (number < 1 || number >= 2 ** 29) throw malformed(`field number ${number} is out of range`);
    return { number, wire: tag % 8 };
  }

  /** Unsigned, 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed("it ends in the middle of a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed("a number is longer than ten bytes");
  }

  /** A view of the next length-prefixed bytes, not a copy. */
  bytes(): Uint8Array {
    return this.#take(Number(this.varint()));
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return TEXT.decode(bytes);
    } catch {
      throw malformed("a text in it is not UTF-8");
    }
  }

  /** A 64-bit float. */
  double(): number {
    const bytes = this.#take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  /** Passes over the value of a field that nobody knows. */
  skip(wire: number): void {
    if (wire === WIRE.varint) this.varint();
    else if (wire === WIRE.bytes) this.bytes();
    else if (wire === WIRE.fixed64) this.#take(8);
    else if (wire === WIRE.fixed32) this.#take(4);
    else throw malformed(`wire type ${wire} is not known`);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed("it ends in the middle of a field");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
