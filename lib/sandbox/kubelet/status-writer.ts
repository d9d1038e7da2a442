import type { Pod } from "#api/kubernetes/pods";
import { PODS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";
import type { PodStatus } from "./status.ts";

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;

/** Writes one pod's status: only what changed, only the newest, one write at a time, until it is through. */
export class StatusWriter {
  readonly #deps: { readonly objects: Objects; readonly clock: Clock; readonly log: Log };
  readonly #pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly #compute: () => PodStatus;
  #written = "";
  #dirty = false;
  #busy: Promise<void> | null = null;
  #closed = false;
  /** Monotonic ms of the last write that got through. */
  lastWrite = Number.NEGATIVE_INFINITY;

  /** `compute` is asked for the status at the moment of writing. */
  constructor(
    deps: { readonly objects: Objects; readonly clock: Clock; readonly log: Log },
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    compute: () => PodStatus,
  ) {
    this.#deps = deps;
    this.#pod = pod;
    this.#compute = compute;
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#closed) return;
    this.#dirty = true;
    // Changes of one moment (init ended, container created, started) become one write.
    this.#busy ??= Promise.resolve()
      .then(() => this.#run())
      .finally(() => {
        this.#busy = null;
        if (this.#dirty && !this.#closed) this.touch();
      });
  }

  /** Compares with what the cluster shows and writes again if somebody overwrote it. */
  repair(seen: Pod): void {
    if (this.#closed || this.#busy !== null || this.#written === "") return;
    const wanted: PodStatus = JSON.parse(this.#written);
    const ready = (status: Pod["status"]) => status?.conditions?.find(({ type }) => type === "Ready")?.status;
    if (seen.status?.phase === wanted.phase && ready(seen.status) === ready(wanted)) return;
    this.#written = "";
    this.touch();
  }

  /** Resolves when everything up to now is written, or given up. */
  async flush(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    let delayMs = RETRY_FIRST_MS;
    while (this.#dirty && !this.#closed) {
      this.#dirty = false;
      const status = this.#compute();
      const text = JSON.stringify(status);
      if (text === this.#written) continue;
      try {
        const { namespace, name } = this.#pod;
        await this.#deps.objects.patch(
          PODS,
          { namespace, name },
          { kind: "merge", subresource: "status", body: { status } },
        );
        this.#written = text;
        this.lastWrite = this.#deps.clock.monotonic();
        delayMs = RETRY_FIRST_MS;
      } catch (error) {
        const fault = Fault.from(error);
        if (fault.code === "not_found") return;
        this.#deps.log.warn("pod status not written", { pod: this.#pod.name, error: fault.message });
        this.#dirty = true;
        await new Promise<void>((resolve) => void this.#deps.clock.schedule(delayMs, resolve));
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
      }
    }
  }
}
