import { sys } from "./ffi.ts";
import { ERRNO } from "./layouts.ts";
import { type KnownLink, LinkTable } from "./link-table.ts";
import type { Loop } from "./loop.ts";
import { dumpRequest, parseNetlink } from "./netlink.ts";
import { openNetlinkSocket, type Reader, readWhole } from "./socket.ts";

/** The kernel writes at most this much of an answer at once. */
const MESSAGE_OCTETS = 32 * 1024;

/** The host's interfaces, followed by netlink: nothing is scanned, nothing waits. */
export class Interfaces {
  readonly #table: LinkTable;
  readonly #onChange: (links: readonly KnownLink[]) => void;
  readonly #loop: Loop;
  readonly #fd: number;
  readonly #reader: Reader;
  /** What is being asked for; null when the answers are in. */
  #asking: "links" | "addresses" | null = null;
  /** Messages were lost meanwhile. */
  #again = false;
  #scheduled = false;

  /** Calls back when the first answers are in, and after every change. Throws SystemFailure. */
  constructor(loop: Loop, excluded: readonly RegExp[], onChange: (links: readonly KnownLink[]) => void) {
    this.#table = new LinkTable(excluded);
    this.#onChange = onChange;
    this.#fd = openNetlinkSocket();
    this.#loop = loop;
    this.#reader = readWhole(loop, this.#fd, {
      size: MESSAGE_OCTETS,
      onData: (bytes, length) => this.#receive(bytes.subarray(0, length)),
      onError: (code) => {
        if (code === ERRNO.enobufs) this.#ask();
      },
    });
    this.#ask();
  }

  /** Replaces what is excluded by name. */
  exclude(excluded: readonly RegExp[]): void {
    this.#table.exclude(excluded);
    this.#tellSoon();
  }

  close(): void {
    this.#reader.close();
  }

  #ask(): void {
    if (this.#asking !== null) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#table.beginDump();
    this.#request("links");
  }

  #request(what: "links" | "addresses"): void {
    this.#asking = what;
    const request = dumpRequest(what);
    sys.send(this.#fd, request, request.byteLength, 0);
  }

  #receive(bytes: Uint8Array): void {
    for (const message of parseNetlink(bytes)) {
      if (message.kind !== "done") this.#table.apply(message);
      else this.#answered(message.complete);
    }
    this.#tellSoon();
  }

  /** A change often comes as several messages; all that are queued make one. */
  #tellSoon(): void {
    if (this.#asking !== null || this.#scheduled) return;
    this.#scheduled = true;
    this.#loop.soon(() => {
      this.#scheduled = false;
      if (this.#asking === null) this.#onChange(this.#table.links());
    });
  }

  #answered(complete: boolean): void {
    if (!complete) this.#again = true;
    if (this.#asking === "links") {
      this.#request("addresses");
      return;
    }
    this.#asking = null;
    this.#table.endDump();
    if (this.#again) this.#ask();
  }
}
