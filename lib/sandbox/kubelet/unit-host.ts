import type { KubeletDeps } from "./deps.ts";
import type { PodView } from "./pod-view.ts";
import type { PodVolumes } from "./volumes.ts";

/** What a container's unit asks of its pod. */
export interface UnitHost {
  readonly deps: KubeletDeps;
  readonly pod: () => PodView;
  readonly podAddress: () => string;
  readonly volumes: PodVolumes;
  /** `<data>/pods/<uid>` */
  readonly directory: string;
  /** Aborts when the pod is to end: waits end, nothing is started any more. */
  readonly ending: AbortSignal;
  readonly changed: () => void;
}
