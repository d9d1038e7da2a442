import { conditionOf, type WantedCondition, withConditions } from "#api/conditions";
import type { Condition } from "#api/kubernetes/objects";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION, CONDITION, DEPRECATED_PREFIX } from "#api/names";
import { SERVICES } from "#api/resources";
import { formatAddress } from "#core/address";
import { Fault } from "#core/errors";
import { explainAnnounce } from "#core/explain";
import type { Plan } from "#core/plan";
import type { PoolView } from "#core/pools";
import { conditionReason } from "#core/reasons";
import { type ServiceView, serviceView } from "#core/service-view";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Next } from "#runtime/loop";
import type { Allocation, Decision } from "./allocation.ts";
import { type AnnouncedView, AWAITING } from "./announced.ts";
import type { Background } from "./background.ts";
import { type EventRecorder, timestamp } from "./events.ts";
import type { Latest } from "./latest.ts";
import { REFUSED_RETRY_MS } from "./refused.ts";
import { serviceEvents } from "./service-events.ts";

interface ServiceDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly allocation: Allocation;
  readonly announced: AnnouncedView;
  readonly latest: Latest<Service>;
  readonly events: EventRecorder;
  readonly background: Background;
  readonly pool: (name: string) => PoolView | undefined;
  readonly enqueue: (key: string) => void;
}

/** A failover takes the report away for a moment: only a silence this long changes a condition that says True. */
const SILENCE_MS = 2000;
const SOON_MS = 5;
const UNAVAILABLE_RETRY_MS = 1000;

/** What the Service object should say; parts that are null are right already. */
interface Wish {
  /** Ingress addresses; [] clears. */
  readonly ingress: readonly string[] | null;
  /** Value of ip-allocated-from-pool; "" takes it away. */
  readonly pool: string | null;
  readonly conditions: readonly Condition[] | null;
  readonly requeueAfterMs?: number | undefined;
}

const NOTHING: Wish = { ingress: null, pool: null, conditions: null };

/**
 * Makes one Service say what was decided about it: addresses and conditions in one write of its status, the pool's name
 * beside it. May run with many workers: the decision is one synchronous step of `Allocation`, only writes overlap.
 */
export class ServiceReconciler {
  readonly #deps: ServiceDeps;
  /** Since when a Service that was announced has had no report. */
  readonly #silentSince = new Map<string, number>();
  /** Of these a write was sent, and nobody knows what became of it. */
  readonly #uncertain = new Set<string>();

  constructor(deps: ServiceDeps) {
    this.#deps = deps;
  }

  readonly reconcile = async (key: string, signal: AbortSignal): Promise<Next> => {
    const decision = this.#deps.allocation.decide(key);
    if (decision === undefined || decision.plan.kind === "ignore") {
      this.#silentSince.delete(key);
      this.#uncertain.delete(key);
      return {};
    }
    const wish = this.#wish(decision);
    const next = wish.requeueAfterMs === undefined ? {} : { requeueAfterMs: wish.requeueAfterMs };
    if (wish.ingress === null && wish.conditions === null) {
      if (this.#uncertain.has(key)) {
        await this.#reread(key, decision.service, signal);
        return { requeueAfterMs: SOON_MS };
      }
      this.#deps.allocation.confirm(decision.service);
      if (wish.pool !== null) this.#deps.background.addKeyed(key, () => this.#annotate(key, signal));
      return next;
    }
    try {
      const written = await this.#deps.cluster.patch(SERVICES, nameOf(decision.service), {
        kind: "merge",
        subresource: "status",
        body: statusPatch(decision.service, wish),
        signal,
      });
      this.#written(decision, written, signal);
      return next;
    } catch (thrown) {
      return await this.#failed(decision, Fault.from(thrown), signal);
    }
  };

  #wish({ service, view, plan }: Decision): Wish {
    const present = service.status?.conditions ?? [];
    const now = timestamp(this.#deps.clock);
    if (plan.kind === "release" || plan.kind === "ignore") {
      this.#silentSince.delete(view.key);
      const absent: readonly string[] = [CONDITION.addressAssigned, CONDITION.announced];
      const ours = view.allocatedFrom !== null || present.some(({ type }) => absent.includes(type));
      return {
        // Another load balancer's leftovers are its own business.
        ingress: ours && (service.status?.loadBalancer?.ingress ?? []).length > 0 ? [] : null,
        pool: poolWish(view, plan),
        conditions: withConditions(present, [], { now, absent }),
      };
    }
    if (plan.kind === "refuse") {
      this.#silentSince.delete(view.key);
      const conditions = withConditions(present, [notAssigned(plan), NO_ADDRESS], { now });
      return { ingress: view.ingress.length > 0 ? [] : null, pool: poolWish(view, plan), conditions };
    }
    // Of a pool that is invalid now: neither the address nor a word about it changes.
    if (plan.kind === "keep" && this.#deps.pool(plan.pool ?? "") === undefined) return NOTHING;
    const addresses = plan.kind === "keep" ? view.ingress : plan.addresses.map(formatAddress);
    const announced = this.#announced(service, { view, plan, addresses });
    const wanted = [assigned(plan, addresses), ...(announced.wanted === null ? [] : [announced.wanted])];
    return {
      ingress: plan.kind === "keep" ? null : addresses,
      pool: poolWish(view, plan),
      conditions: withConditions(present, wanted, { now }),
      requeueAfterMs: announced.lookAgainMs,
    };
  }

  #announced(
    service: Service,
    { view, plan, addresses }: { view: ServiceView; plan: Plan; addresses: readonly string[] },
  ): { readonly wanted: WantedCondition | null; readonly lookAgainMs?: number } {
    const { announced, clock, pool } = this.#deps;
    if (!announced.synced || plan.kind === "release" || plan.kind === "ignore" || plan.kind === "refuse") {
      return { wanted: null };
    }
    const wanted = announced.conditionOf(view, addresses, plan.pool === null ? undefined : pool(plan.pool));
    const before = conditionOf(service.status?.conditions, CONDITION.announced);
    if (wanted.reason !== AWAITING || before?.status !== "True" || plan.kind === "assign") {
      this.#silentSince.delete(view.key);
      return { wanted };
    }
    const since = this.#silentSince.get(view.key) ?? clock.monotonic();
    this.#silentSince.set(view.key, since);
    const left = since + SILENCE_MS - clock.monotonic();
    return left > 0 ? { wanted: null, lookAgainMs: left } : { wanted };
  }

  #written({ service, view, plan }: Decision, reply: Service, signal: AbortSignal): void {
    const { latest, allocation, background, events, log } = this.#deps;
    const written = latest.put(view.key, reply);
    this.#uncertain.delete(view.key);
    allocation.confirm(written);
    for (const { type, reason, message } of serviceEvents({ view, plan, before: service, after: written })) {
      events.emit({ ...written, kind: "Service", apiVersion: "v1" }, type, reason, message);
    }
    if (plan.kind === "assign") {
      log.info("address assigned", {
        service: view.key,
        addresses: plan.addresses.map(formatAddress),
        pool: plan.pool,
      });
    } else if (plan.kind === "refuse") {
      log.warn("no address", { service: view.key, reason: plan.reason, sentence: plan.sentence });
    } else if (plan.kind === "release") log.info("address released", { service: view.key });
    // Real API servers take the annotation in with the status; others need a second write.
    if (poolWish(serviceView(written), plan) !== null) {
      background.addKeyed(view.key, () => this.#annotate(view.key, signal));
    }
  }

  /** Decides anew: since it was asked for, anything may have changed. */
  async #annotate(key: string, signal: AbortSignal): Promise<void> {
    const { allocation, latest, cluster, clock, enqueue } = this.#deps;
    const decision = allocation.decide(key);
    if (decision === undefined || decision.plan.kind === "ignore") return;
    const { service, view, plan } = decision;
    if (this.#uncertain.has(key) || this.#wish(decision).ingress !== null) {
      // The addresses first: what was just decided about them is written nowhere else.
      enqueue(key);
      return;
    }
    allocation.confirm(service);
    const pool = poolWish(view, plan);
    if (pool === null) return;
    const body = {
      metadata: { resourceVersion: service.metadata.resourceVersion, annotations: poolAnnotation(service, pool) },
    };
    try {
      latest.put(key, await cluster.patch(SERVICES, nameOf(service), { kind: "merge", body, signal }));
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code === "not_found") return;
      const isReread =
        fault.code === "conflict" && (await this.#reread(key, service, signal).then(isDone, () => false));
      // Nothing else would ask for it again: the status says already what it should.
      const again = isReread ? SOON_MS : fault.retryable ? UNAVAILABLE_RETRY_MS : REFUSED_RETRY_MS;
      clock.schedule(again, () => enqueue(key));
      if (fault.code !== "conflict") throw fault;
    }
  }

  /** Ends, keeps or re-reads the claim in flight, according to what the failure says about the write. */
  async #failed({ service, view }: Decision, fault: Fault, signal: AbortSignal): Promise<Next> {
    const { allocation, latest, log } = this.#deps;
    const { key } = view;
    if (fault.code === "not_found") {
      // The cache will say so too; until then the claim may stay.
      return { requeueAfterMs: REFUSED_RETRY_MS };
    }
    if (fault.code === "conflict") {
      await this.#reread(view.key, service, signal);
      return { requeueAfterMs: SOON_MS };
    }
    if (!fault.retryable) {
      log.error("service not written", { service: key, code: fault.code, error: fault.message });
      // This write failed for good; one before it may have been done all the same.
      if (this.#uncertain.has(key)) await this.#reread(key, service, signal);
      allocation.abandon(latest.get(key) ?? service);
      return { requeueAfterMs: REFUSED_RETRY_MS };
    }
    // It may have been written or not. Reading tells; if that fails too, the claim stays and the same write is tried again.
    this.#uncertain.add(key);
    await this.#reread(key, service, signal).catch(() => undefined);
    throw fault;
  }

  async #reread(key: string, service: Service, signal: AbortSignal): Promise<void> {
    const fresh = await this.#deps.cluster.get(SERVICES, nameOf(service), signal).catch((thrown: unknown) => {
      if (Fault.from(thrown).code === "not_found") return null;
      throw thrown;
    });
    if (fresh !== null) this.#deps.latest.put(key, fresh);
    this.#uncertain.delete(key);
  }
}

const isDone = () => true;

/** What ip-allocated-from-pool should be ("" for nothing), or null when it is that. */
function poolWish({ allocatedFrom }: ServiceView, plan: Plan): string | null {
  if (plan.kind === "ignore") return null;
  if (plan.kind === "release" || plan.kind === "refuse") return allocatedFrom === null ? null : "";
  return plan.pool === null || plan.pool === allocatedFrom ? null : plan.pool;
}

function nameOf({ metadata }: Service) {
  return { name: metadata.name ?? "", namespace: metadata.namespace ?? "default" };
}

function statusPatch(service: Service, { ingress, pool, conditions }: Wish) {
  return {
    metadata: {
      resourceVersion: service.metadata.resourceVersion,
      ...(pool !== null && { annotations: poolAnnotation(service, pool) }),
    },
    status: {
      ...(ingress !== null && {
        loadBalancer: { ingress: ingress.length === 0 ? null : ingress.map((ip) => ({ ip })) },
      }),
      ...(conditions !== null && { conditions: conditions.length === 0 ? null : conditions }),
    },
  };
}

function poolAnnotation(service: Service, pool: string): Record<string, string | null> {
  if (pool !== "") return { [ANNOTATION.allocatedFromPool]: pool };
  const deprecated = `${DEPRECATED_PREFIX}ip-allocated-from-pool`;
  const present = Object.keys(service.metadata.annotations ?? {});
  const gone = [ANNOTATION.allocatedFromPool, deprecated].filter((key) => present.includes(key));
  return Object.fromEntries(gone.map((key) => [key, null]));
}

function assigned(plan: Extract<Plan, { kind: "keep" | "assign" }>, addresses: readonly string[]): WantedCondition {
  const where = plan.pool === null ? "" : ` from pool ${plan.pool}`;
  const held = `${addresses.join(", ")}${where}`;
  return {
    type: CONDITION.addressAssigned,
    status: "True",
    reason: conditionReason(plan.note?.reason ?? "satisfied"),
    message: plan.note === null ? held : `${held}; ${plan.note.sentence}`,
  };
}

function notAssigned(plan: Extract<Plan, { kind: "refuse" }>): WantedCondition {
  const reason = conditionReason(plan.reason);
  return { type: CONDITION.addressAssigned, status: "False", reason, message: plan.sentence };
}

const NO_ADDRESS: WantedCondition = {
  type: CONDITION.announced,
  status: "False",
  reason: conditionReason("no_address"),
  message: explainAnnounce("no_address"),
};
