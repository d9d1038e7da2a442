import { type Address, formatAddress, parseRange, rangeContains, tryParseAddress } from "#core/address";
import { globally, instance, member, text } from "./signature.ts";
import { CelError, Cidr, Ip, type Value } from "./values.ts";

const BITS = { 4: 32, 6: 128 } as const;

/** Addresses as Kubernetes' library reads them: strict, no zone, no IPv4 inside IPv6. */
function readIp(value: string): Ip | undefined {
  const address = tryParseAddress(value);
  if (address === null || (address.family === 6 && address.value >> 32n === 0xffffn)) return undefined;
  return new Ip(address);
}

function parseIp(value: string): Ip {
  const ip = readIp(value);
  if (ip === undefined)
    throw new CelError(`IP Address ${JSON.stringify(value)} parse error during conversion from string`);
  return ip;
}

function readCidr(value: string): Cidr | undefined {
  const [address = "", length = "", ...more] = value.split("/");
  const ip = readIp(address);
  if (ip === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  if (Number(length) > BITS[ip.address.family]) return undefined;
  return new Cidr(ip.address, Number(length), parseRange(value));
}

function parseCidr(value: string): Cidr {
  const cidr = readCidr(value);
  if (cidr === undefined)
    throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(value)}`);
  return cidr;
}

export function ipText(ip: Ip): string {
  return formatAddress(ip.address);
}

export function cidrText(cidr: Cidr): string {
  return `${formatAddress(cidr.address)}/${cidr.length}`;
}

function asIp(value: Value | undefined): Address {
  return value instanceof Ip ? value.address : parseIp(text(value)).address;
}

function asCidr(value: Value | undefined): Cidr {
  return value instanceof Cidr ? value : parseCidr(text(value));
}

/** A fact about an address, by family. */
function fact(name: string, v4: (value: bigint) => boolean, v6: (value: bigint) => boolean) {
  return member(name, 0, ([ip]) => {
    const { family, value } = instance(Ip, ip).address;
    return family === 4 ? v4(value) : v6(value);
  });
}

const loopback4 = (value: bigint) => value >> 24n === 127n;
const linkLocal4 = (value: bigint) => value >> 16n === 0xa9fen;
const linkLocal6 = (value: bigint) => value >> 118n === 0x3fan;
const multicast4 = (value: bigint) => value >> 28n === 0xen;
const multicast6 = (value: bigint) => value >> 120n === 0xffn;

/** Kubernetes' IP and CIDR libraries. */
export const NETWORK = [
  globally("isIP", 1, ([value]) => readIp(text(value)) !== undefined),
  globally("ip", 1, ([value]) => parseIp(text(value))),
  globally("ip.isCanonical", 1, ([value]) => ipText(parseIp(text(value))) === text(value)),
  member("family", 0, ([ip]) => BigInt(instance(Ip, ip).address.family)),
  fact(
    "isUnspecified",
    (value) => value === 0n,
    (value) => value === 0n,
  ),
  fact("isLoopback", loopback4, (value) => value === 1n),
  fact("isLinkLocalUnicast", linkLocal4, linkLocal6),
  fact(
    "isLinkLocalMulticast",
    (value) => value >> 8n === 0xe00000n,
    (value) => value >> 112n === 0xff02n,
  ),
  fact(
    "isGlobalUnicast",
    (value) => !(value === 0n || value === 0xffffffffn || loopback4(value) || linkLocal4(value) || multicast4(value)),
    (value) => !(value === 0n || value === 1n || linkLocal6(value) || multicast6(value)),
  ),
  globally("isCIDR", 1, ([value]) => readCidr(text(value)) !== undefined),
  globally("cidr", 1, ([value]) => parseCidr(text(value))),
  member("containsIP", 1, ([cidr, ip]) => rangeContains(instance(Cidr, cidr).range, asIp(ip))),
  member("containsCIDR", 1, ([cidr, other]) => {
    const outer = instance(Cidr, cidr);
    const inner = asCidr(other);
    return outer.length <= inner.length && rangeContains(outer.range, inner.address);
  }),
  member("ip", 0, ([cidr]) => new Ip(instance(Cidr, cidr).address)),
  member("masked", 0, ([cidr]) => {
    const { range, length } = instance(Cidr, cidr);
    return new Cidr(range.first, length, range);
  }),
  member("prefixLength", 0, ([cidr]) => BigInt(instance(Cidr, cidr).length)),
] as const;
