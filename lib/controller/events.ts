import type { CoreEvent } from "#api/kubernetes/cluster";
import type { KubeObject } from "#api/kubernetes/objects";
import { COMPONENT } from "#api/names";
import { EVENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Background } from "./background.ts";

interface EventDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly background: Background;
}

/** What an Event is about. */
type Subject = KubeObject & { readonly kind: string; readonly apiVersion: string };

interface Facts {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
}

interface Known {
  readonly namespace: string;
  readonly name: string;
  count: number;
}

/** Repeats are recognised among so many. */
const REMEMBERED = 4096;

/**
 * Writes core/v1 Events in the background. The same event about the same object
 * again raises the count of the first, as kubectl shows it. Callers emit on
 * change only; a lost Event is logged and nothing else.
 */
export class EventRecorder {
  readonly #deps: EventDeps;
  readonly #known = new Map<string, Known>();
  #sequence = 0;

  constructor(deps: EventDeps) {
    this.#deps = deps;
  }

  emit(object: Subject, type: "Normal" | "Warning", reason: string, message: string): void {
    // When it happened, not when there was time to write it.
    const facts = { type, reason, message, at: timestamp(this.#deps.clock) };
    // Ten thousand of them may wait: each keeps what names its object, not the object.
    const { apiVersion, kind, metadata } = object;
    const { name, namespace, uid, resourceVersion } = metadata;
    const subject = { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } };
    this.#deps.background.add(() => this.#write(subject, facts));
  }

  async #write(object: Subject, facts: Facts): Promise<void> {
    const { cluster, log } = this.#deps;
    const { type, reason, message, at } = facts;
    const id = JSON.stringify([object.metadata.uid, object.kind, object.metadata.name, type, reason, message]);
    try {
      const known = this.#known.get(id);
      if (known !== undefined && (await this.#repeat(known, at))) return;
      const event = this.#event(object, facts);
      this.#remember(id, event);
      await cluster.create(EVENTS, event);
    } catch (thrown) {
      this.#known.delete(id);
      log.warn("event not written", { object: object.metadata.name, reason, error: Fault.from(thrown).message });
    }
  }

  /** False when the first one has expired meanwhile. */
  async #repeat(known: Known, at: string): Promise<boolean> {
    known.count += 1;
    try {
      await this.#deps.cluster.patch(EVENTS, known, {
        kind: "merge",
        body: { count: known.count, lastTimestamp: at },
      });
      return true;
    } catch (thrown) {
      if (Fault.from(thrown).code === "not_found") return false;
      throw thrown;
    }
  }

  #remember(id: string, event: CoreEvent): void {
    const { namespace = "default", name = "" } = event.metadata;
    this.#known.delete(id);
    this.#known.set(id, { namespace, name, count: 1 });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
  }

  #event(object: Subject, { type, reason, message, at }: Facts): CoreEvent {
    // Events of cluster-scoped objects are kept in "default", and found by the namespace that their subject has not.
    const { name = "", namespace, uid, resourceVersion } = object.metadata;
    // As client-go names them: the object's name and a number that only grows.
    const unique = (BigInt(this.#deps.clock.now()) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000)).toString(16);
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${unique}`, namespace: namespace ?? "default" },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion },
      type,
      reason,
      message: message.slice(0, 1024),
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
      eventTime: null,
      source: { component: COMPONENT.controller },
      reportingComponent: COMPONENT.controller,
      reportingInstance: "",
    };
  }
}

/** RFC 3339 in whole seconds: metav1.Time. */
export function timestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}
