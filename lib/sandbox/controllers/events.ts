import type { KubeObject } from "#api/kubernetes/objects";
import { apiVersionOf, EVENTS, type ResourceRef } from "#api/resources";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Objects } from "../port.ts";
import { asObject, timestamp } from "./context.ts";

const SIMILAR_WINDOW_MS = 600_000;
const SIMILAR_MAX = 10;
const REMEMBERED = 2_000;

interface Seen {
  readonly name: string;
  readonly namespace: string;
  readonly count: number;
}

export interface EventRecorder {
  /**
   * Records an Event about `object`; never fails and never waits. Equal events are counted in one object; after ten
   * different messages for one reason within ten minutes the rest are combined, as client-go does.
   */
  record(about: {
    readonly resource: ResourceRef;
    readonly object: KubeObject;
    readonly type?: "Normal" | "Warning";
    readonly reason: string;
    readonly message: string;
    readonly component: string;
  }): void;
  /** Resolves when everything recorded so far has been written or given up. */
  idle(): Promise<void>;
}

type About = Parameters<EventRecorder["record"]>[0];

/** A recorder that writes through `objects`, one event at a time. */
export function eventRecorder(objects: Objects, clock: Clock, log: Log): EventRecorder {
  const seen = new Map<string, Seen>();
  const similar = new Map<string, { readonly since: number; readonly messages: Set<string> }>();
  let sequence = 0;
  let last: Promise<void> = Promise.resolve();

  const combined = (about: About): { readonly key: string; readonly message: string } => {
    const group = [about.object.metadata.uid, about.type, about.reason, about.component].join(" ");
    const now = clock.monotonic();
    const known = similar.get(group);
    const current =
      known === undefined || now - known.since > SIMILAR_WINDOW_MS
        ? { since: now, messages: new Set<string>() }
        : known;
    similar.set(group, current);
    current.messages.add(about.message);
    trim(similar);
    if (current.messages.size <= SIMILAR_MAX) return { key: `${group} ${about.message}`, message: about.message };
    return { key: group, message: `(combined from similar events): ${about.message}` };
  };

  const write = async (about: About): Promise<void> => {
    const { key, message } = combined(about);
    const now = timestamp(clock.now());
    const known = seen.get(key);
    if (known !== undefined) {
      const { name, namespace, count } = known;
      const body = { count: count + 1, lastTimestamp: now, message };
      try {
        await objects.patch(EVENTS, { name, namespace }, { kind: "merge", body });
        seen.set(key, { name, namespace, count: count + 1 });
        return;
      } catch (thrown) {
        // It has expired: start over.
        if (Fault.from(thrown).code !== "not_found") throw thrown;
      }
    }
    sequence += 1;
    const unique = (BigInt(clock.now()) * 1_000_000n + BigInt(sequence % 1_000_000)).toString(16);
    const event = newEvent(about, message, now, unique);
    await objects.create(EVENTS, event);
    seen.set(key, { name: event.metadata.name ?? "", namespace: event.metadata.namespace ?? "default", count: 1 });
    trim(seen);
  };

  return {
    record(about) {
      last = last.then(() =>
        write(about).catch((thrown: unknown) => {
          log.debug("event not written", { reason: about.reason, error: Fault.from(thrown).message });
        }),
      );
    },
    idle: () => last,
  };
}

function trim(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= REMEMBERED) return;
    map.delete(key);
  }
}

function newEvent(
  { resource, object, type = "Normal", reason, component }: About,
  message: string,
  now: string,
  unique: string,
) {
  const { name = "", namespace = "default", uid, resourceVersion } = object.metadata;
  return asObject(EVENTS, {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${unique}`, namespace },
    involvedObject: {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      name,
      ...(resource.namespaced && { namespace }),
      uid,
      resourceVersion,
    },
    reason,
    message: message.slice(0, 1024),
    type,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component },
    reportingComponent: component,
    reportingInstance: "",
  });
}
