import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { ChildRegistry } from "../kubelet/children.ts";
import type { NodeIdentity } from "../kubelet/node-object.ts";
import type { ContainerRuntime, PodPorts } from "../kubelet/runtime.ts";
import type { ProxySettings } from "../kubelet/runtimes/kube-proxy.ts";
import type { Objects } from "../port.ts";

/** What a network is made from. */
export interface NetworkDeps {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
  /** Absolute. */
  readonly dataDir: string;
  readonly apiPort: number;
  readonly berthBin: string;
  readonly nodePath: string;
  readonly children: ChildRegistry;
  readonly identities: readonly NodeIdentity[];
}

/** One node's place in the network: its card, its kernel and its service proxy. */
export interface NodeNetwork {
  /** What its kube-proxy read when it started. */
  setProxy(settings: ProxySettings): void;
  /** Off is a pulled plug: nothing passes either way from now on. */
  setPower(on: boolean): void;
  /** Whether its cable leads to the API server: a node that is cut off cannot renew its Lease. */
  connected(): boolean;
}

/**
 * How the sandbox's nodes and pods are joined, and how a client reaches them:
 * the virtual LAN of one process, or network namespaces. Follows Services and
 * EndpointSlices by itself from `start` on.
 */
export interface SandboxNetwork {
  /** Where pods find the API server. */
  readonly api: { readonly host: string; readonly port: number };
  /** How kubelets reach the ports of pods. */
  readonly ports: PodPorts;
  /** The images that open sockets. */
  readonly runtimes: Readonly<Record<"nginx" | "berth", ContainerRuntime>>;
  /** Throws Fault `not_found` for a node it was not made with. */
  node(name: string): NodeNetwork;
  /** The pod's second address, of the other family; null where pods have one. */
  secondAddress(podAddress: string): string | null;
  /** The pod is gone for good. */
  releasePod(uid: string): void;
  /** The caches are synced. */
  start(): void;
  /** No new traffic comes in; called before the pods are stopped. */
  quiet(): Promise<void>;
  /** Everything is undone; called when the pods have ended. */
  close(): Promise<void>;
}
