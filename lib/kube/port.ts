import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";

/** Which object; `namespace` is left out for cluster-scoped kinds. */
export interface ObjectName {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Selectors are in the text forms of the Kubernetes API ("app=web", "metadata.name=web"). */
export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

/** A consistent list; `resourceVersion` is where a watch may go on. */
export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** RFC 7396, RFC 6902, or Kubernetes' strategic merge. */
export type PatchKind = "merge" | "json" | "strategic";

/** With `dryRun` everything is checked and nothing is written. */
export interface WriteOptions {
  /** Asked when the first byte is about to leave; false fails the write unsent (Fault `unavailable`). */
  readonly mayStart?: () => boolean;
  readonly subresource?: "status" | "scale";
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

/** A change of one object, or of its subresource. */
export interface PatchRequest extends WriteOptions {
  readonly kind: PatchKind;
  /** For `merge`, put `metadata.resourceVersion` in to be refused (Fault `conflict`) when the object moved on. */
  readonly body: unknown;
}

/** `resourceVersion` and `uid` are preconditions: Fault `conflict` when they do not hold. */
export interface DeleteOptions {
  readonly propagation?: "Foreground" | "Background" | "Orphan";
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  readonly mayStart?: () => boolean;
  readonly signal?: AbortSignal;
}

/**
 * A list kept current by a watch. Objects are plain JSON and must not be
 * changed. Survives 410, 5xx, resets, silence and throwing listeners; while
 * disconnected it keeps serving the last known state and says so in `health`.
 */
export interface ObjectCache<T> {
  /** True once the first full list has been taken in; never false again. */
  readonly synced: boolean;
  /** Resolves when `synced`; rejects when the signal aborts first. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /**
   * Resolves once the cache has taken in a list that was begun at `since` (monotonic ms) or later, listing anew if
   * need be: what others wrote before then is in it. Rejects when the signal aborts first.
   */
  listedSince(since: number, signal?: AbortSignal): Promise<void>;
  get(key: string): T | undefined;
  list(): readonly T[];
  /**
   * Called once per changed object with its key ("namespace/name"), its new state (undefined: gone) and
   * the state before (undefined: new). Does not replay what is already there.
   */
  onChange(listener: (key: string, now: T | undefined, before: T | undefined) => void): () => void;
  readonly health: CacheHealth;
  /** Ends the watch of a cache that nobody else uses. */
  close(): void;
}

/** How the watch behind a cache is doing. */
export interface CacheHealth {
  readonly connected: boolean;
  /** Monotonic ms of the last byte from the server (bookmarks count). */
  readonly lastSeen: number;
  /** The last failure in words, cleared by the next success. */
  readonly error?: string;
  /** True when the server refuses the list or watch (403). */
  readonly forbidden: boolean;
}

/** A stretch of time in which this process alone may write. */
export interface Term {
  /** Monotonic ms at which it began. */
  readonly since: number;
  /** Aborts when it ends, before anybody else can begin one. Pass it to every write. */
  readonly signal: AbortSignal;
  /** To be asked right before a write. */
  holds(): boolean;
  /** Ends it, so that a successor need not wait. Only when no write is under way. Never rejects. */
  release(): Promise<void>;
}

/** How several replicas agree on the one that writes. */
export interface Election {
  /** What it is held by, for people. */
  readonly name: string;
  /** Who holds it: null before the first look, "" when nobody does. */
  readonly leader: string | null;
  /** Resolves when this process may write; rejects when the signal aborts first. */
  campaign(signal: AbortSignal): Promise<Term>;
}

/**
 * The Kubernetes API as Berth uses it: controllers, speakers and the
 * dashboard's server see only this. Every failure is a `Fault`: `not_found`,
 * `already_exists`, `conflict` (409), `forbidden`, `unauthorized`, `invalid`
 * (400/422, with `fields` from the causes), `gone` (410), `unavailable`
 * (network, 429, 5xx).
 */
export interface Cluster {
  list<T extends KubeObject>(resource: ResourceRef<T>, options?: ListOptions): Promise<ObjectList<T>>;
  get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, signal?: AbortSignal): Promise<T>;
  create<T extends KubeObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName, patch: PatchRequest): Promise<T>;
  remove(resource: ResourceRef, name: ObjectName, options?: DeleteOptions): Promise<void>;
  /** The shared cache of a kind; started on first use, ended by `close`. */
  cache<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): ObjectCache<T>;
  /** The last lines of a container's log. */
  podLog(
    name: ObjectName,
    options?: {
      readonly tailLines?: number;
      readonly container?: string;
      readonly previous?: boolean;
      readonly signal?: AbortSignal;
    },
  ): Promise<string>;
  /** `gitVersion` of the server ("v1.36.2"). */
  version(signal?: AbortSignal): Promise<string>;
  /** Ends every watch and connection. */
  close(): Promise<void>;
}
