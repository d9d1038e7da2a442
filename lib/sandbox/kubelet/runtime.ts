import type { ContainerFs } from "./container-fs.ts";
import type { ContainerLog } from "./log-file.ts";
import type { ContainerView, PodView } from "./pod-view.ts";

/** How a container ended. `signal` is set when one ended it. */
export interface Exit {
  readonly exitCode: number;
  readonly signal?: number;
  readonly message?: string;
}

/** A container that was started. */
export interface Running {
  /** Never rejects. */
  readonly done: Promise<Exit>;
  /** SIGTERM: finish what is under way, then end. Idempotent. */
  terminate(): void;
  /** SIGKILL: end now. Idempotent. */
  kill(): void;
  /** Lives in this process, with nothing to put in order: when the whole system stops, nobody waits for it. */
  readonly inProcess?: boolean;
}

/** Everything a runtime may know of the container it starts. */
export interface StartContext {
  readonly pod: PodView;
  readonly container: ContainerView;
  readonly node: string;
  readonly nodeAddress: string;
  /** The pod's address as Kubernetes knows it (10.244.n.x, or the node's with hostNetwork). */
  readonly podAddress: string;
  readonly env: Readonly<Record<string, string>>;
  /** With `$(VAR)` expanded; empty means the image's own. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly fs: ContainerFs;
  readonly log: ContainerLog;
}

/** Starts containers of one image. Rejects with a `Fault` when the container cannot even be started. */
export interface ContainerRuntime {
  start(context: StartContext): Promise<Running>;
}

/** The part of `PodNetwork` (lib/sandbox/proxy/pod-network.ts) that kubelets use: which socket is behind a pod's port. */
export interface PodPorts {
  open(podAddress: string, port: number, protocol: "TCP" | "UDP", at: Socket): void;
  close(podAddress: string, port?: number, protocol?: "TCP" | "UDP"): void;
  lookup(podAddress: string, port: number, protocol: "TCP" | "UDP"): Socket | null;
}
interface Socket {
  readonly address: string;
  readonly port: number;
}

export const SIGKILL_EXIT: Exit = { exitCode: 137, signal: 9 };
