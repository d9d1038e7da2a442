import type { CheckRow } from "#api/dashboard/preflight";
import { Fault } from "#core/errors";
import type { Dashboard } from "../context.ts";
import { iso } from "../operations.ts";
import { controllerOf, speakerOf } from "../rows/components.ts";
import { judgedChecks } from "./checks.ts";
import { fixStrictArp, STRICT_ARP, strictArpCheck } from "./strict-arp.ts";

/** Runs every check. The one that asks the network takes at most 1.5 s; the others are judged from the caches. */
export async function runPreflight(on: Dashboard, signal: AbortSignal): Promise<CheckRow[]> {
  const { world } = on;
  const ranAt = iso(on.clock.now());
  const judged = judgedChecks({
    view: on.views.now(),
    crds: world.crds.synced ? new Set(world.crds.list().map((crd) => crd.metadata.name ?? "")) : null,
    installed: {
      controller: controllerOf(world.deployments.list()) !== undefined,
      speaker: speakerOf(world.daemonSets.list()) !== undefined,
    },
    configStates: world.configStates.list(),
    forbidden: world.all.filter((one) => one.health.forbidden).map((one) => `list ${one.resource.plural}`),
  });
  const strictArp = await strictArpCheck(on, signal);
  return [strictArp, ...judged.map((check): CheckRow => ({ ...check, fix: null, wire: [], ranAt }))];
}

export async function fixCheck(on: Dashboard, check: string, signal: AbortSignal): Promise<{ operation: string }> {
  if (check !== STRICT_ARP)
    throw new Fault("not_found", `There is nothing that could be fixed by itself for "${check}".`);
  const { state, fix } = await strictArpCheck(on, signal);
  if (fix === null)
    throw new Fault("conflict", `strictARP needs no fix: the check says ${state.replaceAll("_", " ")}.`);
  return fixStrictArp(on);
}
