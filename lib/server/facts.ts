import { toHoldInput } from "#api/holds";
import type { KubeObject } from "#api/kubernetes/objects";
import { advertisementsOf } from "#core/election";
import type { Clock } from "#runtime/clock";
import type { ServerContext } from "./context.ts";
import type { ComponentFacts } from "./rows/components.ts";
import { endpointCounts } from "./rows/endpoints.ts";
import { componentOf, podReady } from "./rows/pods.ts";
import type { SessionFacts } from "./rows/session.ts";
import { derivations, makeView, type View } from "./view.ts";
import type { Watched, World } from "./world.ts";

/** What the rows need to know of the probe runs. */
interface ProbeFacts {
  unreachable(): ReadonlySet<string>;
  everAnswered(): boolean;
}

/**
 * The view of the world as of now, made again only where something changed.
 * It remembers the last valid version of each pool and advertisement, as
 * controller and speakers do, so that an edit that broke one does not empty its page.
 */
export class Views {
  readonly #clock: Clock;
  readonly #world: World;
  readonly #probes: ProbeFacts;
  readonly #derive = derivations();
  #made: { readonly key: string; readonly view: View } | undefined;

  constructor(world: World, probes: ProbeFacts, clock: Clock) {
    this.#world = world;
    this.#probes = probes;
    this.#clock = clock;
  }

  now(): View {
    const world = this.#world;
    const unreachable = this.#probes.unreachable();
    const now = this.#clock.now();
    // A hold that expires changes the view without any object changing.
    const over = world.holds.list().filter((hold) => Date.parse(toHoldInput(hold).expiry ?? "") <= now).length;
    const key = `${world.revision} ${over} ${[...unreachable].join(" ")}`;
    if (this.#made?.key === key) return this.#made.view;
    const pods = world.pods.list();
    const view = makeView(
      {
        services: world.services.list(),
        slices: world.slices.list(),
        nodes: world.nodes.list(),
        pods,
        namespaces: world.namespaces.list(),
        pools: world.pools.list(),
        advertisements: world.advertisements.list(),
        l2Statuses: world.l2Statuses.list(),
        speakerStates: world.speakerStates.list(),
        holds: world.holds.list(),
        unreachable,
        controllerReady: pods.some((pod) => componentOf(pod) === "controller" && podReady(pod)),
        now,
        announcersKnown: world.l2Statuses.synced,
      },
      this.#derive,
    );
    this.#made = { key, view };
    return view;
  }
}

export function componentFacts(world: World, sandbox: boolean): ComponentFacts {
  return {
    deployments: world.deployments.list(),
    daemonSets: world.daemonSets.list(),
    pods: world.pods.list(),
    configStates: world.configStates.list(),
    speakerStates: world.speakerStates.list(),
    leases: world.leases.list(),
    sandbox,
    forbidden: world.deployments.health.forbidden || world.daemonSets.health.forbidden,
  };
}

/** Kinds that every cluster serves; whether we are connected is judged by these. */
const CORE: ReadonlySet<string> = new Set(["services", "nodes", "namespaces", "endpointslices"]);

export function sessionFacts(
  context: ServerContext,
  world: World,
  view: View,
  probes: ProbeFacts,
  version: string | null,
): SessionFacts {
  const speakers = world.pods.list().filter((pod) => componentOf(pod) === "speaker" && podReady(pod));
  return {
    user: context.user,
    cluster: context.clusterName,
    server: context.server,
    version,
    sandbox: context.sandbox,
    namespace: context.namespace,
    watches: world.all.map((watch: Watched<KubeObject>) => ({
      plural: watch.resource.plural,
      core: CORE.has(watch.resource.plural),
      synced: watch.synced,
      health: watch.health,
    })),
    kubeProxySynced: world.kubeProxy.synced,
    kubeProxy: world.kubeProxy.list()[0],
    controllerReady: view.facts.controllerReady,
    speakersReady: speakers.length,
    advertisedPools: view.pools.filter((pool) => advertisementsOf(pool, view.advertisements).length > 0).length,
    services: view.facts.services,
    backed: (key) => endpointCounts(view.slicesOf(key)).ready > 0,
    assigned: view.assigned,
    probed: probes.everAnswered(),
  };
}
