import type { KindRegistry } from "#sandbox/kinds/definition";
import type { Store } from "#sandbox/store/types";
import { customResources } from "./custom-kinds.ts";
import { bucketOf, builtinResource, CRD_BUCKET, type Resource } from "./resource.ts";

/** Every kind that is served now: the built-in ones and those of the stored CustomResourceDefinitions. */
export class Catalog {
  readonly #builtin: readonly Resource[];
  readonly #store: Store;
  readonly #kinds: KindRegistry;
  #seen = -1;
  #all: readonly Resource[] = [];
  #byPath = new Map<string, Resource>();
  #byBucket = new Map<string, Resource>();

  constructor(kinds: KindRegistry, store: Store) {
    this.#kinds = kinds;
    this.#store = store;
    this.#builtin = kinds.all.map(builtinResource);
  }

  /** Changes when the list of kinds does. */
  get version(): number {
    this.#refresh();
    return this.#seen;
  }

  get kinds(): KindRegistry {
    return this.#kinds;
  }

  all(): readonly Resource[] {
    this.#refresh();
    return this.#all;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    this.#refresh();
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Any version of it: for what is about the objects and not about their shape. */
  ofBucket(group: string, plural: string): Resource | undefined {
    this.#refresh();
    return this.#byBucket.get(bucketOf(group, plural));
  }

  #refresh(): void {
    const version = this.#store.version(CRD_BUCKET);
    if (version === this.#seen) return;
    this.#seen = version;
    const builtinBuckets = new Set(this.#builtin.map((resource) => resource.bucket));
    const custom = this.#store
      .list(CRD_BUCKET)
      .flatMap((entry) => customResources(entry.object))
      .filter((resource) => !builtinBuckets.has(resource.bucket));
    this.#all = [...this.#builtin, ...custom];
    this.#byPath = new Map();
    this.#byBucket = new Map();
    for (const resource of this.#all) {
      const { group, version: name, plural } = resource.definition;
      this.#byPath.set(`${group}/${name}/${plural}`, resource);
      if (!this.#byBucket.has(resource.bucket) || resource.apiVersion === resource.storedAs) {
        this.#byBucket.set(resource.bucket, resource);
      }
    }
  }
}
