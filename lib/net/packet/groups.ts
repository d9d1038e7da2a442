import { errno, sys } from "./ffi.ts";
import { AF, ERRNO, membership, OPTION, SOCK } from "./layouts.ts";

/**
 * Multicast groups of one interface. Joining makes the kernel program the card
 * and say so on the wire (MLD), which snooping switches heed; a membership of
 * the packet socket would do the first only. The kernel says it again when the
 * link comes back.
 */
export class Groups {
  readonly #index: number;
  readonly #joined = new Map<string, { readonly fd: number; readonly octets: Uint8Array }>();
  readonly #sockets: number[] = [];

  constructor(index: number) {
    this.#index = index;
  }

  /** Makes the set of groups exactly this one (text to octets). Returns the error of a join that failed, or 0. */
  set(groups: ReadonlyMap<string, Uint8Array>): number {
    for (const [text, { fd, octets }] of this.#joined) {
      if (groups.has(text)) continue;
      const request = membership(octets, this.#index);
      sys.setsockopt(fd, OPTION.ipv6, OPTION.leaveGroup, request, request.byteLength);
      this.#joined.delete(text);
    }
    let failure = 0;
    for (const [text, octets] of groups) {
      if (this.#joined.has(text)) continue;
      const fd = this.#join(octets);
      if (fd < 0) failure = -fd;
      else this.#joined.set(text, { fd, octets });
    }
    return failure;
  }

  close(): void {
    for (const fd of this.#sockets) sys.close(fd);
    this.#sockets.length = 0;
    this.#joined.clear();
  }

  /** The socket that holds the membership, or minus the error. */
  #join(octets: Uint8Array): number {
    const request = membership(octets, this.#index);
    const ask = (fd: number) =>
      sys.setsockopt(fd, OPTION.ipv6, OPTION.joinGroup, request, request.byteLength) < 0 ? -errno() : fd;
    const last = this.#sockets.at(-1);
    const result = last === undefined ? -ERRNO.enobufs : ask(last);
    // One socket holds some hundred memberships (net.core.optmem_max); then it takes another.
    if (result !== -ERRNO.enobufs && result !== -ERRNO.enomem) return result;
    const fd = sys.socket(AF.inet6, SOCK.dgram, 0);
    if (fd < 0) return -errno();
    this.#sockets.push(fd);
    return ask(fd);
  }
}
