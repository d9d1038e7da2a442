import type { ServicePath } from "#api/dashboard/diagnosis";
import type { Service } from "#api/kubernetes/services";
import { keyOf } from "#api/resources";
import { expectedShares, type ShareQuestion } from "#core/share";
import { addressesOf } from "./objects-to-facts.ts";
import { poolNameOf } from "./pool-of.ts";
import { announceReasons } from "./rows/announce-reasons.ts";
import { endpointsOf } from "./rows/endpoints.ts";
import { announcersFor, findingOf, serviceRow } from "./rows/services.ts";
import type { View } from "./view.ts";

/** The way of a request, station by station: its address, who announces that, and the pods behind with what each should get. */
export function pathOf(service: Service, view: View): ServicePath {
  const { status, sentence, reason, refusals } = findingOf(service, view);
  const { ports, externalTrafficPolicy, sessionAffinity } = serviceRow(service, view);
  const { shares, model } = expectedShares(shareQuestion(service, view));
  const shareOf = new Map(shares.map(({ pod, share }) => [pod, share]));
  const addresses = addressesOf(service);
  return {
    service: keyOf(service),
    assignment: {
      status,
      sentence,
      reason,
      refusals: [...refusals],
      addresses: addresses.map((address) => ({ address, pool: poolNameOf(address, view) })),
    },
    ...announceReasons(service, view),
    wire: addresses.flatMap((address) => {
      const report = view.wire.get(address);
      return report === undefined ? [] : { address, kind: report.kind, message: report.message };
    }),
    ports,
    externalTrafficPolicy,
    sessionAffinity,
    endpoints: endpointsOf(view.slicesOf(keyOf(service))).map((one) => ({
      ...one,
      share: shareOf.get(one.pod ?? one.address) ?? null,
    })),
    model,
  };
}

/** What a probe of the Service should see, by core's share model. */
export function shareQuestion(service: Service, view: View): ShareQuestion {
  const endpoints = endpointsOf(view.slicesOf(keyOf(service)));
  return {
    policyLocal: service.spec?.externalTrafficPolicy === "Local",
    sessionAffinity: service.spec?.sessionAffinity === "ClientIP",
    announcingNode: announcersFor(service, view)[0]?.node ?? null,
    endpoints: endpoints.map(({ pod, address, node, ready, serving, terminating }) => ({
      pod: pod ?? address,
      node,
      ready,
      serving,
      terminating,
    })),
  };
}
