import type { KubeObject } from "#api/kubernetes/objects";
import type { ResourceRef } from "#api/resources";

/**
 * What the sandbox's own controllers and kubelets need of an API: the part of
 * `Cluster` (lib/kube/port.ts) that they use, so that the sandbox imports no
 * client. `main` passes an HTTP client; the API server's process passes
 * itself (lib/sandbox/apiserver/local.ts). Failures are `Fault`s with the same codes.
 */
export interface Objects {
  get<T extends KubeObject>(resource: ResourceRef<T>, name: ObjectName): Promise<T>;
  list<T extends KubeObject>(
    resource: ResourceRef<T>,
    options?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  create<T extends KubeObject>(resource: ResourceRef<T>, object: T): Promise<T>;
  replace<T extends KubeObject>(
    resource: ResourceRef<T>,
    object: T,
    options?: { readonly subresource?: "status" | "scale" | "finalize" },
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceRef<T>,
    name: ObjectName,
    patch: {
      readonly kind: "merge" | "json" | "strategic";
      readonly body: unknown;
      readonly subresource?: "status" | "scale";
    },
  ): Promise<T>;
  remove(
    resource: ResourceRef,
    name: ObjectName,
    options?: {
      readonly propagation?: "Foreground" | "Background" | "Orphan";
      readonly uid?: string;
      readonly gracePeriodSeconds?: number;
    },
  ): Promise<void>;
  cache<T extends KubeObject>(
    resource: ResourceRef<T>,
    scope?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): ObjectView<T>;
}

export interface ObjectName {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** A watched list; see `ObjectCache` in lib/kube/port.ts. */
export interface ObjectView<T> {
  readonly synced: boolean;
  whenSynced(signal?: AbortSignal): Promise<void>;
  get(key: string): T | undefined;
  list(): readonly T[];
  onChange(listener: (key: string, now: T | undefined, before: T | undefined) => void): () => void;
}
