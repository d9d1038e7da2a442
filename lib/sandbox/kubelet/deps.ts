import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";
import type { Configuration } from "./env.ts";
import type { EventRecorder } from "./events.ts";
import type { ImageKind } from "./image.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import type { ContainerRuntime, PodPorts } from "./runtime.ts";
import type { TokenRequest } from "./volumes.ts";

/** What one node's kubelet and its pods work with. */
export interface KubeletDeps {
  readonly objects: Objects;
  readonly requestToken: (request: TokenRequest) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly dataDir: string;
  readonly node: string;
  readonly nodeAddress: string;
  /** Where pods find the API server; 127.0.0.1 unless given. */
  readonly apiHost?: string;
  readonly apiPort: number;
  readonly addresses: PodAddresses;
  /** A pod's second address, of the other family; pods have one address unless given. */
  readonly secondAddress?: (podAddress: string) => string | null;
  readonly ports: PodPorts;
  readonly runtimes: Readonly<Record<ImageKind, ContainerRuntime>>;
  readonly configuration: Configuration;
  readonly events: EventRecorder;
}

/** Seconds since the epoch as objects carry it: "2026-01-01T00:00:00Z". */
export function timeText(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
}
