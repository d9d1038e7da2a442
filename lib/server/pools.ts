import type { AddressPage } from "#api/dashboard/addresses";
import type { PoolPreview } from "#api/dashboard/pool-preview";
import type { PoolCreate, PoolPatch, PoolRow } from "#api/dashboard/pools";
import type { IPAddressPool, L2Advertisement, ServiceAllocation } from "#api/metallb";
import { apiVersionOf, IP_ADDRESS_POOLS, keyOf, L2_ADVERTISEMENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { find } from "./objects.ts";
import { addressPage, type PageQuestion } from "./rows/addresses.ts";
import { findingsOf, poolRow, toFinding } from "./rows/pools.ts";
import { derivations, makeView, type View } from "./view.ts";
import { toYaml } from "./yaml.ts";

type Settings = Omit<PoolPatch, "resourceVersion">;

export function listPools(on: Dashboard): PoolRow[] {
  const view = on.views.now();
  return view.facts.pools.map((pool) => poolRow(pool, view)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readPool(on: Dashboard, name: string): PoolRow {
  return poolRow(heldPool(on, name), on.views.now());
}

/** Checks, then creates the pool and, when asked, its advertisement; a failure of the second takes the first back. */
export async function createPool(on: Dashboard, body: PoolCreate, dryRun: boolean): Promise<PoolRow> {
  const pool = withSettings(emptyPool(on.namespace, body.name), body);
  const ad = body.advertise === null ? null : advertisementFor(on.namespace, body.name, body.advertise);
  const view = on.views.now();
  if (view.facts.pools.some((one) => one.metadata.name === body.name)) throw nameTaken("pool", body.name, "name");
  if (ad !== null && view.facts.advertisements.some((one) => one.metadata.name === ad.metadata.name)) {
    throw nameTaken("advertisement", ad.metadata.name ?? "", "advertise.name");
  }
  checkPool(pool, view);
  if (ad !== null) checkAdvertisement(ad, view, "advertise.");
  if (dryRun) return poolRow(pool, viewWith(view, pool, ad));
  const created = await on.cluster.create(IP_ADDRESS_POOLS, pool).catch(rename("name"));
  if (ad !== null) {
    const advertised = await on.cluster
      .create(L2_ADVERTISEMENTS, ad)
      .catch((thrown: unknown) => takeBack(on, created, ad, Fault.from(thrown)));
    await on.world.seen(on.world.advertisements, keyOf(advertised), advertised);
  }
  await on.world.seen(on.world.pools, keyOf(created), created);
  return poolRow(created, viewWith(on.views.now(), created, null));
}

interface Change {
  readonly name: string;
  readonly body: PoolPatch;
  readonly dryRun: boolean;
  /** True for PUT: what is left out goes back to its default. */
  readonly whole: boolean;
}

/** Edits a pool. With `resourceVersion` in the body, an edit by somebody else in between is a `conflict`. */
export async function changePool(on: Dashboard, change: Change): Promise<PoolRow> {
  const { resourceVersion, ...settings } = change.body;
  const name = { name: change.name, namespace: on.namespace };
  for (let attempt = 1; ; attempt += 1) {
    const current = await find(on.cluster, IP_ADDRESS_POOLS, name);
    if (current === null) throw noSuchPool(change.name);
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw movedOn(change.name);
    const base = change.whole ? { ...current, spec: { ...emptyPool("", "").spec } } : current;
    if (change.whole && settings.addresses === undefined) {
      throw new Fault("invalid", "addresses: at least one range is needed", {
        fields: { addresses: "at least one range is needed" },
      });
    }
    const next = withSettings(base, settings);
    checkPool(next, on.views.now());
    if (change.dryRun) return poolRow(next, viewWith(on.views.now(), next, null));
    try {
      const written = await on.cluster.replace(IP_ADDRESS_POOLS, next);
      await on.world.seen(on.world.pools, keyOf(written), written);
      return poolRow(written, viewWith(on.views.now(), written, null));
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code !== "conflict") throw rebased(fault);
      if (resourceVersion !== undefined || attempt >= 3) throw movedOn(change.name);
    }
  }
}

export async function deletePool(on: Dashboard, name: string, dryRun: boolean): Promise<{ removed: string }> {
  if (dryRun) return { removed: heldPool(on, name).metadata.name ?? name };
  try {
    await on.cluster.remove(IP_ADDRESS_POOLS, { name, namespace: on.namespace });
  } catch (thrown) {
    throw Fault.from(thrown).code === "not_found" ? noSuchPool(name) : thrown;
  }
  await on.world.seen(on.world.pools, `${on.namespace}/${name}`, undefined);
  return { removed: name };
}

export function poolAddresses(on: Dashboard, name: string, question: PageQuestion): AddressPage {
  heldPool(on, name);
  const view = on.views.now();
  const pool = view.pools.find((one) => one.name === name);
  if (pool === undefined) {
    throw new Fault("invalid", `Pool ${name} is invalid and has no valid version in force: correct its ranges first.`);
  }
  return addressPage(pool, question, view);
}

export async function poolYaml(on: Dashboard, name: string): Promise<{ yaml: string }> {
  const found = await find(on.cluster, IP_ADDRESS_POOLS, { name, namespace: on.namespace });
  if (found === null) throw noSuchPool(name);
  return { yaml: toYaml({ apiVersion: apiVersionOf(IP_ADDRESS_POOLS), kind: "IPAddressPool", ...found }) };
}

/** A view in which `pool` (and `ad`) stand as given, in place of what the caches hold. */
function viewWith(view: View, pool: IPAddressPool, ad: L2Advertisement | null): View {
  const pools = [...view.facts.pools.filter((one) => one.metadata.name !== pool.metadata.name), pool];
  const advertisements = ad === null ? view.facts.advertisements : [...view.facts.advertisements, ad];
  return makeView({ ...view.facts, pools, advertisements }, derivations(view.configuration));
}

/** Throws `invalid` with the body's fields when the pool could not come into force beside the others. */
function checkPool(pool: IPAddressPool, view: View): void {
  refuse(draftFindings(pool, view));
}

/** The same for an advertisement; `within` is where the body has it ("advertise."). */
export function checkAdvertisement(ad: L2Advertisement, view: View, within = ""): void {
  const found = withAdvertisement(view, ad).findingsOf("L2Advertisement", ad.metadata.name ?? "");
  refuse(found.map((finding) => ({ ...toFinding(finding), field: `${within}${bodyField(finding.field)}` })));
}

/** A view in which the advertisement stands as given. */
export function withAdvertisement(view: View, ad: L2Advertisement): View {
  const others = view.facts.advertisements.filter((one) => one.metadata.name !== ad.metadata.name);
  return makeView({ ...view.facts, advertisements: [...others, ad] }, derivations(view.configuration));
}

function refuse(findings: PoolPreview["findings"]): void {
  const fields: Record<string, string> = {};
  for (const { severity, field, message, fix } of findings) {
    if (severity === "error") fields[field] ??= `${message}; ${fix}`;
  }
  const first = Object.entries(fields)[0];
  if (first !== undefined) throw new Fault("invalid", `${first[0]}: ${first[1]}`, { fields });
}

/** What would be wrong, or odd, with the pool as given; `field` as in the request's body ("addresses.0"). */
export function draftFindings(pool: IPAddressPool, view: View): PoolPreview["findings"] {
  return findingsOf(pool.metadata.name ?? "", viewWith(view, pool, null)).map((finding) => ({
    ...toFinding(finding),
    field: bodyField(finding.field),
  }));
}

/** "spec.serviceAllocation.namespaces" → "namespaces", "metadata.name" → "name". */
export function bodyField(path: string): string {
  return path
    .replace(/^spec\.serviceAllocation\./, "")
    .replace(/^(?:spec|metadata)\./, "")
    .replace(/\[(\d+)\]/g, ".$1");
}

export function emptyPool(namespace: string, name: string): IPAddressPool {
  return {
    apiVersion: apiVersionOf(IP_ADDRESS_POOLS),
    kind: IP_ADDRESS_POOLS.kind,
    metadata: { name, namespace },
    spec: { addresses: [], autoAssign: true, avoidBuggyIPs: false },
  };
}

/** The pool with what `settings` mention; `serviceAllocation` is left out when nothing remains in it. */
export function withSettings(pool: IPAddressPool, settings: Settings): IPAddressPool {
  const { addresses, autoAssign, avoidBuggyIPs } = settings;
  const { serviceAllocation: before, ...spec } = pool.spec;
  const allocation = withAllocation(before ?? {}, settings);
  return {
    ...pool,
    spec: {
      ...spec,
      ...(addresses !== undefined && { addresses }),
      ...(autoAssign !== undefined && { autoAssign }),
      ...(avoidBuggyIPs !== undefined && { avoidBuggyIPs }),
      ...(Object.keys(allocation).length > 0 && { serviceAllocation: allocation }),
    },
  };
}

function withAllocation(before: ServiceAllocation, settings: Settings): ServiceAllocation {
  const next: Record<string, unknown> = { ...before };
  const { priority, namespaces, namespaceSelectors, serviceSelectors } = settings;
  if (priority !== undefined) next.priority = priority ?? undefined;
  for (const [key, list] of Object.entries({ namespaces, namespaceSelectors, serviceSelectors })) {
    if (list !== undefined) next[key] = list.length === 0 ? undefined : list;
  }
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
}

function advertisementFor(
  namespace: string,
  pool: string,
  wish: NonNullable<PoolCreate["advertise"]>,
): L2Advertisement {
  return {
    apiVersion: apiVersionOf(L2_ADVERTISEMENTS),
    kind: L2_ADVERTISEMENTS.kind,
    metadata: { name: wish.name, namespace },
    spec: {
      ipAddressPools: [pool],
      ...(wish.interfaces.length > 0 && { interfaces: wish.interfaces }),
      ...(wish.nodeSelectors.length > 0 && { nodeSelectors: wish.nodeSelectors }),
    },
  };
}

async function takeBack(on: Dashboard, pool: IPAddressPool, ad: L2Advertisement, why: Fault): Promise<never> {
  const name = pool.metadata.name ?? "";
  const what = `Advertisement ${ad.metadata.name} could not be created (${why.message})`;
  const fields = { "advertise.name": why.message };
  try {
    await on.cluster.remove(IP_ADDRESS_POOLS, { name, namespace: on.namespace });
  } catch (thrown) {
    const also = `${what}, and pool ${name} could not be taken back (${Fault.from(thrown).message}): it exists, unadvertised.`;
    throw new Fault(why.code, also, { cause: why, fields });
  }
  throw new Fault(why.code, `${what}, so pool ${name} was taken back: nothing has changed.`, { cause: why, fields });
}

function heldPool(on: Dashboard, name: string): IPAddressPool {
  const found = on.world.pools.get(`${on.namespace}/${name}`);
  if (found === undefined) throw noSuchPool(name);
  return found;
}

function noSuchPool(name: string): Fault {
  return new Fault("not_found", `There is no pool ${name}.`);
}

function movedOn(name: string): Fault {
  return new Fault(
    "conflict",
    `${name} was changed by somebody else meanwhile. Look at it again, then repeat your change.`,
  );
}

export function nameTaken(what: string, name: string, field: string): Fault {
  const message = `there is already ${what === "advertisement" ? "an" : "a"} ${what} ${name}`;
  return new Fault("already_exists", `${message}. Choose another name.`, {
    fields: { [field]: `${message}; choose another name` },
  });
}

/** The API server's own refusals name fields of the object; ours name fields of the body. */
function rebased(fault: Fault): Fault {
  const fields = Object.fromEntries(Object.entries(fault.fields).map(([path, text]) => [bodyField(path), text]));
  return new Fault(fault.code, fault.message, { cause: fault, fields });
}

export function rename(field: string): (thrown: unknown) => never {
  return (thrown) => {
    const fault = Fault.from(thrown);
    if (fault.code !== "already_exists") throw rebased(fault);
    throw new Fault("already_exists", fault.message, { cause: fault, fields: { [field]: "that name is taken" } });
  };
}
