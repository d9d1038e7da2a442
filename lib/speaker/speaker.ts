import { configurationStatus } from "#api/configuration-state";
import type { OwnerReference } from "#api/kubernetes/objects";
import type { ConfigurationState, SpeakerState, SpeakerStateStatus } from "#api/metallb";
import { LABEL } from "#api/names";
import { CONFIGURATION_STATES, keyOf, SPEAKER_STATES } from "#api/resources";
import { errorsAmong } from "#core/findings";
import { sleep } from "#runtime/clock";
import type { Gauge } from "#runtime/metrics";
import { Announcements } from "./announcements.ts";
import { Announcer } from "./announcer.ts";
import type { SpeakerDeps } from "./deps.ts";
import { EventWriter } from "./events.ts";
import { type Formers, formersOf } from "./formers.ts";
import { Gathered } from "./gathered.ts";
import { usableInterfaces } from "./interfaces.ts";
import { Membership } from "./membership.ts";
import { learnOwner } from "./owner.ts";
import { PublishedObject } from "./published.ts";
import { speakerStatus } from "./state.ts";
import { L2StatusWriter } from "./status.ts";
import { handOverAll, Succession } from "./succession.ts";
import { Wire } from "./wire.ts";
import { type Decision, type Liveness, World } from "./world.ts";

/** Nobody is elected before the others had time to be heard. */
const LISTEN_MS = 500;
/** Several changes that come together make one election. */
const GATHER_MS = 5;
const STATE_APART_MS = 250;
const STATE_REFRESH_MS = 10_000;
const RESYNC_MS = 60_000;

/** One node's speaker: elects, announces what it wins, and says what it does. Wired up here, decided elsewhere. */
export class Speaker {
  readonly #deps: SpeakerDeps;
  readonly #signal: AbortSignal;
  readonly #world: World;
  readonly #members: Membership;
  readonly #announcer: Announcer;
  readonly #statuses: L2StatusWriter;
  readonly #state: PublishedObject<SpeakerState>;
  readonly #configuration: PublishedObject<ConfigurationState>;
  readonly #announcements: Announcements;
  readonly #wire: Wire;
  readonly #formers: Formers | null;
  readonly #loaded: Gauge;
  readonly #stale: Gauge;
  readonly #startedAt: string;
  readonly #decisions = new Map<string, Decision>();
  /** Services to elect anew. */
  readonly #dirty: Gathered;
  readonly #unsubscribe: () => void;
  #owners: readonly OwnerReference[] = [];
  /** Caches filled, and the others listened for. */
  #synced = false;
  #leaving = false;
  #hasElected = false;
  /** Services whose announcement survived a restart of this process: no news, no Event. */
  #inherited = new Set<string>();

  constructor(deps: SpeakerDeps, signal: AbortSignal) {
    const { cluster, link, clock, log, metrics, namespace, nodeName } = deps;
    this.#deps = deps;
    this.#signal = signal;
    this.#startedAt = this.#time();
    this.#loaded = metrics.gauge(
      "metallb_k8s_client_config_loaded_bool",
      "1 if the MetalLB configuration was successfully loaded at least once.",
    );
    this.#stale = metrics.gauge(
      "metallb_k8s_client_config_stale_bool",
      "1 if running on a stale configuration, because the latest config failed to load.",
    );
    this.#loaded.set({}, 0);
    this.#stale.set({}, 0);
    const onForeign = (ip: string, mac: string) => this.#wire.heard(ip, mac);
    this.#announcer = new Announcer({ link, clock, metrics, onForeign });
    const events = new EventWriter({ cluster, clock, log, node: nodeName });
    this.#dirty = new Gathered(clock, GATHER_MS, (keys) => (keys === null ? this.#electAll() : this.#elect(keys)));
    this.#announcements = new Announcements({
      node: nodeName,
      announcer: this.#announcer,
      events,
      metrics,
      log,
      time: () => this.#time(),
      service: (key) => this.#world.services.get(key),
      onChange: (key) => this.#statuses.touch(key),
    });
    this.#members = new Membership({
      ...deps,
      node: nodeName,
      port: deps.memberPort,
      onChange: (died) => (died.length === 0 ? this.#electAll() : this.#electAfterDeath()),
      onTook: (addresses) => {
        for (const ip of addresses) this.#announcer.succeeded(ip);
      },
      onHealed: () => {
        this.#announcer.sayAgain();
        this.#formers?.healed(this.#decisions.values());
      },
    });
    this.#world = new World(cluster, {
      namespace,
      lbClass: deps.lbClass ?? null,
      ignoreExcludeLabel: deps.ignoreExcludeLabel ?? false,
      onChange: (keys) => this.#dirty.add(keys),
      onNodes: () => this.#members.setAddresses(this.#world.addressesExcept(nodeName)),
      onConfig: () => this.#configChanged(),
      signal,
      soon: (task) => void clock.schedule(GATHER_MS, task),
    });
    this.#formers = formersOf(deps, this.#world, this.#members);
    const published = { cluster, namespace, clock, log, signal, owners: () => this.#owners };
    this.#statuses = new L2StatusWriter({
      ...published,
      node: nodeName,
      announced: (key) => this.#announcements.get(key),
      queue: { clock },
    });
    this.#wire = new Wire(deps, {
      announcer: this.#announcer,
      world: this.#world,
      events,
      signal,
      onChange: () => this.#state.touch(),
      again: (keys) => this.#dirty.add(keys),
    });
    const labels = { [LABEL.componentType]: "speaker", [LABEL.nodeName]: nodeName };
    this.#state = new PublishedObject<SpeakerState>({
      ...published,
      resource: SPEAKER_STATES,
      name: nodeName,
      labels,
      minIntervalMs: STATE_APART_MS,
      refreshMs: STATE_REFRESH_MS,
      render: () => this.#status(),
      onObject: (object) => this.#wire.questions.look(object),
    });
    this.#configuration = new PublishedObject<ConfigurationState>({
      ...published,
      resource: CONFIGURATION_STATES,
      name: `speaker-${nodeName}`,
      labels,
      minIntervalMs: 100,
      refreshMs: RESYNC_MS,
      render: (current) =>
        configurationStatus("configReconcilerValid", this.#world.config.findings, { current, now: this.#time() }),
    });
    this.#unsubscribe = link.onInfo(() => this.#tellSelf());
  }

  get ready(): boolean {
    return this.#synced && !this.#leaving && this.#deps.link.info().length > 0;
  }

  get healthy(): boolean {
    return this.#members.running;
  }

  /** Waits for the caches, then speaks until the signal aborts. Rejects only for a bug. */
  async run(): Promise<void> {
    const { clock, log } = this.#deps;
    const complain = () => {
      if (this.#synced || this.#signal.aborted) return;
      log.warn("still waiting for the first lists", { problems: this.#world.problems });
      clock.schedule(10_000, complain);
    };
    clock.schedule(5000, complain);
    void learnOwner(this.#deps, this.#signal).then((owners) => {
      this.#owners = owners;
      this.#state.touch();
      this.#configuration.touch();
    });
    try {
      await Promise.all([this.#world.whenSynced(this.#signal), this.#statuses.whenSynced(this.#signal)]);
      this.#members.setAddresses(this.#world.addressesExcept(this.#deps.nodeName));
      await sleep(clock, LISTEN_MS, this.#signal);
      await this.#formers?.begin(this.#world.services.list().map(keyOf));
      this.#signal.throwIfAborted();
    } catch (thrown) {
      if (this.#signal.aborted) return;
      throw thrown;
    }
    this.#synced = true;
    this.#inherited = new Set(this.#statuses.claimed());
    this.#configChanged();
    this.#tellSelf();
    this.#electAll();
    this.#resync();
    log.info("speaker ready", { services: this.#decisions.size, pools: this.#world.config.pools.length });
    await Promise.all([this.#statuses.run(), this.#state.run(), this.#configuration.run(), this.#wire.run()]);
  }

  /**
   * Leaves: others elect without us at once; what we announced is handed over,
   * which takes a second at most. Then it is forgotten.
   */
  async stop(): Promise<void> {
    const { clock, log } = this.#deps;
    this.#leaving = true;
    this.#members.leave();
    log.info("left the election", { announced: this.#announcer.holding.length });
    await handOverAll(this.#announcer, this.#members, clock);
    this.#announcements.clear();
    await Promise.race([Promise.all([this.#statuses.removeMine(), this.#state.flush()]), sleep(clock, 500)]);
    this.#unsubscribe();
    this.#formers?.close();
    this.#members.close();
    this.#announcer.close();
  }

  #resync(): void {
    this.#deps.clock.schedule(RESYNC_MS, () => {
      if (this.#signal.aborted) return;
      this.#statuses.resync([...this.#announcements.all.keys()]);
      this.#resync();
    });
  }

  #tellSelf(): void {
    this.#members.setSelf(this.ready, this.#interfaces());
    this.#state.touch();
  }

  #interfaces(): readonly string[] {
    return usableInterfaces(this.#deps.link.info()).map(({ name }) => name);
  }

  #configChanged(): void {
    if (this.#synced) this.#loaded.set({}, 1);
    this.#stale.set({}, errorsAmong(this.#world.config.findings).length > 0 ? 1 : 0);
    this.#configuration.touch();
  }

  /** At once. Losing a node that did not win changes no winner, so a death concerns only what the dead announced. */
  #electAfterDeath(): void {
    const liveness = this.#liveness();
    const isOrphan = ({ answer: { winner } }: Decision) => winner !== null && liveness.get(winner)?.alive !== true;
    this.#elect([...this.#decisions.values()].filter(isOrphan).map(({ key }) => key));
    this.#formers?.refresh();
  }

  #electAll(): void {
    this.#elect([...new Set([...this.#decisions.keys(), ...this.#world.services.list().map(keyOf)])]);
    this.#formers?.refresh();
  }

  #elect(keys: readonly string[]): void {
    // While leaving nothing is won or lost any more; before the lists are whole nothing is known.
    if (!this.#synced || this.#leaving) return;
    const nodes = this.#world.nodeFacts(this.#liveness());
    const succession = new Succession(this.#deps.nodeName, !this.#hasElected);
    for (const key of keys) {
      const decision = this.#world.decide(key, nodes);
      const waits = this.#wire.firstUse.mustWait(key, decision, this.#hasElected);
      if (!waits) succession.note(this.#decisions.get(key), decision);
      this.#formers?.note(key, decision);
      if (decision === null) this.#decisions.delete(key);
      else this.#decisions.set(key, decision);
      this.#announcements.apply(key, decision, { quiet: this.#inherited.has(key), waits });
    }
    this.#hasElected = true;
    succession.tell(this.#members);
    this.#inherited.clear();
    this.#state.touch();
  }

  #liveness(): ReadonlyMap<string, Liveness> {
    const self: Liveness = { alive: true, ready: this.ready, interfaces: this.#interfaces() };
    return new Map([...this.#members.peers.map((peer) => [peer.node, peer] as const), [this.#deps.nodeName, self]]);
  }

  #status(): SpeakerStateStatus {
    const { link, clock, nodeName, podName, version, memory } = this.#deps;
    return speakerStatus({
      node: nodeName,
      pod: podName,
      version,
      startedAt: this.#startedAt,
      heartbeatAt: this.#time(),
      ready: this.ready,
      memoryBytes: memory(),
      info: link.info(),
      usable: this.#interfaces(),
      peers: this.#members.peers,
      now: clock.monotonic(),
      announced: this.#announcements.all,
      decisions: [...this.#decisions.values()],
      wire: this.#wire.questions.wire,
      findings: this.#wire.findings,
      answeredWhoHas: this.#wire.questions.answered,
    });
  }

  #time(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}
