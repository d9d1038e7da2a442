import { arpRequest, decodeArp, encodeArp, gratuitousArp } from "#core/arp";
import { macOctets } from "#core/mac";
import { decodeNdp, neighbourSolicitation, unsolicitedAdvertisement, writeNdpChecksum } from "#core/ndp";
import { Responder } from "#core/responder";

const NODE = "02:be:77:00:00:11";
const EDGE = "02:be:77:00:00:01";
const HELD = ["192.0.2.100", "2001:db8::64"] as const;
const CARD = { name: "eth0", mac: macOctets(NODE) };

/** What was done with the frames. */
export interface FuzzResult {
  readonly answered: number;
  readonly malformed: number;
  readonly heapGrowth: number;
}

/**
 * Feeds a responder random frames, and valid ones with some octets changed.
 * Throws if it throws, or if an answer is not exactly what a second, slow
 * reading of the frame says it must be.
 */
export function fuzzResponder(frames: number, seed: number): FuzzResult {
  const random = generator(seed);
  const responder = new Responder();
  for (const address of HELD) responder.hold(address, null);
  responder.hold("192.0.2.200", ["eth1"]);
  const seeds = [
    arpRequest({ senderMac: EDGE, senderIp: "192.0.2.1", targetIp: HELD[0] }),
    arpRequest({ senderMac: EDGE, senderIp: "0.0.0.0", targetIp: HELD[0], targetMac: NODE }),
    arpRequest({ senderMac: EDGE, senderIp: "192.0.2.1", targetIp: "192.0.2.200" }),
    ...gratuitousArp(EDGE, HELD[0]),
    neighbourSolicitation({ senderMac: EDGE, source: "fe80::1", target: HELD[1] }),
    neighbourSolicitation({ senderMac: EDGE, source: "fe80::1", target: HELD[1], targetMac: NODE }),
    neighbourSolicitation({ senderMac: EDGE, source: "::", target: HELD[1] }),
    unsolicitedAdvertisement(EDGE, HELD[1]),
  ];
  const buffer = new Uint8Array(256);
  let answered = 0;
  let malformed = 0;
  let heapAt = 0;
  for (let count = 0; count < frames; count++) {
    if (count === Math.floor(frames / 10)) heapAt = heapUsed();
    const frame = buffer.subarray(0, fill(buffer, seeds, random));
    const outcome = responder.respond(frame, frame.byteLength, CARD);
    const want = expected(frame);
    if (outcome === "malformed") malformed += 1;
    if ((outcome === "answered") !== (want !== null))
      throw wrong(frame, `${outcome}, but ${want ?? "nothing"} was right`);
    if (outcome !== "answered") continue;
    answered += 1;
    const said = describe(responder.reply);
    if (said !== want) throw wrong(frame, `said ${said} instead of ${want}`);
  }
  responder.takeCounts();
  return { answered, malformed, heapGrowth: heapUsed() - heapAt };
}

function wrong(frame: Uint8Array, what: string): Error {
  return new Error(`${Buffer.from(frame).toString("hex")}: ${what}`);
}

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Length of the frame that now stands in the buffer. */
function fill(buffer: Uint8Array, seeds: readonly Uint8Array[], random: (below: number) => number): number {
  const seed = seeds[random(seeds.length)] ?? new Uint8Array();
  if (random(10) === 0) {
    const length = random(130);
    for (let at = 0; at < length; at++) buffer[at] = random(256);
    if (random(2) === 0) buffer.set(random(2) === 0 ? [0x08, 0x06] : [0x86, 0xdd], 12);
    return length;
  }
  buffer.fill(0);
  buffer.set(seed);
  for (let changes = random(4); changes > 0; changes--) buffer[random(seed.byteLength)] = random(256);
  let length = seed.byteLength;
  if (random(5) === 0) length = random(length + 40);
  // Half of the changed messages get a checksum that is right again, or nothing behind it would be reached.
  if (seed.byteLength > 60 && length >= seed.byteLength && random(2) === 0) {
    writeNdpChecksum(buffer.subarray(0, seed.byteLength));
  }
  return length;
}

/** A slow second opinion, in terms of decoded packets; null: no answer is right. */
function expected(frame: Uint8Array): string | null {
  const arp = decodeArp(frame);
  if (typeof arp === "object") {
    if (arp.operation !== 1 || arp.targetIp !== HELD[0]) return null;
    if (arp.ethernetDestination !== "ff:ff:ff:ff:ff:ff" && arp.ethernetDestination !== NODE) return null;
    if (arp.ethernetSource === NODE || arp.senderMac === NODE || isGroup(arp.senderMac)) return null;
    return `arp ${HELD[0]} is at ${NODE} for ${arp.senderIp} at ${arp.senderMac}`;
  }
  const ndp = decodeNdp(frame);
  if (typeof ndp === "string" || ndp.kind !== "solicitation" || ndp.target !== HELD[1]) return null;
  const group = ndp.ethernetDestination.startsWith("33:33:");
  if ((!group && ndp.ethernetDestination !== NODE) || ndp.ethernetSource === NODE) return null;
  if (ndp.source === "::") return `ndp ${HELD[1]} is at ${NODE} for ff02::1 at 33:33:00:00:00:01`;
  const mac = ndp.linkLayer ?? (group ? null : ndp.ethernetSource);
  return mac === null || isGroup(mac) ? null : `ndp ${HELD[1]} is at ${NODE} for ${ndp.source} at ${mac} solicited`;
}

function describe(reply: Uint8Array): string {
  const arp = decodeArp(reply);
  if (typeof arp === "object") {
    const whole = Buffer.compare(encodeArp(arp), reply) === 0 && arp.operation === 2 && arp.ethernetSource === NODE;
    if (!whole || arp.ethernetDestination !== arp.targetMac) return "not a reply";
    return `arp ${arp.senderIp} is at ${arp.senderMac} for ${arp.targetIp} at ${arp.targetMac}`;
  }
  const ndp = decodeNdp(reply);
  if (typeof ndp === "string" || ndp.kind !== "advertisement" || ndp.source !== ndp.target || !ndp.override)
    return "not one";
  const to = `for ${ndp.destination} at ${ndp.ethernetDestination}`;
  return `ndp ${ndp.target} is at ${ndp.linkLayer} ${to}${ndp.solicited ? " solicited" : ""}`;
}

function isGroup(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/** xorshift32: the same frames for the same seed, everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
