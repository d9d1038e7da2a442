/** Numbers and structures of the Linux socket interface; all platforms we run on are little-endian with 64-bit pointers. */

export const AF = { inet6: 10, netlink: 16, packet: 17 } as const;
/** Non-blocking and closed on exec, for every socket. */
export const SOCK = { dgram: 2 | 0o2004000, raw: 3 | 0o2004000 } as const;
export const ETHERTYPE = { arp: 0x0806, ipv6: 0x86dd } as const;
export const OPTION = {
  socket: 1,
  receiveBuffer: 8,
  attachFilter: 26,
  receiveBufferForce: 33,
  packet: 263,
  packetStatistics: 6,
  ipv6: 41,
  joinGroup: 20,
  leaveGroup: 21,
} as const;
export const ERRNO = { eperm: 1, eintr: 4, eagain: 11, enomem: 12, enetdown: 100, enobufs: 105 } as const;
/** RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR as the bits of `nl_groups`. */
const NETLINK_GROUPS = 0x1 | 0x10 | 0x100;

/** struct sockaddr_ll, 20 octets. */
export function packetAddress(ethertype: number, index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint16(0, AF.packet, true);
  view.setUint16(2, ethertype);
  view.setInt32(4, index, true);
  return new Uint8Array(view.buffer);
}

/** struct sockaddr_nl, 12 octets, for changes of links and addresses. */
export function netlinkAddress(): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint16(0, AF.netlink, true);
  view.setUint32(8, NETLINK_GROUPS, true);
  return new Uint8Array(view.buffer);
}

/** struct ipv6_mreq, 20 octets. */
export function membership(group: Uint8Array, index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setInt32(16, index, true);
  const octets = new Uint8Array(view.buffer);
  octets.set(group);
  return octets;
}

/** struct sock_fprog, 16 octets: how many instructions, and where they are. */
export function filterProgram(instructions: number, address: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint16(0, instructions, true);
  view.setBigUint64(8, address, true);
  return new Uint8Array(view.buffer);
}

/** An int, as most socket options want it. */
export function int(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setInt32(0, value, true);
  return new Uint8Array(view.buffer);
}
