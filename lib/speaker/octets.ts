/** Numbers and texts one after another, most significant octet first. */
export class OctetWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `value` in that many octets; what does not fit is cut off. */
  uint(value: number, octets: number): void {
    this.#grow(octets);
    let rest = value;
    for (let index = octets - 1; index >= 0; index--) {
      this.#bytes[this.#length + index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#length += octets;
  }

  bytes(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** At most 255 octets of UTF-8, after their number. */
  text(text: string): void {
    const bytes = encoder.encode(text);
    this.uint(bytes.length, 1);
    this.bytes(bytes);
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + by));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads what `OctetWriter` wrote. Past the end, or at broken UTF-8, it has `failed` and gives zeros and empty texts. */
export class OctetReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #failed = false;

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** All was read, and nothing is left. */
  get complete(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  uint(octets: number): number {
    if (!this.#has(octets)) return 0;
    let value = 0;
    for (let index = 0; index < octets; index++) value = value * 256 + (this.#bytes[this.#at + index] ?? 0);
    this.#at += octets;
    return value;
  }

  text(): string {
    const length = this.uint(1);
    if (!this.#has(length)) return "";
    this.#at += length;
    try {
      return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
    } catch {
      this.#failed = true;
      return "";
    }
  }

  #has(octets: number): boolean {
    if (this.#at + octets > this.#bytes.length) this.#failed = true;
    return !this.#failed;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
