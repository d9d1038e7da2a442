import type { ProbeCreate, ProbeRow } from "#api/dashboard/probes";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { targetOf } from "./target.ts";

/** Only addresses of LoadBalancer Services are ever requested, whoever asks. */
export function startProbe(on: Dashboard, wish: ProbeCreate): ProbeRow {
  const service = on.world.services.get(wish.service);
  if (service === undefined) {
    const message = `there is no Service ${wish.service}`;
    throw new Fault("invalid", `${message}.`, { fields: { service: message } });
  }
  const target = targetOf(service, wish.port, wish.path);
  const vantage = on.sandbox ? "this machine, beside the sandbox" : "the machine that runs the dashboard";
  return on.probes.start(wish, target, vantage);
}
