import { Fault } from "#core/errors";
import { type Clock, sleep } from "#runtime/clock";

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;
/** A ConfigMap that arrives a moment after its pod is not worth an Event. */
const PATIENCE_MS = 1_000;

interface MountingHost {
  readonly clock: Clock;
  readonly ending: AbortSignal;
  setUp(): Promise<void>;
  /** Something that a volume shows has been missing for a while. */
  refused(message: string): void;
}

/** Sets a pod's volumes up, again and again until everything they show is there or the pod ends. */
export class Mounting {
  readonly #host: MountingHost;
  #wake = new AbortController();
  #done = false;

  constructor(host: MountingHost) {
    this.#host = host;
  }

  /** False until `run` has succeeded once. */
  get done(): boolean {
    return this.#done;
  }

  /** A ConfigMap or Secret has changed: the next attempt is due now. */
  retryNow(): void {
    this.#wake.abort();
  }

  async run(): Promise<void> {
    const { clock, ending } = this.#host;
    const since = clock.monotonic();
    for (let delayMs = RETRY_FIRST_MS; !ending.aborted; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      this.#wake = new AbortController();
      try {
        await this.#host.setUp();
        this.#done = true;
        return;
      } catch (error) {
        if (clock.monotonic() - since > PATIENCE_MS) this.#host.refused(Fault.from(error).message);
      }
      await sleep(clock, delayMs, AbortSignal.any([ending, this.#wake.signal])).catch(() => undefined);
    }
  }
}
