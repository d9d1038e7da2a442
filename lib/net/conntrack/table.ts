import { errno, sys } from "../packet/ffi.ts";
import { AF, ERRNO, SOCK } from "../packet/layouts.ts";
import { check, SystemFailure } from "../packet/socket.ts";
import { type ConntrackMessage, type Flow, listRequest, parseConntrack, removeRequest } from "./ctnetlink.ts";

const NETLINK_NETFILTER = 12;
const ENOENT = 2;
/** The kernel writes at most this much of an answer at once. */
const DATAGRAM_OCTETS = 32 * 1024;
/** Entries found in one walk through the table. */
const AT_ONCE = 8_192;

/** How far `removeFlows` came. */
export interface Removal {
  readonly removed: number;
  /** False: the time was up, and entries may be left; fewer than before. */
  readonly complete: boolean;
}

/**
 * Removes the UDP entries that `unwanted` picks from the connection tracking
 * table of the namespace that this thread is in. Blocks the thread; begins no
 * further walk through the table after `endAt` on `now`'s clock. Throws
 * SystemFailure (EPERM without NET_ADMIN, EINVAL or the like where the kernel
 * has no ctnetlink).
 */
export function removeFlows(unwanted: (flow: Flow) => boolean, now: () => number, endAt: number): Removal {
  const fd = check("socket(NETLINK_NETFILTER)", sys.socket(AF.netlink, SOCK.raw, NETLINK_NETFILTER));
  const conversation = new Conversation(fd);
  try {
    let removed = 0;
    for (;;) {
      const { found, whole } = list(conversation, unwanted);
      for (const flow of found) if (remove(conversation, flow)) removed += 1;
      if (whole || now() >= endAt) return { removed, complete: whole };
    }
  } finally {
    sys.close(fd);
  }
}

/** Up to `AT_ONCE` unwanted flows; `whole` when there were no more. */
function list(
  conversation: Conversation,
  unwanted: (flow: Flow) => boolean,
): { readonly found: readonly Flow[]; readonly whole: boolean } {
  const found: Flow[] = [];
  let whole = true;
  conversation.send(listRequest());
  for (;;) {
    for (const message of conversation.receive()) {
      if (message.kind === "result") throw new SystemFailure("IPCTNL_MSG_CT_GET", message.errno);
      if (message.kind === "done") return { found, whole: whole && message.complete };
      if (!unwanted(message.flow)) continue;
      if (found.length < AT_ONCE) found.push(message.flow);
      else whole = false;
    }
  }
}

/** False when it had ended by itself. */
function remove(conversation: Conversation, flow: Flow): boolean {
  conversation.send(removeRequest(flow));
  const [answer] = conversation.receive();
  if (answer?.kind !== "result" || answer.errno === ENOENT) return false;
  if (answer.errno !== 0) throw new SystemFailure("IPCTNL_MSG_CT_DELETE", answer.errno);
  return true;
}

/** Netlink answers while it is asked: nothing here waits, and an answer that is not there does not come. */
class Conversation {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_OCTETS);

  constructor(fd: number) {
    this.#fd = fd;
  }

  send(request: Uint8Array): void {
    check("send(NETLINK_NETFILTER)", sys.send(this.#fd, request, request.byteLength, 0));
  }

  receive(): readonly ConntrackMessage[] {
    for (;;) {
      const length = sys.recv(this.#fd, this.#buffer, DATAGRAM_OCTETS, 0);
      if (length >= 0) return parseConntrack(this.#buffer.subarray(0, length));
      if (errno() !== ERRNO.eintr) throw new SystemFailure("recv(NETLINK_NETFILTER)");
    }
  }
}
