import type { WireObservation } from "#api/metallb";
import { canonicalText, tryParseAddress } from "#core/address";
import { claimIn, whoHasFrame } from "#core/who-has";
import type { Link } from "#net/port";
import type { Clock } from "#runtime/clock";
import { usableInterfaces } from "./interfaces.ts";

/** How long answers are waited for, and when the question is repeated. */
const WAIT_MS = 250;
const ASK_AGAIN_MS = 100;
/** After a busy spell what came in time is read after the timer that ends the wait. */
const LATE_MS = 5;
const MAX_ADDRESSES = 256;
/** Of one address: more say nothing new, and anybody may make up as many as they like. */
const ANSWERS_MAX = 16;

/** The question of the annotation `berth.dev/who-has`: "<nonce> <address>[,<address>…]". */
interface WhoHas {
  readonly nonce: string;
  /** Canonical texts of either family, without repeats, at most 256; what is no address is left out. */
  readonly addresses: readonly string[];
}

/** Null when there is nothing that could be answered, not even with the nonce. */
export function parseWhoHas(annotation: string | undefined): WhoHas | null {
  const [nonce = "", list = ""] = (annotation ?? "").trim().split(/\s+/, 2);
  if (nonce === "" || nonce.length > 100) return null;
  const addresses = list.split(",").flatMap((text) => (tryParseAddress(text) === null ? [] : canonicalText(text)));
  return { nonce, addresses: [...new Set(addresses)].slice(0, MAX_ADDRESSES) };
}

export interface WireDeps {
  readonly link: Link;
  readonly clock: Clock;
  /** Our own IPv4 address where the interface does not say one; anything else asks as a probe of RFC 5227. */
  readonly senderIp: string;
  readonly announces: (ip: string, interfaceName: string) => boolean;
}

type Answer = WireObservation["answers"][number];

/** How long, and where: the defaults are those of a question that a person asks. */
export interface AskOptions {
  readonly waitMs?: number;
  /** The question is repeated once after so long. */
  readonly againMs?: number;
  /** Names of the interfaces to ask on; null or absent: on all that are usable. */
  readonly interfaces?: readonly string[] | null;
}

/**
 * Asks by ARP or Neighbour Solicitation who has the addresses (canonical texts), for 250 ms. Reports each
 * MAC that answers once per interface, in order of arrival, ourselves first
 * (`self`) where `announces` says so: nobody hears their own answers.
 */
export function askWire(
  deps: WireDeps,
  addresses: readonly string[],
  { waitMs = WAIT_MS, againMs = ASK_AGAIN_MS, interfaces = null }: AskOptions = {},
): Promise<readonly WireObservation[]> {
  const { link, clock, announces } = deps;
  const cards = usableInterfaces(link.info()).filter(({ name }) => interfaces?.includes(name) ?? true);
  const askedAt = new Date(clock.now()).toISOString();
  const startedAt = clock.monotonic();
  const answers = new Map<string, Answer[]>(
    addresses.map((ip) => [
      ip,
      cards.filter(({ name }) => announces(ip, name)).map(({ name, mac }) => ({ mac, interface: name, self: true })),
    ]),
  );
  const ask = () => sendQuestions(deps, addresses, (name) => cards.some((card) => card.name === name));
  const ignore = link.attend(addresses);
  const stop = link.frames((frame, name) => {
    const claim = claimIn(frame);
    if (claim === null || !cards.some((card) => card.name === name)) return;
    const known = answers.get(claim.ip);
    if (
      known === undefined ||
      known.length >= ANSWERS_MAX ||
      known.some((one) => one.mac === claim.mac && one.interface === name)
    )
      return;
    known.push({ mac: claim.mac, interface: name, rttMs: round(clock.monotonic() - startedAt) });
  });
  ask();
  clock.schedule(againMs, ask);
  return new Promise((resolve) => {
    const finish = () => {
      stop();
      ignore();
      resolve(addresses.map((address) => ({ address, askedAt, answers: answers.get(address) ?? [] })));
    };
    clock.schedule(waitMs, () => void clock.schedule(LATE_MS, finish));
  });
}

/** Sends the questions on every usable interface that `isOn` allows; whoever listens gets the answers. */
export function sendQuestions(
  { link, senderIp }: Pick<WireDeps, "link" | "senderIp">,
  addresses: readonly string[],
  isOn: (interfaceName: string, address: string) => boolean,
): void {
  for (const { name, mac, addresses: own = [] } of usableInterfaces(link.info())) {
    for (const target of addresses) {
      if (isOn(name, target)) link.send(name, whoHasFrame(target, { mac, own: [...own, senderIp] }));
    }
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
