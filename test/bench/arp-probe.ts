/**
 * Asks by ARP and measures, in a process of its own on the client's host:
 *   node arp-probe.ts latency INTERFACE COUNT GAP_MS IP…   one request in flight, the addresses in turn
 *   node arp-probe.ts flood INTERFACE SECONDS IP           64 requests in flight, answers counted
 * Stamps before it sends. Prints one line of JSON.
 */
import koffi from "koffi";
import { addressOctets, parseAddress } from "#core/address";
import { arpRequest } from "#core/arp";
import { macAt } from "#core/mac";
import { long, sameOctets } from "#core/octets";
import { errno, sys } from "#net/packet/ffi";
import { arpFilter } from "#net/packet/filter";
import { ETHERTYPE } from "#net/packet/layouts";
import { openPacketSocket } from "#net/packet/socket";

const libc = koffi.load(null);
const poll = libc.func("int poll(uint8_t *fds, unsigned long n, int timeout)") as (
  fds: Uint8Array,
  count: number,
  timeoutMs: number,
) => number;
const indexOf = libc.func("uint32_t if_nametoindex(const char *name)") as (name: string) => number;

const WAIT_MS = 1000;
const IN_FLIGHT = 64;
const [mode = "", interfaceName = "", amount = "", ...rest] = process.argv.slice(2);
const MAC = "02:be:00:00:00:01";
const SENDER = "192.0.2.1";
const octetsOf = (ip: string) => addressOctets(parseAddress(ip));
const requestFor = (ip: string) => arpRequest({ senderMac: MAC, senderIp: SENDER, targetIp: ip });
const addresses = mode === "latency" ? rest.slice(1) : rest;
const watched = addresses.map((ip) => long(octetsOf(ip), 0));
const fd = openPacketSocket(ETHERTYPE.arp, indexOf(interfaceName), arpFilter({ held: [], watched }));
const buffer = new Uint8Array(2048);
const pollfd = new Uint8Array(8);
new DataView(pollfd.buffer).setInt32(0, fd, true);
pollfd[4] = 1;
const idle = new Uint8Array(8);
new DataView(idle.buffer).setInt32(0, -1, true);

/** Microseconds until the answer, or null when none came in a second. */
function ask(request: Uint8Array, target: Uint8Array): { readonly us: number; readonly mac: string } | null {
  while (sys.recv(fd, buffer, buffer.byteLength, 0) >= 0);
  const from = process.hrtime.bigint();
  if (sys.send(fd, request, request.byteLength, 0) < 0) throw new Error(`send: errno ${errno()}`);
  for (;;) {
    const length = sys.recv(fd, buffer, buffer.byteLength, 0);
    if (length < 0) {
      if (poll(pollfd, 1, WAIT_MS) === 0) return null;
      continue;
    }
    if (buffer[21] === 2 && sameOctets(buffer, 28, target)) {
      return { us: Number(process.hrtime.bigint() - from) / 1000, mac: macAt(buffer, 22) };
    }
  }
}

function latency(count: number, gapMs: number): unknown {
  const asked = addresses.map((ip) => ({
    ip,
    request: requestFor(ip),
    target: octetsOf(ip),
    us: [] as number[],
    lost: 0,
  }));
  for (let n = 0; n < count + 50; n++) {
    for (const one of asked) {
      if (gapMs > 0) poll(idle, 1, gapMs);
      const answer = ask(one.request, one.target);
      // The first ones warm up.
      if (n < 50) continue;
      if (answer === null) one.lost += 1;
      else one.us.push(answer.us);
    }
  }
  return asked.map(({ ip, us, lost }) => {
    const sorted = us.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return { ip, count: us.length, lost, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
  });
}

function flood(seconds: number): unknown {
  const request = requestFor(addresses[0] ?? "");
  const from = performance.now();
  let sent = 0;
  let answered = 0;
  while (performance.now() - from < seconds * 1000) {
    while (sent - answered < IN_FLIGHT && sys.send(fd, request, request.byteLength, 0) >= 0) sent += 1;
    let got = 0;
    while (sys.recv(fd, buffer, buffer.byteLength, 0) >= 0) got += 1;
    answered += got;
    // Something was lost: forget what is in flight.
    if (got === 0 && poll(pollfd, 1, 20) === 0) sent = answered;
  }
  return { perSecond: Math.round(answered / ((performance.now() - from) / 1000)) };
}

const result = mode === "latency" ? latency(Number(amount), Number(rest[0])) : flood(Number(amount));
process.stdout.write(`${JSON.stringify(result)}\n`);
sys.close(fd);
