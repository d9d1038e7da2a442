import type { WireObservation } from "#api/metallb";
import { judgeWire, type WireVerdict } from "#core/who-has";
import { sleep } from "#runtime/clock";
import { HAND_OVER_MS } from "./announcer.ts";
import { type AskOptions, askWire, sendQuestions, type WireDeps } from "./who-has.ts";

/** Each announced address is asked about once a second; of more than this many, so many a second, in turn. */
const ASKED_PER_TICK = 10;
const TICK_MS = 1000;
/** Hints that come together are looked into together. */
const SETTLE_MS = 100;
/** A look at the wire, repeated once. */
const LOOK: AskOptions = { waitMs: 200, againMs: 80 };
/** Two of our own nodes answer for a moment whenever one hands over to the other: only who still does so long after a look is news. */
const LASTS_MS = 400;
/** What was found is looked at again so often, and over when it was not seen twice. */
const LOOK_AGAIN_TICKS = 2;
const MISSES = 2;
/** Addresses looked into at once, and findings kept: what a hostile neighbour can make of us stays small. */
const SUSPECTS_MAX = 32;

interface WatchDeps extends WireDeps {
  readonly node: string;
  /** What is announced now, canonical texts. */
  readonly holding: () => readonly string[];
  /** Monotonic ms since when an address is announced; null when it is not. */
  readonly heldSince: (address: string) => number | null;
  /** What is not announced and nevertheless watched, because somebody else had it. */
  readonly quarantined: () => readonly string[];
  /** Node by MAC, as published; the best that is known. Never rejects. */
  readonly nodesByMac: () => Promise<ReadonlyMap<string, string>>;
  /** Node by its own address. */
  readonly nodesByAddress: () => ReadonlyMap<string, string>;
  /** An address near that one which nobody was given; null when there is none. `turn` asks for another one. */
  readonly unassigned: (address: string, turn: number) => string | null;
  /** A verdict other than before; "clear" ends it. */
  readonly onVerdict: (address: string, verdict: WireVerdict) => void;
}

/** Something that is wrong with an address. */
interface Finding {
  readonly verdict: WireVerdict;
  /** RFC 3339. */
  readonly since: string;
  readonly misses: number;
}

/**
 * Watches the wire for others who use what this node announces: asks in turn, takes hints from whatever the announcer
 * overhears, and looks into each before it believes it. Two answers are a finding within two seconds as long as a
 * node announces at most ten addresses, and whenever the second one announces itself.
 */
export class WireWatch {
  readonly #deps: WatchDeps;
  readonly #findings = new Map<string, Finding>();
  #suspects = new Set<string>();
  #looking = false;
  #next = 0;
  #ticks = 0;
  #turn = 0;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** What is wrong now, by address. */
  get findings(): ReadonlyMap<string, Finding> {
    return this.#findings;
  }

  /** Asks and looks until `close`. */
  start(): void {
    this.#cancel = this.#deps.clock.schedule(TICK_MS, () => {
      this.#tick();
      if (!this.#closed) this.start();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Another machine was heard to say that it has an address which this node announces. */
  heard(address: string, mac: string): void {
    const known = this.#findings.get(address)?.verdict.claimants.some((claimant) => claimant.mac === mac);
    if (known !== true) this.#suspect(address);
  }

  /** Asks the wire and says what the answers mean. Takes 0.2 s, and 0.2 s more when a MAC is not known. */
  async examine(
    addresses: readonly string[],
    interfaces: readonly string[] | null = null,
  ): Promise<ReadonlyMap<string, WireVerdict>> {
    const { unassigned } = this.#deps;
    const besides = new Map(addresses.map((address) => [address, unassigned(address, this.#turn++)]));
    const asked = new Set([...addresses, ...[...besides.values()].flatMap((address) => address ?? [])]);
    const heard = await this.#ask([...asked], { ...LOOK, interfaces });
    const nodeOf = await this.#whose(new Set(addresses.flatMap((address) => heard.get(address) ?? [])));
    return new Map(
      addresses.map((address) => {
        const control = besides.get(address) ?? null;
        const others = new Set(control === null ? [] : heard.get(control));
        return [address, judgeWire({ macs: heard.get(address) ?? [], unassigned: others, nodeOf })];
      }),
    );
  }

  /** Takes over a verdict: from now on it is looked at again and again until it is over. */
  settle(address: string, verdict: WireVerdict): void {
    const before = this.#findings.get(address);
    if (verdict.kind === "clear") {
      if (before === undefined) return;
      const misses = before.misses + 1;
      if (misses < MISSES) {
        this.#findings.set(address, { ...before, misses });
        return;
      }
      this.#findings.delete(address);
    } else {
      if (before === undefined && this.#findings.size >= SUSPECTS_MAX) return;
      const since = before?.since ?? new Date(this.#deps.clock.now()).toISOString();
      this.#findings.set(address, { verdict, since, misses: 0 });
      if (before !== undefined && JSON.stringify(before.verdict) === JSON.stringify(verdict)) return;
    }
    this.#deps.onVerdict(address, verdict);
  }

  #tick(): void {
    const { holding, announces, quarantined } = this.#deps;
    const held = holding();
    this.#ticks += 1;
    if (held.length > 0) {
      const from = this.#next % held.length;
      const turn = [...held, ...held].slice(from, from + Math.min(ASKED_PER_TICK, held.length));
      this.#next = from + turn.length;
      sendQuestions(this.#deps, turn, (name, address) => announces(address, name));
    }
    if (this.#ticks % LOOK_AGAIN_TICKS !== 0) return;
    for (const address of [...this.#findings.keys(), ...quarantined()]) this.#suspect(address);
  }

  #suspect(address: string): void {
    if (this.#suspects.size >= SUSPECTS_MAX || this.#closed) return;
    this.#suspects.add(address);
    if (this.#looking) return;
    this.#looking = true;
    this.#deps.clock.schedule(SETTLE_MS, () => void this.#lookInto());
  }

  async #lookInto(): Promise<void> {
    const { clock } = this.#deps;
    const suspects = this.#suspects;
    this.#suspects = new Set();
    const passing = await this.#judge(suspects, false);
    if (passing.length > 0) {
      await sleep(clock, Math.max(LASTS_MS, ...passing.map((address) => this.#handedOverIn(address))));
      await this.#judge(passing, true);
    }
    if (this.#closed) return;
    this.#looking = false;
    // Never more than one look at a time, so that a flood of claims costs no more than one claim does.
    const more = [...this.#suspects];
    this.#suspects = new Set();
    clock.schedule(TICK_MS, () => {
      for (const address of more) this.#suspect(address);
    });
  }

  /**
   * Looks at these and settles them; where it is not `again`, returns those which may be all right by themselves.
   * An address that is given up meanwhile is somebody else's business.
   */
  async #judge(addresses: Iterable<string>, again: boolean): Promise<readonly string[]> {
    const verdicts = await this.examine(this.#watched(addresses));
    const passing: string[] = [];
    for (const address of this.#watched(verdicts.keys())) {
      const verdict = verdicts.get(address);
      if (this.#closed || verdict === undefined) continue;
      if (!again && this.#mayPass(address, verdict.kind)) passing.push(address);
      else this.settle(address, verdict);
    }
    return passing;
  }

  #watched(addresses: Iterable<string>): readonly string[] {
    const { holding, quarantined } = this.#deps;
    const watched = new Set([...holding(), ...quarantined(), ...this.#findings.keys()]);
    return [...addresses].filter((address) => watched.has(address));
  }

  #mayPass(address: string, kind: WireVerdict["kind"]): boolean {
    return kind === "split_brain" && this.#findings.get(address)?.verdict.kind !== kind;
  }

  /** Milliseconds until whoever had it before must have fallen silent. */
  #handedOverIn(address: string): number {
    const { clock, heldSince } = this.#deps;
    return (heldSince(address) ?? Number.NEGATIVE_INFINITY) + HAND_OVER_MS - clock.monotonic();
  }

  async #ask(addresses: readonly string[], options: AskOptions): Promise<ReadonlyMap<string, readonly string[]>> {
    const seen: readonly WireObservation[] = await askWire(this.#deps, addresses, options);
    return new Map(seen.map(({ address, answers }) => [address, answers.map(({ mac }) => mac)]));
  }

  /** Which node has a MAC: as published, or because it answers for the node's own address too (a node without speaker). */
  async #whose(macs: ReadonlySet<string>): Promise<(mac: string) => string | null> {
    const { link, node, nodesByMac, nodesByAddress } = this.#deps;
    const own = new Set(link.info().map(({ mac }) => mac));
    const published = [...macs].every((mac) => own.has(mac)) ? new Map<string, string>() : await nodesByMac();
    const found = new Map<string, string>();
    if ([...macs].some((mac) => !own.has(mac) && !published.has(mac))) {
      const nodes = nodesByAddress();
      for (const [address, heard] of await this.#ask([...nodes.keys()], LOOK)) {
        for (const mac of heard) found.set(mac, nodes.get(address) ?? "");
      }
    }
    return (mac) => (own.has(mac) ? node : (published.get(mac) ?? found.get(mac) ?? null));
  }
}
