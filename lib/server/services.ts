import type { Diagnosis, ServicePath } from "#api/dashboard/diagnosis";
import type { ServiceRow } from "#api/dashboard/services";
import type { Service } from "#api/kubernetes/services";
import { SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { diagnose } from "./diagnosis.ts";
import { find } from "./objects.ts";
import { pathOf } from "./path.ts";
import { serviceRow } from "./rows/services.ts";
import { toYaml } from "./yaml.ts";

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

export function listServices(on: Dashboard): ServiceRow[] {
  const view = on.views.now();
  return view.facts.services.map((service) => serviceRow(service, view)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function readService(on: Dashboard, name: ServiceName): ServiceRow {
  return serviceRow(heldService(on, name), on.views.now());
}

export function diagnosis(on: Dashboard, name: ServiceName): Diagnosis {
  return diagnose(heldService(on, name), on.views.now());
}

export function servicePath(on: Dashboard, name: ServiceName): ServicePath {
  return pathOf(heldService(on, name), on.views.now());
}

export async function serviceYaml(on: Dashboard, { namespace, name }: ServiceName): Promise<{ yaml: string }> {
  const found = await find(on.cluster, SERVICES, { namespace, name });
  if (found === null) throw noSuch(namespace, name);
  return { yaml: toYaml({ apiVersion: "v1", kind: "Service", ...found }) };
}

function heldService(on: Dashboard, { namespace, name }: ServiceName): Service {
  const found = on.world.services.get(`${namespace}/${name}`);
  if (found === undefined) throw noSuch(namespace, name);
  return found;
}

export function noSuch(namespace: string, name: string): Fault {
  return new Fault("not_found", `There is no Service ${namespace}/${name}.`);
}
