import { addressOf, errno, sys } from "./ffi.ts";
import { AF, ERRNO, filterProgram, int, netlinkAddress, OPTION, packetAddress, SOCK } from "./layouts.ts";
import type { Loop } from "./loop.ts";

/** A system call failed; `errno` says how. */
export class SystemFailure extends Error {
  readonly call: string;
  readonly errno: number;

  /** Without `code`: what the last call of this thread ended with. */
  constructor(call: string, code: number = errno()) {
    super(`${call}: errno ${code}`);
    this.call = call;
    this.errno = code;
  }
}

/** What a call returned; throws SystemFailure below zero. */
export function check(call: string, result: number): number {
  if (result < 0) throw new SystemFailure(call);
  return result;
}

const RECEIVE_BUFFER = 1024 * 1024;
/** Frames for each time we are woken, so that one flooded interface does not starve the others. */
const BUDGET = 256;

/**
 * A packet socket on one interface and one ethertype. It gets nothing before
 * filter and interface are set. Throws SystemFailure (EPERM without NET_RAW,
 * ENODEV when the interface has just gone).
 */
export function openPacketSocket(ethertype: number, index: number, filter: Uint8Array): number {
  // Protocol 0 receives nothing until bind() names one: no frame of another interface slips in before.
  const fd = check("socket(AF_PACKET)", sys.socket(AF.packet, SOCK.raw, 0));
  try {
    attachFilter(fd, filter);
    const size = int(RECEIVE_BUFFER);
    // Beyond the system's limit with NET_ADMIN, up to it without.
    if (sys.setsockopt(fd, OPTION.socket, OPTION.receiveBufferForce, size, 4) < 0) {
      sys.setsockopt(fd, OPTION.socket, OPTION.receiveBuffer, size, 4);
    }
    const address = packetAddress(ethertype, index);
    check("bind(AF_PACKET)", sys.bind(fd, address, address.byteLength));
    return fd;
  } catch (failure) {
    sys.close(fd);
    throw failure;
  }
}

const pinned: Uint8Array[] = [];

/** Replaces the filter of a socket, in one step. Throws SystemFailure. */
export function attachFilter(fd: number, filter: Uint8Array): void {
  const program = filterProgram(filter.byteLength / 8, addressOf(filter));
  // The kernel is given its address as a number, which keeps nothing alive.
  pinned.push(filter);
  const result = sys.setsockopt(fd, OPTION.socket, OPTION.attachFilter, program, program.byteLength);
  pinned.pop();
  check("SO_ATTACH_FILTER", result);
}

/** Frames that found the receive queue full since the last call. */
export function takeOverruns(fd: number): number {
  const statistics = new Uint8Array(8);
  if (sys.getsockopt(fd, OPTION.packet, OPTION.packetStatistics, statistics, int(8)) < 0) return 0;
  return new DataView(statistics.buffer).getUint32(4, true);
}

/** A socket that hears of every change of links and addresses. Throws SystemFailure. */
export function openNetlinkSocket(): number {
  const fd = check("socket(AF_NETLINK)", sys.socket(AF.netlink, SOCK.raw, 0));
  const address = netlinkAddress();
  if (sys.bind(fd, address, address.byteLength) >= 0) return fd;
  const failure = new SystemFailure("bind(AF_NETLINK)");
  sys.close(fd);
  throw failure;
}

/** A descriptor that is read whenever it has something. */
export interface Reader {
  close(): void;
}

/**
 * Reads `fd` until it is empty each time there is something, into one buffer
 * of `size` octets. `onError` gets what recv() reports except "nothing there":
 * ENETDOWN when the link goes down (the socket goes on by itself when it comes
 * back), ENOBUFS when netlink lost messages.
 */
export function readWhole(
  loop: Loop,
  fd: number,
  options: {
    readonly size: number;
    readonly onData: (bytes: Uint8Array, length: number) => void;
    readonly onError: (errno: number) => void;
  },
): Reader {
  const { size, onData, onError } = options;
  const buffer = new Uint8Array(new ArrayBuffer(size));
  let open = true;
  loop.watch(fd, () => {
    for (let count = 0; open && count < BUDGET; count++) {
      const length = sys.recv(fd, buffer, size, 0);
      if (length >= 0) {
        onData(buffer, length);
        continue;
      }
      const code = errno();
      if (code === ERRNO.eagain) return;
      // recv() has cleared the error: the next round reads on.
      if (code !== ERRNO.eintr) onError(code);
    }
  });
  return {
    close() {
      if (!open) return;
      open = false;
      loop.unwatch(fd);
      sys.close(fd);
    },
  };
}
