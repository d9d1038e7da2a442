import { type Address, type Family, sameAddress, tryParseAddress } from "./address.ts";
import { perObject } from "./per-object.ts";
import type { Labels } from "./selector.ts";

/** The parts of a Kubernetes Service that decide; whatever else an object has is ignored. */
export interface ServiceLike {
  readonly metadata: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
    readonly labels?: Labels | undefined;
    readonly annotations?: Labels | undefined;
    readonly creationTimestamp?: string | undefined;
  };
  readonly spec?:
    | {
        readonly type?: string | undefined;
        readonly clusterIP?: string | undefined;
        readonly clusterIPs?: readonly string[] | undefined;
        readonly ipFamilies?: readonly string[] | undefined;
        readonly ipFamilyPolicy?: string | undefined;
        readonly externalTrafficPolicy?: string | undefined;
        readonly loadBalancerClass?: string | undefined;
        readonly loadBalancerIP?: string | undefined;
        readonly selector?: Labels | undefined;
        readonly ports?: readonly { readonly protocol?: string | undefined; readonly port: number }[] | undefined;
      }
    | undefined;
  readonly status?:
    | {
        readonly loadBalancer?:
          | { readonly ingress?: readonly { readonly ip?: string | undefined }[] | undefined }
          | undefined;
      }
    | undefined;
}

/** A Service as the allocator, the controller and the dashboard see it (metallb.md 2.1). */
export interface ServiceView {
  /** "namespace/name" */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** RFC 3339; "" when the object has none. */
  readonly createdAt: string;
  readonly type: string;
  readonly isLoadBalancer: boolean;
  readonly loadBalancerClass: string | null;
  /** From the annotation address-pool; null when absent or empty. */
  readonly requestedPool: string | null;
  /** As written: annotation loadBalancerIPs or spec.loadBalancerIP. */
  readonly requestedAddresses: readonly string[];
  readonly requested: readonly Address[];
  /** What is wrong with the request by itself, in words. */
  readonly requestProblem: string | null;
  /** "" means not shared. */
  readonly sharingKey: string;
  readonly sharedKeyPresent: boolean;
  /** Families of the cluster IPs, those it must be reachable by; primary first, without repeats. */
  readonly families: readonly Family[];
  /** What is wrong with the cluster IPs, in words. */
  readonly clusterIPProblem: string | null;
  readonly dualStack: "single" | "prefer" | "require";
  /** "TCP/80" */
  readonly ports: readonly string[];
  /** Must be equal to share an address: "" for policy Cluster, the pod selector for Local (metallb.md 2.5). */
  readonly backendKey: string;
  readonly policyLocal: boolean;
  /** `status.loadBalancer.ingress[].ip` as written; hostname entries are left out. */
  readonly ingress: readonly string[];
  /** The same, read; null when one of them is no address. */
  readonly held: readonly Address[] | null;
  /** Output annotation: the pool it was given from. */
  readonly allocatedFrom: string | null;
  /** Deprecated annotation keys that are in effect. */
  readonly deprecatedAnnotations: readonly string[];
}

const PREFIX = "metallb.io/";
const DEPRECATED_PREFIX = "metallb.universe.tf/";

/** Value of a Service annotation by its name without prefix; the deprecated prefix counts only while the new key is absent. */
export function serviceAnnotation(annotations: Labels | undefined, name: string): string | undefined {
  if (!annotations) return undefined;
  if (Object.hasOwn(annotations, PREFIX + name)) return annotations[PREFIX + name];
  return Object.hasOwn(annotations, DEPRECATED_PREFIX + name) ? annotations[DEPRECATED_PREFIX + name] : undefined;
}

/** As `toServiceView`, for objects that never change, as those of a cache: each is read once. */
export const serviceView = perObject(toServiceView);

/** Reads a Service. Never throws: what is wrong with a request is in `requestProblem`. */
export function toServiceView(service: ServiceLike): ServiceView {
  const { metadata, spec = {} } = service;
  const annotation = (name: string) => serviceAnnotation(metadata.annotations, name);
  const sharing = annotation("allow-shared-ip");
  const policyLocal = spec.externalTrafficPolicy === "Local";
  const ingress = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  const held = ingress.map(tryParseAddress);
  const namespace = metadata.namespace ?? "default";
  const name = metadata.name ?? "";
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    labels: metadata.labels ?? {},
    createdAt: metadata.creationTimestamp ?? "",
    type: spec.type ?? "ClusterIP",
    isLoadBalancer: spec.type === "LoadBalancer",
    loadBalancerClass: spec.loadBalancerClass ?? null,
    requestedPool: annotation("address-pool") || null,
    ...requestOf(annotation("loadBalancerIPs"), spec.loadBalancerIP),
    sharingKey: sharing ?? "",
    sharedKeyPresent: sharing !== undefined,
    families: familiesOf(spec),
    clusterIPProblem: clusterIPProblem(spec),
    dualStack:
      spec.ipFamilyPolicy === "RequireDualStack"
        ? "require"
        : spec.ipFamilyPolicy === "PreferDualStack"
          ? "prefer"
          : "single",
    ports: (spec.ports ?? []).map(({ protocol = "TCP", port }) => `${protocol}/${port}`),
    backendKey: policyLocal ? selectorKey(spec.selector ?? {}) : "",
    policyLocal,
    ingress,
    held: held.every((address) => address !== null) ? held : null,
    allocatedFrom: annotation("ip-allocated-from-pool") || null,
    deprecatedAnnotations: Object.keys(metadata.annotations ?? {}).filter(
      (key) =>
        key.startsWith(DEPRECATED_PREFIX) &&
        !Object.hasOwn(metadata.annotations ?? {}, PREFIX + key.slice(DEPRECATED_PREFIX.length)),
    ),
  };
}

function requestOf(list: string | undefined, single: string | undefined) {
  const requestedAddresses = (list ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (requestedAddresses.length > 0 && single) {
    const requestProblem = "asks for addresses both by annotation loadBalancerIPs and by spec.loadBalancerIP; keep one";
    return { requestedAddresses, requested: [], requestProblem };
  }
  if (single) requestedAddresses.push(single);
  const requested: Address[] = [];
  for (const text of requestedAddresses) {
    const address = tryParseAddress(text);
    if (address === null) {
      const requestProblem = `asks for ${JSON.stringify(text)}, which is not an IP address`;
      return { requestedAddresses, requested: [], requestProblem };
    }
    requested.push(address);
  }
  const requestProblem = requestedSetProblem(requested);
  // A request that is wrong by itself asks for nothing: what the Service holds stays.
  return { requestedAddresses, requested: requestProblem === null ? requested : [], requestProblem };
}

function requestedSetProblem(requested: readonly Address[]): string | null {
  if (requested.length > 2) return "asks for more than two addresses; one per family is the most";
  const [first, second] = requested;
  if (first === undefined || second === undefined) return null;
  if (sameAddress(first, second)) return "asks for the same address twice";
  return first.family === second.family
    ? `asks for two IPv${first.family} addresses; one per family is the most`
    : null;
}

function familiesOf(spec: NonNullable<ServiceLike["spec"]>): readonly Family[] {
  const families = new Set(clusterIPsOf(spec).flatMap((text) => tryParseAddress(text)?.family ?? []));
  const primary: Family = spec.ipFamilies?.[0] === "IPv6" ? 6 : 4;
  return [...families].toSorted((a, b) => Number(b === primary) - Number(a === primary));
}

/** Headless Services ("None") have none. */
function clusterIPsOf({ clusterIPs, clusterIP }: NonNullable<ServiceLike["spec"]>): readonly string[] {
  return (clusterIPs ?? [clusterIP ?? ""]).filter((text) => text !== "" && text !== "None");
}

function clusterIPProblem(spec: NonNullable<ServiceLike["spec"]>): string | null {
  const wrong = clusterIPsOf(spec).find((text) => tryParseAddress(text) === null);
  return wrong === undefined ? null : `has the cluster IP ${JSON.stringify(wrong)}, which is not an IP address`;
}

function selectorKey(selector: Labels): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(",");
}
