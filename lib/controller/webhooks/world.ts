import { type AddressHold, toHoldInput } from "#api/holds";
import { SERVICES } from "#api/resources";
import { asObject } from "#api/unsound";
import type { ConfigurationInput } from "#core/configuration";
import { admit, type Change, type Verdict } from "#core/configuration/admission";
import { admitHold } from "#core/configuration/admission-hold";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import { controllerKinds } from "../pool-config.ts";

/** What verdicts are made from: the watched configuration and what it depends on. */
export class WebhookWorld {
  readonly #clock: Clock;
  readonly #namespace: string;
  readonly #lbClass: string | undefined;
  readonly #kinds;
  readonly #services;

  constructor(deps: {
    readonly cluster: Cluster;
    readonly clock: Clock;
    readonly namespace: string;
    readonly lbClass?: string | undefined;
  }) {
    const { cluster, clock, namespace, lbClass } = deps;
    this.#clock = clock;
    this.#namespace = namespace;
    this.#lbClass = lbClass;
    this.#kinds = controllerKinds(cluster, namespace);
    this.#services = cluster.cache(SERVICES);
  }

  /** Resolves when every kind was listed; one that is not installed never is. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    const caches = [...Object.values(this.#kinds), this.#services];
    await Promise.all(caches.map((cache) => cache.whenSynced(signal)));
  }

  judge(change: Change): Verdict {
    const { kind, operation, object, oldObject } = change;
    const services = this.#services.list();
    if (kind !== "AddressHold") return admit(this.#input(), { ...change, kind }, { services, lbClass: this.#lbClass });
    if (operation === "DELETE") return { errors: [], warnings: [] };
    const before = oldObject === undefined ? null : toHoldInput(asHold(oldObject));
    return admitHold(toHoldInput(asHold(object)), before, { services, now: this.#clock.now() });
  }

  // A kind that is not listed yet is left out, so that what would need it is not judged.
  #input(): ConfigurationInput {
    const listed = Object.entries(this.#kinds).filter(([, kind]) => kind.synced);
    return { ...Object.fromEntries(listed.map(([list, kind]) => [list, kind.list()])), namespace: this.#namespace };
  }
}

/** `toHoldInput` reads any spec; that there is metadata is all it takes for granted. */
function asHold(object: unknown): AddressHold {
  const { metadata, ...rest } = asObject(object);
  return { ...rest, metadata: asObject(metadata) } as AddressHold;
}
