import type { AdvertisementCreate, AdvertisementPatch, AdvertisementRow } from "#api/dashboard/advertisements";
import type { L2Advertisement, L2AdvertisementSpec } from "#api/metallb";
import { apiVersionOf, keyOf, L2_ADVERTISEMENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { find } from "./objects.ts";
import { checkAdvertisement, nameTaken, rename, withAdvertisement } from "./pools.ts";
import { advertisementRow } from "./rows/advertisements.ts";
import { toYaml } from "./yaml.ts";

type Settings = Omit<AdvertisementPatch, "resourceVersion">;
const LISTS = ["ipAddressPools", "ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors", "interfaces"] as const;

export function listAdvertisements(on: Dashboard): AdvertisementRow[] {
  const view = on.views.now();
  return view.facts.advertisements.map((ad) => advertisementRow(ad, view)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readAdvertisement(on: Dashboard, name: string): AdvertisementRow {
  const found = on.world.advertisements.get(`${on.namespace}/${name}`);
  if (found === undefined) throw noSuch(name);
  return advertisementRow(found, on.views.now());
}

export async function createAdvertisement(
  on: Dashboard,
  body: AdvertisementCreate,
  dryRun: boolean,
): Promise<AdvertisementRow> {
  const { name, ...settings } = body;
  const view = on.views.now();
  if (view.facts.advertisements.some((one) => one.metadata.name === name))
    throw nameTaken("advertisement", name, "name");
  const ad: L2Advertisement = {
    apiVersion: apiVersionOf(L2_ADVERTISEMENTS),
    kind: L2_ADVERTISEMENTS.kind,
    metadata: { name, namespace: on.namespace },
    spec: withLists({}, settings),
  };
  checkAdvertisement(ad, view);
  if (dryRun) return advertisementRow(ad, withAdvertisement(view, ad));
  const created = await on.cluster.create(L2_ADVERTISEMENTS, ad).catch(rename("name"));
  return settled(on, created);
}

/** Edits one; `whole` is PUT. With `resourceVersion`, an edit in between is a `conflict`. */
export async function changeAdvertisement(
  on: Dashboard,
  change: {
    readonly name: string;
    readonly body: AdvertisementPatch;
    readonly dryRun: boolean;
    readonly whole: boolean;
  },
): Promise<AdvertisementRow> {
  const { resourceVersion, ...settings } = change.body;
  for (let attempt = 1; ; attempt += 1) {
    const current = await find(on.cluster, L2_ADVERTISEMENTS, { name: change.name, namespace: on.namespace });
    if (current === null) throw noSuch(change.name);
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw movedOn(change.name);
    const before: L2AdvertisementSpec = current.spec ?? {};
    const next = { ...current, spec: change.whole ? withLists({}, settings) : withLists(before, settings) };
    checkAdvertisement(next, on.views.now());
    if (change.dryRun) return advertisementRow(next, withAdvertisement(on.views.now(), next));
    try {
      return await settled(on, await on.cluster.replace(L2_ADVERTISEMENTS, next));
    } catch (thrown) {
      if (Fault.from(thrown).code !== "conflict") throw thrown;
      if (resourceVersion !== undefined || attempt >= 3) throw movedOn(change.name);
    }
  }
}

export async function deleteAdvertisement(on: Dashboard, name: string, dryRun: boolean): Promise<{ removed: string }> {
  if (dryRun) return { removed: readAdvertisement(on, name).name };
  try {
    await on.cluster.remove(L2_ADVERTISEMENTS, { name, namespace: on.namespace });
  } catch (thrown) {
    throw Fault.from(thrown).code === "not_found" ? noSuch(name) : thrown;
  }
  await on.world.seen(on.world.advertisements, `${on.namespace}/${name}`, undefined);
  return { removed: name };
}

export async function advertisementYaml(on: Dashboard, name: string): Promise<{ yaml: string }> {
  const found = await find(on.cluster, L2_ADVERTISEMENTS, { name, namespace: on.namespace });
  if (found === null) throw noSuch(name);
  return { yaml: toYaml({ apiVersion: apiVersionOf(L2_ADVERTISEMENTS), kind: L2_ADVERTISEMENTS.kind, ...found }) };
}

async function settled(on: Dashboard, written: L2Advertisement): Promise<AdvertisementRow> {
  await on.world.seen(on.world.advertisements, keyOf(written), written);
  return advertisementRow(written, withAdvertisement(on.views.now(), written));
}

/** An empty list is left out: unset is how upstream spells "no limit". */
function withLists(before: L2AdvertisementSpec, settings: Settings): L2AdvertisementSpec {
  const next: Record<string, unknown> = { ...before };
  for (const key of LISTS) {
    const list = settings[key];
    if (list !== undefined) next[key] = list;
    if (Array.isArray(next[key]) && next[key].length === 0) delete next[key];
  }
  return next;
}

function noSuch(name: string): Fault {
  return new Fault("not_found", `There is no advertisement ${name}.`);
}

function movedOn(name: string): Fault {
  return new Fault(
    "conflict",
    `${name} was changed by somebody else meanwhile. Look at it again, then repeat your change.`,
  );
}
