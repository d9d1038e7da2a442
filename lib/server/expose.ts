import type { ExposeBody } from "#api/dashboard/services";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION, DEPRECATED_PREFIX } from "#api/names";
import { keyOf, SERVICES } from "#api/resources";
import { tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { find } from "./objects.ts";
import { addressesOf } from "./objects-to-facts.ts";
import type { Progress } from "./operations.ts";
import { endpointCounts } from "./rows/endpoints.ts";
import { announcersFor, exposeBlockedBy, findingOf } from "./rows/services.ts";
import { noSuch, type ServiceName } from "./services.ts";
import { targetOf } from "./target.ts";

const ASSIGN_WITHIN_MS = 10_000;
const ANNOUNCE_WITHIN_MS = 10_000;
const REACH_WITHIN_MS = 10_000;
/** A refusal must stand this long to be believed: caches and controller may lag behind the write for a moment. */
const REFUSED_FOR_MS = 1_500;

const EXPOSE_STEPS = [
  { name: "applying", label: "Applying" },
  { name: "assigned", label: "Address assigned" },
  { name: "announced", label: "Announced" },
  { name: "reachable", label: "Reachable" },
];
const UNEXPOSE_STEPS = [
  { name: "applying", label: "Applying" },
  { name: "released", label: "Address released" },
];

/**
 * Makes a Service a LoadBalancer (or changes what an exposed one asks for)
 * and follows it until something answers at its address. Bad requests are
 * refused at once; what the cluster then says becomes the operation's steps.
 */
export async function expose(on: Dashboard, name: ServiceName, body: ExposeBody): Promise<{ operation: string }> {
  const service = await find(on.cluster, SERVICES, name);
  if (service === null) throw noSuch(name.namespace, name.name);
  check(on, service, body);
  const key = keyOf(service);
  const { operation } = on.operations.start("expose", key, EXPOSE_STEPS, async (progress) => {
    await progress.step("applying", async () => {
      await writeTwice(on, name, (current) => exposePatch(current, body));
      return `Type LoadBalancer${body.pool === undefined ? "" : `, pool ${body.pool}`}`;
    });
    await progress.step("assigned", async () => `Assigned ${await assigned(on, key, progress)}`);
    await progress.step("announced", async (note) => `Announced by ${await announced(on, key, progress, note)}`);
    await reachable(on, key, progress);
  });
  return { operation };
}

/**
 * Gives the address back: the previous type, and none of the annotations that
 * asked for one. An expose that is still under way is ended first.
 */
export async function unexpose(on: Dashboard, name: ServiceName): Promise<{ operation: string }> {
  await on.operations.cancel("expose", `${name.namespace}/${name.name}`, "Taken back.");
  const service = await find(on.cluster, SERVICES, name);
  if (service === null) throw noSuch(name.namespace, name.name);
  const key = keyOf(service);
  if (service.spec?.type !== "LoadBalancer")
    throw new Fault("conflict", `${key} is no LoadBalancer: there is nothing to give back.`);
  if (service.spec.loadBalancerClass !== undefined) {
    throw new Fault("conflict", `${key} belongs to another load balancer (class ${service.spec.loadBalancerClass}).`);
  }
  const { operation } = on.operations.start("unexpose", key, UNEXPOSE_STEPS, async (progress) => {
    const before = addressesOf(service);
    await progress.step("applying", async () => {
      const written = await writeTwice(on, name, unexposePatch);
      return `Type ${written.spec?.type ?? "ClusterIP"}`;
    });
    await progress.step("released", async () => {
      const free = () => (on.world.services.get(key)?.status?.loadBalancer?.ingress ?? []).length === 0;
      if (!(await on.world.until(free, ASSIGN_WITHIN_MS, progress.signal))) {
        throw new Fault("unavailable", "The controller has not released the address. Is it running?");
      }
      return before.length === 0 ? "It had no address" : `Released ${before.join(", ")}`;
    });
  });
  return { operation };
}

function check(on: Dashboard, service: Service, body: ExposeBody): void {
  const blocked =
    service.spec?.type === "LoadBalancer" && service.spec.loadBalancerClass === undefined
      ? null
      : exposeBlockedBy(service);
  if (blocked !== null) throw new Fault("invalid", blocked);
  const fields: Record<string, string> = {};
  const view = on.views.now();
  if (body.pool !== undefined && !view.facts.pools.some((pool) => pool.metadata.name === body.pool)) {
    const names = view.facts.pools.map((pool) => pool.metadata.name).join(", ");
    fields.pool =
      names === "" ? "there is no pool yet; create one first" : `there is no pool ${body.pool}; there is ${names}`;
  }
  for (const text of splitAddresses(body.address)) {
    if (tryParseAddress(text) === null) fields.address = `${JSON.stringify(text)} is no IP address`;
  }
  const ports = (body.ports ?? []).map((one) => `${one.protocol ?? "TCP"} ${one.port}`);
  const twice = ports.findIndex((port, index) => ports.indexOf(port) !== index);
  if (twice >= 0) fields[`ports.${twice}.port`] = `${ports[twice]} is listed twice`;
  if (body.ports !== undefined && body.ports.length > 1) {
    const unnamed = body.ports.findIndex((one) => one.name === undefined);
    if (unnamed >= 0) fields[`ports.${unnamed}.name`] = "several ports need names";
  }
  const first = Object.entries(fields)[0];
  if (first !== undefined) throw new Fault("invalid", `${first[0]}: ${first[1]}.`, { fields });
}

function splitAddresses(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A merge patch, guarded by the version it was made from; null removes. */
function exposePatch(service: Service, body: ExposeBody): unknown {
  const { metadata, spec = {} } = service;
  const addresses = splitAddresses(body.address);
  const annotations: Record<string, string | null> = {};
  if (body.pool !== undefined) annotations[ANNOTATION.addressPool] = body.pool;
  if (addresses.length > 0) annotations[ANNOTATION.loadBalancerIPs] = addresses.join(",");
  if (body.shareKey !== undefined && body.shareKey !== "") annotations[ANNOTATION.allowSharedIP] = body.shareKey;
  if (spec.type !== "LoadBalancer") annotations[ANNOTATION.previousType] = spec.type ?? "ClusterIP";
  const ports = body.ports?.map((wish) => {
    const before = spec.ports?.find(
      (one) => one.port === wish.port && (one.protocol ?? "TCP") === (wish.protocol ?? "TCP"),
    );
    return { ...before, ...wish };
  });
  return {
    metadata: { resourceVersion: metadata.resourceVersion, annotations },
    spec: {
      type: "LoadBalancer",
      ...(addresses.length > 0 && spec.loadBalancerIP !== undefined && { loadBalancerIP: null }),
      ...(body.externalTrafficPolicy !== undefined && { externalTrafficPolicy: body.externalTrafficPolicy }),
      ...(ports !== undefined && { ports }),
    },
  };
}

function unexposePatch(service: Service): unknown {
  const { metadata, spec = {} } = service;
  const held = metadata.annotations ?? {};
  const type = held[ANNOTATION.previousType] === "NodePort" ? "NodePort" : "ClusterIP";
  const ours = [
    ANNOTATION.addressPool,
    ANNOTATION.loadBalancerIPs,
    ANNOTATION.allowSharedIP,
    ANNOTATION.previousType,
    ANNOTATION.reachableAt,
  ];
  const asks = Object.keys(held).filter((key) => ours.some((own) => own === key) || key.startsWith(DEPRECATED_PREFIX));
  const plain = type === "ClusterIP";
  return {
    metadata: {
      resourceVersion: metadata.resourceVersion,
      annotations: Object.fromEntries(asks.map((key) => [key, null])),
    },
    spec: {
      type,
      loadBalancerIP: null,
      allocateLoadBalancerNodePorts: null,
      healthCheckNodePort: null,
      ...(plain && {
        externalTrafficPolicy: null,
        ports: (spec.ports ?? []).map(({ nodePort: _, ...port }) => port),
      }),
    },
  };
}

/** Somebody else may write between read and write (a controller's status does): read again and try once more. */
async function writeTwice(on: Dashboard, name: ServiceName, patch: (service: Service) => unknown): Promise<Service> {
  for (let attempt = 1; ; attempt += 1) {
    const current = await on.cluster.get(SERVICES, name);
    try {
      const written = await on.cluster.patch(SERVICES, name, { kind: "merge", body: patch(current) });
      await on.world.seen(on.world.services, keyOf(written), written);
      return written;
    } catch (thrown) {
      if (Fault.from(thrown).code !== "conflict" || attempt >= 4) throw thrown;
    }
  }
}

async function assigned(on: Dashboard, key: string, progress: Progress): Promise<string> {
  let refusedAt: number | null = null;
  const settled = () => {
    const service = mustExist(on, key);
    const finding = findingOf(service, on.views.now());
    // An address that is about to be taken away (another pool was asked for) does not count.
    const stays = addressesOf(service).length > 0 && on.views.now().plan(service).kind === "keep";
    if (stays) return true;
    refusedAt = finding.status === "pending" && finding.reason !== null ? (refusedAt ?? on.clock.monotonic()) : null;
    return refusedAt !== null && on.clock.monotonic() - refusedAt > REFUSED_FOR_MS;
  };
  await on.world.until(settled, ASSIGN_WITHIN_MS, progress.signal);
  const service = mustExist(on, key);
  const addresses = addressesOf(service);
  if (addresses.length === 0) throw new Fault("unavailable", findingOf(service, on.views.now()).sentence);
  return addresses.join(", ");
}

async function announced(
  on: Dashboard,
  key: string,
  progress: Progress,
  note: (detail: string) => void,
): Promise<string> {
  let said = "";
  let sinceMs: number | null = null;
  const settled = () => {
    const service = mustExist(on, key);
    const view = on.views.now();
    if (announcersFor(service, view).length > 0) return true;
    const finding = findingOf(service, view);
    if (finding.sentence !== said) {
      said = finding.sentence;
      sinceMs = on.clock.monotonic();
      note(said);
    }
    const final = finding.status === "no_ready_pods" || finding.status === "not_announced";
    return final && sinceMs !== null && on.clock.monotonic() - sinceMs > REFUSED_FOR_MS;
  };
  await on.world.until(settled, ANNOUNCE_WITHIN_MS, progress.signal);
  const service = mustExist(on, key);
  const nodes = announcersFor(service, on.views.now()).map((one) => one.node);
  if (nodes.length === 0) throw new Fault("unavailable", findingOf(service, on.views.now()).sentence);
  return nodes.join(", ");
}

async function reachable(on: Dashboard, key: string, progress: Progress): Promise<void> {
  const service = mustExist(on, key);
  const tcp = (service.spec?.ports ?? []).some((port) => (port.protocol ?? "TCP") === "TCP");
  if (!tcp) return progress.skip("reachable", "Only TCP can be tried from here.");
  if (!on.prober.alive) return progress.skip("reachable", "The prober is not running, so it was not tried.");
  if (endpointCounts(on.views.now().slicesOf(key)).ready === 0)
    return progress.skip("reachable", "No pod is ready to answer.");
  const begun = on.clock.monotonic();
  let skipped = "";
  await progress.step("reachable", async () => {
    let last = "";
    // The mapped port of a sandbox without root comes a moment later: whoever tries the address itself is wasting time then.
    while (on.clock.monotonic() - begun < REACH_WITHIN_MS) {
      const left = REACH_WITHIN_MS - (on.clock.monotonic() - begun);
      const target = targetOf(mustExist(on, key), undefined, "/");
      const moved = whenMoved(on, key, target.url);
      const signal = AbortSignal.any([progress.signal, moved.signal]);
      const tried = await on.probes.attempt(target, Math.min(left, 2_500), signal);
      moved.off();
      if (moved.signal.aborted && tried.outcome !== "answered") continue;
      if (tried.outcome === "answered") return `Reachable: ${tried.text}`;
      last = tried.text;
      if (tried.outcome === "skipped") {
        skipped = tried.text;
        return undefined;
      }
    }
    throw new Fault("unavailable", `Announced, but nothing answers. ${last}`);
  });
  if (skipped !== "") progress.skip("reachable", skipped);
}

/** Aborts as soon as the Service is to be reached somewhere else than at `url`. */
function whenMoved(on: Dashboard, key: string, url: string): { readonly signal: AbortSignal; off(): void } {
  const moved = new AbortController();
  const off = on.world.onChange((kind, changed) => {
    const service = kind === "services" && changed === key ? on.world.services.get(key) : undefined;
    if (service !== undefined && urlOf(service) !== url) moved.abort();
  });
  return { signal: moved.signal, off };
}

/** Null when it is no longer to be reached at all: the next try says why. */
function urlOf(service: Service): string | null {
  try {
    return targetOf(service, undefined, "/").url;
  } catch {
    return null;
  }
}

function mustExist(on: Dashboard, key: string): Service {
  const service = on.world.services.get(key);
  if (service === undefined) throw new Fault("not_found", `${key} was deleted meanwhile.`);
  return service;
}
