import type { Json } from "#sandbox/kinds/definition";
import type { Catalog } from "./catalog.ts";
import type { Resource } from "./resource.ts";
import { apiVersionOf } from "./resource.ts";
import { REVIEWS } from "./review-kinds.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

const SUBRESOURCE_VERBS: Readonly<Record<string, readonly string[]>> = {
  status: ["get", "patch", "update"],
  scale: ["get", "patch", "update"],
  log: ["get"],
  binding: ["create"],
  eviction: ["create"],
  token: ["create"],
  finalize: ["update"],
};

const SUBRESOURCE_KINDS: Readonly<Record<string, { group: string; version: string; kind: string }>> = {
  scale: { group: "autoscaling", version: "v1", kind: "Scale" },
  binding: { group: "", version: "v1", kind: "Binding" },
  eviction: { group: "policy", version: "v1", kind: "Eviction" },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
};

/** One resource as discovery describes it: a stored kind, or a review that is only ever created. */
interface Described {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

interface GroupVersions {
  readonly group: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly Described[] }[];
}

/** Every document of discovery, made from the kinds that are served now. */
export class Discovery {
  readonly #catalog: Catalog;
  #seen = -1;
  #groups: readonly GroupVersions[] = [];

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** GET /api */
  versions(): Json {
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  }

  /** GET /apis */
  groupList(): Json {
    const groups = this.#all().filter(({ group }) => group !== "");
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupOf) };
  }

  /** GET /apis/<group> */
  group(name: string): Json | undefined {
    const found = this.#all().find(({ group }) => group === name && group !== "");
    return found === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...groupOf(found) };
  }

  /** GET /api/v1, /apis/<group>/<version> */
  resources(group: string, version: string): Json | undefined {
    const found = this.#all()
      .find((one) => one.group === group)
      ?.versions.find((one) => one.version === version);
    if (found === undefined) return undefined;
    const resources = found.resources.flatMap((resource) => [plain(resource), ...plainParts(resource)]);
    return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf(group, version), resources };
  }

  /** GET /api and /apis as apidiscovery.k8s.io APIGroupDiscoveryList. */
  aggregated(core: boolean, version: string): Json {
    const groups = this.#all().filter(({ group }) => (group === "") === core);
    return {
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(({ group, versions }) => ({
        metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
        versions: versions.map((one) => ({
          version: one.version,
          resources: one.resources.map(aggregatedResource),
          freshness: "Current",
        })),
      })),
    };
  }

  groupVersions(): readonly { readonly group: string; readonly version: string }[] {
    return this.#all().flatMap(({ group, versions }) => versions.map(({ version }) => ({ group, version })));
  }

  #all(): readonly GroupVersions[] {
    if (this.#seen === this.#catalog.version) return this.#groups;
    this.#seen = this.#catalog.version;
    const described = [...this.#catalog.all().map(describe), ...REVIEWS.map(describeReview)];
    const byGroup = Map.groupBy(described, ({ group }) => group);
    this.#groups = [...byGroup].map(([group, resources]) => ({
      group,
      versions: [...Map.groupBy(resources, ({ version }) => version)]
        .map(([version, own]) => ({ version, resources: own.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)) }))
        .toSorted((a, b) => compareVersions(b.version, a.version)),
    }));
    return this.#groups;
  }
}

function describe({ definition }: Resource): Described {
  return { ...definition, verbs: VERBS };
}

function describeReview(review: (typeof REVIEWS)[number]): Described {
  const singular = review.kind.toLowerCase();
  return { ...review, singular, verbs: ["create"], shortNames: [], categories: [], subresources: [] };
}

function groupOf({ group, versions }: GroupVersions): Json {
  const list = versions.map(({ version }) => ({ groupVersion: apiVersionOf(group, version), version }));
  return { name: group, versions: list, preferredVersion: list[0] ?? null };
}

function plain(resource: Described): Json {
  return {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: [...resource.verbs],
    ...(resource.shortNames.length > 0 ? { shortNames: [...resource.shortNames] } : {}),
    ...(resource.categories.length > 0 ? { categories: [...resource.categories] } : {}),
  };
}

function plainParts(resource: Described): readonly Json[] {
  return resource.subresources.map((name) => {
    const other = SUBRESOURCE_KINDS[name];
    return {
      name: `${resource.plural}/${name}`,
      singularName: "",
      namespaced: resource.namespaced,
      ...(other === undefined ? {} : { group: other.group, version: other.version }),
      kind: other?.kind ?? resource.kind,
      verbs: [...(SUBRESOURCE_VERBS[name] ?? ["get"])],
    };
  });
}

function aggregatedResource(resource: Described): Json {
  const { group, version, kind } = resource;
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: [...resource.verbs],
    ...(resource.shortNames.length > 0 ? { shortNames: [...resource.shortNames] } : {}),
    ...(resource.categories.length > 0 ? { categories: [...resource.categories] } : {}),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map((name) => ({
            subresource: name,
            responseKind: SUBRESOURCE_KINDS[name] ?? { group, version, kind },
            verbs: [...(SUBRESOURCE_VERBS[name] ?? ["get"])],
          })),
        }
      : {}),
  };
}

/** Kubernetes' order of versions: v2, v1, v1beta2, v1beta1, v1alpha1, then anything else by name. */
function compareVersions(a: string, b: string): number {
  const [stageA, majorA, minorA] = rank(a);
  const [stageB, majorB, minorB] = rank(b);
  if (stageA === 0 && stageB === 0) return a < b ? 1 : a > b ? -1 : 0;
  return stageA - stageB || majorA - majorB || minorA - minorB;
}

function rank(version: string): readonly [number, number, number] {
  const found = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (found === null) return [0, 0, 0];
  const stage = found[2] === undefined ? 3 : found[2] === "beta" ? 2 : 1;
  return [stage, Number(found[1]), Number(found[3] ?? 0)];
}
