/**
 * The system calls behind the packet sockets, through koffi: the one file that
 * imports it. Its `node.poll` is not used: waking through libuv costs 20 µs
 * more than a thread that waits in epoll by itself (see loop.ts), it is marked
 * "may change", and it has traps (a handle that is not referenced falls silent,
 * as does one whose callback throws).
 */
import koffi from "koffi";

// null: the C library of this very process, glibc or musl.
const libc = koffi.load(null);

/** Calls answer -1 for an error; `errno()` says which, until the next call. Buffers must outlive the call, no longer. */
export const sys = {
  socket: libc.func("int socket(int domain, int type, int protocol)") as (d: number, t: number, p: number) => number,
  bind: libc.func("int bind(int fd, const uint8_t *addr, uint32_t len)") as (
    fd: number,
    address: Uint8Array,
    length: number,
  ) => number,
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const uint8_t *val, uint32_t len)") as (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: number,
  ) => number,
  getsockopt: libc.func("int getsockopt(int fd, int level, int name, uint8_t *val, uint8_t *len)") as (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: Uint8Array,
  ) => number,
  recv: libc.func("int recv(int fd, uint8_t *buf, size_t len, int flags)") as (
    fd: number,
    into: Uint8Array,
    length: number,
    flags: number,
  ) => number,
  send: libc.func("int send(int fd, const uint8_t *buf, size_t len, int flags)") as (
    fd: number,
    from: Uint8Array,
    length: number,
    flags: number,
  ) => number,
  read: libc.func("int read(int fd, uint8_t *buf, size_t len)") as (
    fd: number,
    into: Uint8Array,
    length: number,
  ) => number,
  close: libc.func("int close(int fd)") as (fd: number) => number,
  /** Moves this thread, and only it, into the namespace that `fd` names; threads it starts later begin there. */
  setns: libc.func("int setns(int fd, int kind)") as (fd: number, kind: number) => number,
  eventfd: libc.func("int eventfd(uint32_t initial, int flags)") as (initial: number, flags: number) => number,
  epollCreate: libc.func("int epoll_create1(int flags)") as (flags: number) => number,
  epollControl: libc.func("int epoll_ctl(int epoll, int op, int fd, uint8_t *event)") as (
    epoll: number,
    operation: number,
    fd: number,
    event: Uint8Array,
  ) => number,
  /** Blocks this thread. */
  epollWait: libc.func("int epoll_wait(int epoll, uint8_t *events, int max, int timeout)") as (
    epoll: number,
    events: Uint8Array,
    max: number,
    timeoutMs: number,
  ) => number,
};

/** The error of the last call of this thread. */
export function errno(): number {
  return koffi.errno();
}

/** Where a buffer is; it must be kept alive for as long as the kernel may look there. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer);
}

/** Calls about this process's own memory; null where the C library has them not (musl). */
export function memoryCalls(): {
  /** Gives back to the system what was freed. */
  readonly trim: (keepOctets: number) => number;
  readonly advise: (address: bigint, octets: number, advice: number) => number;
} | null {
  try {
    return {
      trim: libc.func("int malloc_trim(size_t keep)") as (keep: number) => number,
      advise: libc.func("int madvise(uintptr_t address, size_t octets, int advice)") as (
        address: bigint,
        octets: number,
        advice: number,
      ) => number,
    };
  } catch {
    return null;
  }
}
