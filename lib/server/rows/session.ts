import type { Session } from "#api/dashboard/session";
import type { ConfigMap } from "#api/kubernetes/cluster";
import type { Service } from "#api/kubernetes/services";
import { KUBE_PROXY, WEBHOOKS } from "#api/names";
import type { CacheHealth } from "#kube/port";
import { readProxySettings } from "../kube-proxy-config.ts";

export interface SessionFacts {
  readonly user: string;
  readonly cluster: string;
  readonly server: string;
  readonly version: string | null;
  readonly sandbox: boolean;
  readonly namespace: string;
  /** Health of each watch by the plural of its kind; only `core` ones decide about `connected`. */
  readonly watches: readonly {
    readonly plural: string;
    readonly core: boolean;
    readonly synced: boolean;
    readonly health: CacheHealth;
  }[];
  readonly kubeProxySynced: boolean;
  readonly kubeProxy: ConfigMap | undefined;
  readonly controllerReady: boolean;
  readonly speakersReady: number;
  /** Valid pools that somebody advertises. */
  readonly advertisedPools: number;
  readonly services: readonly Service[];
  /** Services with ready endpoints, by key. */
  readonly backed: (key: string) => boolean;
  readonly assigned: number;
  readonly probed: boolean;
}

export function sessionRow(facts: SessionFacts): Session {
  const core = facts.watches.filter((watch) => watch.core);
  // The dashboard is as connected as its best watch: a kind that is refused or missing is no lost cluster.
  const connected = core.some(({ health }) => health.connected);
  const error = core.map(({ health }) => health.error).find((text) => text !== undefined);
  return {
    user: facts.user,
    cluster: facts.cluster,
    server: facts.server,
    version: facts.version,
    sandbox: facts.sandbox,
    namespace: facts.namespace,
    connected,
    forbidden: facts.watches.filter(({ health }) => health.forbidden).map(({ plural }) => `list ${plural}`),
    problem: connected
      ? null
      : `The API server at ${facts.server} does not answer${error === undefined ? "" : `: ${error}`}.`,
    checklist: {
      preflight: facts.kubeProxySynced && proxyFits(facts.kubeProxy),
      install: facts.controllerReady && facts.speakersReady > 0,
      pool: facts.advertisedPools > 0,
      workload: facts.services.some((service) => isWorkload(service) && facts.backed(keyOf(service))),
      expose: facts.assigned > 0,
      probe: facts.probed,
    },
  };
}

/** As far as the ConfigMap tells: ipvs needs strictARP, other modes and clusters without kube-proxy do not. */
function proxyFits(configMap: ConfigMap | undefined): boolean {
  if (configMap === undefined) return true;
  const settings = readProxySettings(configMap.data?.[KUBE_PROXY.key] ?? "");
  return settings === null || settings.mode !== "ipvs" || settings.strictARP;
}

function isWorkload({ metadata, spec }: Service): boolean {
  if (metadata.namespace === "default" && metadata.name === "kubernetes") return false;
  if (metadata.name === WEBHOOKS.service) return false;
  return metadata.namespace !== "kube-system" && Object.keys(spec?.selector ?? {}).length > 0;
}

function keyOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}
