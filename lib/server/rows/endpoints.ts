import type { EndpointSlice } from "#api/kubernetes/services";

interface EndpointFacts {
  readonly address: string;
  readonly pod: string | null;
  readonly node: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/**
 * The endpoints of a Service, one per pod: a dual-stack Service lists each pod
 * in a slice per family. `ready` unset means ready, `serving` unset means as
 * ready (discovery.k8s.io/v1 EndpointConditions).
 */
export function endpointsOf(slices: readonly EndpointSlice[]): readonly EndpointFacts[] {
  const found = new Map<string, EndpointFacts>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      const ready = endpoint.conditions?.ready ?? true;
      const address = endpoint.addresses?.[0] ?? "";
      const pod = endpoint.targetRef?.kind === "Pod" ? (endpoint.targetRef.name ?? null) : null;
      const key = pod ?? address;
      if (found.has(key)) continue;
      found.set(key, {
        address,
        pod,
        node: endpoint.nodeName ?? null,
        ready,
        serving: endpoint.conditions?.serving ?? ready,
        terminating: endpoint.conditions?.terminating ?? false,
      });
    }
  }
  return [...found.values()].sort((a, b) => ((a.pod ?? a.address) < (b.pod ?? b.address) ? -1 : 1));
}

export function endpointCounts(slices: readonly EndpointSlice[]): { ready: number; total: number } {
  const endpoints = endpointsOf(slices);
  return { ready: endpoints.filter((one) => one.ready).length, total: endpoints.length };
}
