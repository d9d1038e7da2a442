import type { CoreEvent } from "#api/kubernetes/cluster";
import { EVENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";

/** What an Event is about. */
interface EventSubject {
  readonly kind: "Pod" | "Node";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** "spec.containers{nginx}" */
  readonly fieldPath?: string;
}

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly body: CoreEvent;
  count: number;
  lastTimestamp: string;
  writing: boolean;
  dirty: boolean;
}

const MAX_KNOWN = 2_000;
/** The same Event is written at most this often; its count stays right. */
const REPEAT_MS = 1_000;

/** Writes core/v1 Events as a kubelet does: a repeated one counts up instead of piling up. Never throws. */
export class EventRecorder {
  readonly #deps: { readonly objects: Objects; readonly clock: Clock; readonly log: Log; readonly node: string };
  readonly #known = new Map<string, Known>();
  #closed = false;
  /** Microseconds in the last name given. */
  #last = 0;

  constructor(deps: { readonly objects: Objects; readonly clock: Clock; readonly log: Log; readonly node: string }) {
    this.#deps = deps;
  }

  record(subject: EventSubject, type: "Normal" | "Warning", reason: string, message: string): void {
    if (this.#closed) return;
    const now = new Date(this.#deps.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const key = [subject.uid, subject.fieldPath, type, reason, message].join("\n");
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastTimestamp = now;
      known.dirty = true;
      this.#repeat(known);
      return;
    }
    if (this.#known.size >= MAX_KNOWN) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    const fresh = this.#compose(subject, type, reason, message, now);
    this.#known.set(key, fresh);
    this.#create(fresh);
  }

  /** Nothing is written from now on. */
  close(): void {
    this.#closed = true;
  }

  #compose(subject: EventSubject, type: string, reason: string, message: string, now: string): Known {
    // Named by time, so that a list in the order of names is in the order of events within one second too.
    this.#last = Math.max(this.#last + 1, this.#deps.clock.now() * 1000);
    const name = `${subject.name}.${(BigInt(this.#last) * 1000n).toString(16)}`;
    const { node } = this.#deps;
    const body: CoreEvent = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: subject.namespace },
      involvedObject: {
        apiVersion: "v1",
        kind: subject.kind,
        name: subject.name,
        uid: subject.uid,
        ...(subject.kind === "Pod" ? { namespace: subject.namespace } : {}),
        ...(subject.fieldPath === undefined ? {} : { fieldPath: subject.fieldPath }),
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: "kubelet", host: node },
      reportingComponent: "kubelet",
      reportingInstance: node,
    };
    return { name, namespace: subject.namespace, body, count: 1, lastTimestamp: now, writing: false, dirty: false };
  }

  #create(event: Known): void {
    event.writing = true;
    void this.#write(event, async () => {
      await this.#deps.objects.create(EVENTS, {
        ...event.body,
        count: event.count,
        lastTimestamp: event.lastTimestamp,
      });
    });
  }

  #repeat(event: Known): void {
    if (event.writing || this.#closed) return;
    event.writing = true;
    this.#deps.clock.schedule(REPEAT_MS, () => {
      event.dirty = false;
      void this.#write(event, async () => {
        const { count, lastTimestamp } = event;
        await this.#deps.objects.patch(
          EVENTS,
          { name: event.name, namespace: event.namespace },
          { kind: "merge", body: { count, lastTimestamp } },
        );
      });
    });
  }

  async #write(event: Known, run: () => Promise<void>): Promise<void> {
    try {
      if (!this.#closed) await run();
    } catch (error) {
      const fault = Fault.from(error);
      // The object was collected (Events expire): the next occurrence begins a new one.
      if (fault.code === "not_found") this.#forget(event);
      else this.#deps.log.debug("event not written", { reason: event.body.reason, error: fault.message });
    }
    event.writing = false;
    if (event.dirty) this.#repeat(event);
  }

  #forget(event: Known): void {
    for (const [key, known] of this.#known) if (known === event) this.#known.delete(key);
  }
}
