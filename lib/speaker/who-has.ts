import type { WireObservation } from "#api/metallb";
import { tryParseAddress } from "#core/address";
import { arpRequest, decodeArp } from "#core/arp";
import type { Link } from "#net/port";
import type { Clock } from "#runtime/clock";
import { usableInterfaces } from "./interfaces.ts";

/** How long answers are waited for, and when the question is repeated. */
const WAIT_MS = 250;
const ASK_AGAIN_MS = 100;
const MAX_ADDRESSES = 256;

/** The question of the annotation `berth.dev/who-has`: "<nonce> <address>[,<address>…]". */
export interface WhoHas {
  readonly nonce: string;
  /** IPv4 only, without repeats, at most 256; whatever else was asked for is left out. */
  readonly addresses: readonly string[];
}

/** Null when there is nothing that could be answered, not even with the nonce. */
export function parseWhoHas(annotation: string | undefined): WhoHas | null {
  const [nonce = "", list = ""] = (annotation ?? "").trim().split(/\s+/, 2);
  if (nonce === "" || nonce.length > 100) return null;
  const addresses = list.split(",").filter((text) => tryParseAddress(text)?.family === 4);
  return { nonce, addresses: [...new Set(addresses)].slice(0, MAX_ADDRESSES) };
}

export interface WireDeps {
  readonly link: Link;
  readonly clock: Clock;
  /** Our own IPv4 address on the wire; anything else asks as a probe of RFC 5227. */
  readonly senderIp: string;
  readonly announces: (ip: string, interfaceName: string) => boolean;
}

type Answer = WireObservation["answers"][number];

/**
 * Asks every usable interface who has the addresses, for 250 ms. Reports each
 * MAC that answers once per interface, in order of arrival, ourselves first
 * (`self`) where `announces` says so: nobody hears their own answers.
 */
export function askWire(deps: WireDeps, addresses: readonly string[]): Promise<readonly WireObservation[]> {
  const { link, clock, announces } = deps;
  const senderIp = tryParseAddress(deps.senderIp)?.family === 4 ? deps.senderIp : "0.0.0.0";
  const cards = usableInterfaces(link.info());
  const askedAt = new Date(clock.now()).toISOString();
  const startedAt = clock.monotonic();
  const answers = new Map<string, Answer[]>(
    addresses.map((ip) => [
      ip,
      cards.filter(({ name }) => announces(ip, name)).map(({ name, mac }) => ({ mac, interface: name, self: true })),
    ]),
  );
  const ask = () => {
    for (const { name, mac } of cards) {
      for (const targetIp of addresses) link.send(name, arpRequest({ senderMac: mac, senderIp, targetIp }));
    }
  };
  const stop = link.frames((frame, name) => {
    const packet = decodeArp(frame);
    if (typeof packet === "string" || packet.operation !== 2) return;
    const known = answers.get(packet.senderIp);
    if (known === undefined || known.some((one) => one.mac === packet.senderMac && one.interface === name)) return;
    known.push({ mac: packet.senderMac, interface: name, rttMs: round(clock.monotonic() - startedAt) });
  });
  ask();
  clock.schedule(ASK_AGAIN_MS, ask);
  return new Promise((resolve) => {
    clock.schedule(WAIT_MS, () => {
      stop();
      resolve(addresses.map((address) => ({ address, askedAt, answers: answers.get(address) ?? [] })));
    });
  });
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
