import type { Service } from "#api/kubernetes/services";
import { COMPONENT } from "#api/names";
import { EVENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";

interface EventFacts {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What may wait for the API server; beyond it the oldest are lost, as Events may be. */
const MAX_WAITING = 500;
const RETRY_MS = 1000;

/** Writes Events about Services, one after the other, in the background. Never throws and never waits. */
export class EventWriter {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  #waiting: { readonly service: Service; readonly facts: EventFacts; readonly at: string }[] = [];
  #busy = false;

  constructor(deps: { readonly cluster: Cluster; readonly clock: Clock; readonly log: Log; readonly node: string }) {
    this.#cluster = deps.cluster;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#node = deps.node;
  }

  emit(service: Service, facts: EventFacts): void {
    const at = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    this.#waiting = [...this.#waiting, { service, facts, at }].slice(-MAX_WAITING);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const again = await this.#write(next.service, next.facts, next.at);
      if (again) {
        this.#clock.schedule(RETRY_MS, () => void this.#work());
        break;
      }
      this.#waiting = this.#waiting.filter((one) => one !== next);
    }
    this.#busy = false;
  }

  /** True when it is worth trying again. */
  async #write(service: Service, { type, reason, message }: EventFacts, at: string): Promise<boolean> {
    const { name = "", namespace = "default", uid, resourceVersion } = service.metadata;
    try {
      await this.#cluster.create(EVENTS, {
        metadata: { generateName: `${name}.`, namespace },
        involvedObject: {
          apiVersion: "v1",
          kind: "Service",
          name,
          namespace,
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
        type,
        reason,
        message,
        count: 1,
        firstTimestamp: at,
        lastTimestamp: at,
        source: { component: COMPONENT.speaker, host: this.#node },
        reportingComponent: COMPONENT.speaker,
        reportingInstance: this.#node,
      });
      return false;
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.code === "unavailable") return true;
      this.#log.warn("event not written", { reason, service: `${namespace}/${name}`, error: fault.message });
      return false;
    }
  }
}
