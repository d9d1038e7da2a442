import type { HoldCreate, HoldPatch, HoldRow } from "#api/dashboard/holds";
import { type AddressHold, toHoldInput } from "#api/holds";
import { ADDRESS_HOLDS, apiVersionOf, keyOf } from "#api/resources";
import { tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import { compileHold, HoldIndex } from "#core/holds";
import type { Dashboard } from "./context.ts";
import { find } from "./objects.ts";
import { bodyField, nameTaken, rename } from "./pools.ts";
import type { View } from "./view.ts";

export function listHolds(on: Dashboard): HoldRow[] {
  const view = on.views.now();
  return view.facts.holds.map((hold) => holdRow(hold, view)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readHold(on: Dashboard, name: string): HoldRow {
  const found = on.world.holds.get(name);
  if (found === undefined) throw noSuch(name);
  return holdRow(found, on.views.now());
}

export async function createHold(on: Dashboard, body: HoldCreate, dryRun: boolean): Promise<HoldRow> {
  const { name, ...settings } = body;
  if (on.world.holds.get(name) !== undefined) throw nameTaken("hold", name, "name");
  const hold: AddressHold = {
    apiVersion: apiVersionOf(ADDRESS_HOLDS),
    kind: ADDRESS_HOLDS.kind,
    metadata: { name },
    spec: withSettings({ addresses: [], reason: "reserved" }, settings),
  };
  check(hold);
  if (dryRun) return holdRow(hold, on.views.now());
  return settled(on, await on.cluster.create(ADDRESS_HOLDS, hold).catch(rename("name")));
}

/** Edits one; `whole` is PUT. With `resourceVersion`, an edit in between is a `conflict`. */
export async function changeHold(
  on: Dashboard,
  change: { readonly name: string; readonly body: HoldPatch; readonly dryRun: boolean; readonly whole: boolean },
): Promise<HoldRow> {
  const { resourceVersion, ...settings } = change.body;
  for (let attempt = 1; ; attempt += 1) {
    const current = await find(on.cluster, ADDRESS_HOLDS, { name: change.name });
    if (current === null) throw noSuch(change.name);
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw movedOn(change.name);
    const before: AddressHold["spec"] = change.whole ? { addresses: [], reason: "reserved" } : current.spec;
    const next = { ...current, spec: withSettings(before, settings) };
    check(next);
    if (change.dryRun) return holdRow(next, on.views.now());
    try {
      return await settled(on, await on.cluster.replace(ADDRESS_HOLDS, next));
    } catch (thrown) {
      if (Fault.from(thrown).code !== "conflict") throw thrown;
      if (resourceVersion !== undefined || attempt >= 3) throw movedOn(change.name);
    }
  }
}

export async function deleteHold(on: Dashboard, name: string, dryRun: boolean): Promise<{ removed: string }> {
  if (dryRun) return { removed: readHold(on, name).name };
  try {
    await on.cluster.remove(ADDRESS_HOLDS, { name });
  } catch (thrown) {
    throw Fault.from(thrown).code === "not_found" ? noSuch(name) : thrown;
  }
  await on.world.seen(on.world.holds, name, undefined);
  return { removed: name };
}

function holdRow(hold: AddressHold, view: View): HoldRow {
  const input = toHoldInput(hold);
  const { view: compiled, problems } = compileHold(input);
  const own = new HoldIndex(compiled === null ? [] : [compiled]);
  const keepers = [...view.holders].flatMap(([text, services]) => {
    const address = tryParseAddress(text);
    return address !== null && own.of(address) !== undefined ? services : [];
  });
  const isOver = compiled?.expiresAt != null && compiled.expiresAt <= view.facts.now;
  return {
    name: input.name,
    addresses: [...input.addresses],
    reason: compiled?.reason ?? "reserved",
    expiry: input.expiry,
    note: input.note,
    mac: input.mac === "" ? null : input.mac,
    node: input.node === "" ? null : input.node,
    state: compiled === null ? "Invalid" : isOver ? "Expired" : "Active",
    services: [...new Set(keepers)].sort(),
    findings: problems.map(({ severity, field, message, fix }) => ({ severity, field, message, fix })),
    createdAt: hold.metadata.creationTimestamp ?? "",
    resourceVersion: hold.metadata.resourceVersion ?? "",
  };
}

/** Null takes a field out. */
function withSettings(before: AddressHold["spec"], settings: Omit<HoldPatch, "resourceVersion">): AddressHold["spec"] {
  const next: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(settings)) {
    if (value === null || value === "") delete next[key];
    else if (value !== undefined) next[key] = value;
  }
  return next as AddressHold["spec"];
}

/** Throws `invalid` with the body's fields when the hold could not come into force. */
function check(hold: AddressHold): void {
  const { problems } = compileHold(toHoldInput(hold));
  const fields: Record<string, string> = {};
  for (const { field, message, fix } of problems) fields[bodyField(field)] ??= `${message}; ${fix}`;
  const [first] = Object.entries(fields);
  if (first !== undefined) throw new Fault("invalid", `${first[0]}: ${first[1]}`, { fields });
}

async function settled(on: Dashboard, written: AddressHold): Promise<HoldRow> {
  await on.world.seen(on.world.holds, keyOf(written), written);
  return holdRow(written, on.views.now());
}

function noSuch(name: string): Fault {
  return new Fault("not_found", `There is no hold ${name}.`);
}

function movedOn(name: string): Fault {
  return new Fault(
    "conflict",
    `${name} was changed by somebody else meanwhile. Look at it again, then repeat your change.`,
  );
}
