import type { Protocol } from "#net/host";

/** What is read of a Service (core/v1). */
export interface ServiceLike {
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined };
  readonly spec?:
    | {
        readonly type?: string | undefined;
        readonly clusterIP?: string | undefined;
        readonly clusterIPs?: readonly string[] | undefined;
        readonly externalTrafficPolicy?: string | undefined;
        readonly healthCheckNodePort?: number | undefined;
        readonly internalTrafficPolicy?: string | undefined;
        readonly sessionAffinity?: string | undefined;
        readonly sessionAffinityConfig?:
          | { readonly clientIP?: { readonly timeoutSeconds?: number | undefined } | undefined }
          | undefined;
        readonly ports?:
          | readonly {
              readonly name?: string | undefined;
              readonly protocol?: string | undefined;
              readonly port: number;
              readonly nodePort?: number | undefined;
            }[]
          | undefined;
      }
    | undefined;
  readonly status?:
    | {
        readonly loadBalancer?:
          | {
              readonly ingress?:
                | readonly { readonly ip?: string | undefined; readonly ipMode?: string | undefined }[]
                | undefined;
            }
          | undefined;
      }
    | undefined;
}

/** What is read of an EndpointSlice (discovery.k8s.io/v1). */
export interface EndpointSliceLike {
  readonly metadata: {
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[] | undefined;
        readonly nodeName?: string | undefined;
        readonly conditions?:
          | {
              readonly ready?: boolean | null | undefined;
              readonly serving?: boolean | null | undefined;
              readonly terminating?: boolean | null | undefined;
            }
          | undefined;
      }[]
    | null
    | undefined;
  readonly ports?:
    | readonly {
        readonly name?: string | null | undefined;
        readonly protocol?: string | null | undefined;
        readonly port?: number | null | undefined;
      }[]
    | null
    | undefined;
}

export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly node: string | null;
  /** "terminating": still serving while it shuts down; used only when nothing is ready. */
  readonly state: "ready" | "terminating";
}

/** One address and port that a node accepts traffic for. */
export interface Frontend {
  /** "namespace/name" of the Service. */
  readonly service: string;
  /** One per Service port and family: frontends that share it share session affinity. */
  readonly portKey: string;
  readonly protocol: Protocol;
  /** True when only backends on the receiving node may be used. */
  readonly local: boolean;
  /** Null without session affinity, else how long a client stays with its backend. */
  readonly affinityMs: number | null;
  /** Sorted by address; ready and terminating ones. */
  readonly backends: readonly Backend[];
}
