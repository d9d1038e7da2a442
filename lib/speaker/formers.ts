import type { NodeFacts } from "#core/election";
import { type FormerAnnouncers, formerAnnouncers, hopTo } from "#core/former";
import type { PassOn } from "#net/port";
import { sleep } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Metrics } from "#runtime/metrics";
import { ByAddress } from "./by-address.ts";
import type { SpeakerDeps } from "./deps.ts";
import type { Membership } from "./membership.ts";
import { askWire, type WireDeps } from "./who-has.ts";
import type { Decision, World } from "./world.ts";

/** How long a former announcer that is dead has to show that its kernel is not, and how often it is asked again. */
const LOOK = { waitMs: 200, againMs: 80 } as const;
const LOOK_EVERY_MS = 1000;
const BEGIN_WITHIN_MS = 1000;

interface FormersDeps extends WireDeps {
  readonly node: string;
  readonly passOn: PassOn;
  readonly metrics: Metrics;
  readonly log: Log;
  /** A node's own addresses, canonical texts; empty when there is no such node. */
  readonly addressesOf: (node: string) => readonly string[];
  /** Whether its speaker is heard. */
  readonly isAlive: (node: string) => boolean;
  /** All nodes as they are now; this one is not alive. */
  readonly others: () => readonly NodeFacts[];
  /** An election for one Service among these nodes; null when it is gone. */
  readonly decide: (key: string, nodes: readonly NodeFacts[]) => Decision | null;
  /** As `mayCarry` of `formerAnnouncers`. */
  readonly mayCarry: (key: string, node: string) => boolean;
}

/** For one speaker; null where nothing can be passed on. */
export function formersOf(deps: SpeakerDeps, world: World, members: Membership): Formers | null {
  const { passOn, nodeName: node, nodeAddress: senderIp } = deps;
  if (passOn === undefined) return null;
  return new Formers({
    ...deps,
    node,
    passOn,
    senderIp,
    announces: () => false,
    addressesOf: (name) => world.addressesOf(name),
    isAlive: (name) => members.peers.some((peer) => peer.node === name && peer.alive),
    others: () => world.nodeFacts(new Map(members.peers.map((peer) => [peer.node, peer]))),
    decide: (key, nodes) => world.decide(key, nodes),
    mayCarry: (key, name) => world.mayServe(key, name),
  });
}

/**
 * Keeps the connections that were open when an address moved here: segments
 * of connections that began on the node that announced it before go there.
 *
 * The hops are set long before they are needed, while that node still announces, so that a takeover
 * waits for nothing. A dead speaker is no dead node, its kernel forwards as before; but a node that does not
 * answer for its own address would swallow what should be refused.
 */
export class Formers {
  readonly #deps: FormersDeps;
  /** The node that announced before. */
  readonly #nodes = new ByAddress<string>();
  /** Nodes that are dead and do not answer on the wire either. */
  #silent: ReadonlySet<string> = new Set();
  #cancelLook: (() => void) | null = null;
  #looking = false;
  /** Something changed during a look: what it saw may be over. */
  #lookAgain = false;
  #closed = false;

  constructor(deps: FormersDeps) {
    this.#deps = deps;
    const gauge = deps.metrics.gauge(
      "berth_speaker_former_announcers",
      "Addresses whose open TCP connections are passed on to the node that announced them before.",
    );
    deps.metrics.onRender(() => gauge.set({}, [...this.#nodes].filter(([one]) => this.#hop(one) !== null).length));
  }

  /**
   * Before this process takes part: whoever wins without it announces now, and had connections opened. Resolves when
   * that is in force, as what it wins back is announced at once; after a second in any case.
   */
  async begin(keys: readonly string[]): Promise<void> {
    const { decide, others, passOn, clock } = this.#deps;
    const nodes = others();
    for (const key of keys) this.note(key, decide(key, nodes));
    await Promise.race([passOn.settled(), sleep(clock, BEGIN_WITHIN_MS)]);
  }

  /** Takes note of an election; null: the Service is gone. What appears later was announced by nobody. */
  note(key: string, decision: Decision | null): void {
    const { node: self, mayCarry } = this.#deps;
    const after = formerAnnouncers(this.#nodes.of(key), {
      self,
      winner: decision?.answer.winner ?? null,
      addresses: decision?.addresses ?? [],
      mayCarry: (node) => mayCarry(key, node),
    });
    this.#set(key, after);
  }

  /** We were not heard, or did not hear: whoever wins without us may have stood in. */
  healed(decisions: Iterable<Decision>): void {
    const { node: self, decide, others } = this.#deps;
    const nodes = others();
    for (const decision of decisions) {
      const node = decision.answer.winner === self ? decide(decision.key, nodes)?.answer.winner : null;
      if (typeof node !== "string") continue;
      const { key, addresses } = decision;
      this.#set(key, new Map(addresses.map((address) => [address, node])));
    }
    void this.#look();
  }

  /** Members, or the addresses of nodes, changed. */
  refresh(): void {
    for (const [address] of this.#nodes) this.#apply(address);
    this.#lookAgain = this.#looking;
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
  }

  #set(key: string, nodes: FormerAnnouncers): void {
    for (const address of this.#nodes.set(key, nodes)) this.#apply(address);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#closed) return;
    this.#cancelLook?.();
    this.#cancelLook = null;
    const { addressesOf, isAlive, clock } = this.#deps;
    const used = new Set([...this.#nodes].flatMap(([, said]) => [...said.values()]));
    const dead = [...used].filter((node) => !isAlive(node));
    if (dead.length > 0) {
      this.#looking = true;
      const seen = await askWire(this.#deps, dead.flatMap(addressesOf), LOOK);
      this.#looking = false;
      const answering = new Set(seen.flatMap(({ address, answers }) => (answers.length > 0 ? address : [])));
      this.#know(new Set(dead.filter((node) => !addressesOf(node).some((address) => answering.has(address)))));
      if (this.#closed) return;
      this.#cancelLook = clock.schedule(this.#lookAgain ? 0 : LOOK_EVERY_MS, () => void this.#look());
      this.#lookAgain = false;
    } else this.#know(new Set());
  }

  #know(silent: ReadonlySet<string>): void {
    const before = this.#silent;
    this.#silent = silent;
    if (this.#closed) return;
    for (const member of silent.values()) {
      if (!before.has(member))
        this.#deps.log.info("former announcer does not answer: nothing is passed on to it", { member });
    }
    for (const member of before) {
      if (!silent.has(member)) this.#deps.log.info("former announcer answers again", { member });
    }
    for (const [address, said] of this.#nodes) {
      if ([...said.values()].some((node) => silent.has(node) !== before.has(node))) this.#apply(address);
    }
  }

  #apply(address: string): void {
    this.#deps.passOn.set(address, this.#hop(address));
  }

  #hop(address: string): string | null {
    const [node] = this.#nodes.at(address).values();
    if (node === undefined || this.#silent.has(node)) return null;
    return hopTo(address, this.#deps.addressesOf(node));
  }
}
