/** What share of requests each pod should get (ux.md 3.3): new connections, from one client, over layer 2. */
export interface ShareEndpoint {
  readonly pod: string;
  readonly node: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** Which pods answer, how often? Everything the model knows of. */
export interface ShareQuestion {
  /** externalTrafficPolicy is Local. */
  readonly policyLocal: boolean;
  /** sessionAffinity is ClientIP. */
  readonly sessionAffinity: boolean;
  readonly announcingNode: string | null;
  readonly endpoints: readonly ShareEndpoint[];
}

/** Of all new connections, the part that one pod should get. */
interface PodShare {
  readonly pod: string;
  readonly node: string | null;
  /** 0 to 1. */
  readonly share: number;
}

/**
 * Expected shares and the model in words, always to be shown together. No
 * shares where the model knows none: session affinity (one client stays with
 * one pod, which one is chance) and policy Local while nobody announces. Pods
 * that get nothing by design are listed with 0; the shares add up to 1 or 0.
 */
export function expectedShares(question: ShareQuestion): {
  readonly shares: readonly PodShare[];
  readonly model: string;
} {
  const { policyLocal, sessionAffinity, announcingNode, endpoints } = question;
  const policy = `L2, policy ${policyLocal ? "Local" : "Cluster"}`;
  if (policyLocal && announcingNode === null) {
    return { shares: [], model: `No expectation: ${policy}, and no node announces the address` };
  }
  const inReach = endpoints.filter(({ node }) => !policyLocal || node === announcingNode);
  const ready = inReach.filter((endpoint) => endpoint.ready && !endpoint.terminating);
  // The service proxy falls back to these only while nothing is ready (KEP-1669).
  const leaving = inReach.filter((endpoint) => endpoint.terminating && endpoint.serving);
  const chosen = ready.length > 0 ? ready : leaving;
  const where = policyLocal ? ` on ${announcingNode}` : "";
  if (chosen.length === 0) {
    const shares = endpoints.map(({ pod, node }) => ({ pod, node, share: 0 }));
    return { shares, model: `Expecting no replies: ${policy}, no ready pod${where}` };
  }
  const state = chosen === ready ? "ready" : "terminating";
  const pods = `${chosen.length} ${state} ${chosen.length === 1 ? "pod" : "pods"}${where}`;
  if (sessionAffinity && chosen.length > 1) {
    return {
      shares: [],
      model: `Expecting one pod to answer everything: ${policy}, session affinity ClientIP, ${pods}`,
    };
  }
  const each = 1 / chosen.length;
  const shares = endpoints.map((endpoint) => ({
    pod: endpoint.pod,
    node: endpoint.node,
    share: chosen.includes(endpoint) ? each : 0,
  }));
  const amount = chosen.length === 1 ? "100 % from one pod" : `${percent(each)} each`;
  return { shares, model: `Expecting ${amount}: ${policy}, ${pods}` };
}

/** 0.333… as "33.3 %", without a needless ".0". */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1).replace(/\.0$/, "")} %`;
}
