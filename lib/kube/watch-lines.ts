import type { KubeObject } from "#api/kubernetes/objects";

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly code?: number; readonly message?: string };
}

/** Far above any object etcd would store (1.5 MiB): more without a line end is not a watch. */
const MAX_LINE = 16 * 1024 * 1024;

/**
 * The events of a watch body, one JSON document a line; those that arrived together come together. Throws on a line
 * that is not an event: after it nothing can be trusted, so the caller reconnects. `onBytes` is called for every chunk,
 * whole event or not.
 */
export async function* watchEvents<T extends KubeObject>(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<Iterable<WatchEvent<T>>> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    onBytes();
    const text = decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf("\n");
    if (end < 0) rest += text;
    else {
      const whole = rest + text.slice(0, end);
      rest = text.slice(end + 1);
      yield eventsOf<T>(whole);
    }
    if (rest.length > MAX_LINE) throw new Error("the watch sent a line of more than 16 MiB");
  }
}

/** One at a time, so that a bad line takes nothing from those before it. */
function* eventsOf<T>(lines: string): Generator<WatchEvent<T>> {
  for (let start = 0; start < lines.length; ) {
    const next = lines.indexOf("\n", start);
    const end = next < 0 ? lines.length : next;
    const line = lines.slice(start, end).trim();
    start = end + 1;
    if (line !== "") yield parseEvent<T>(line);
  }
}

function parseEvent<T>(line: string): WatchEvent<T> {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new Error(`the watch sent a line that is not JSON: ${line.slice(0, 80)}`);
  }
  if (isRecord(event) && typeof event.type === "string" && isRecord(event.object)) {
    // The server vouches for the rest of the shape; objects pass through untouched.
    return event as unknown as WatchEvent<T>;
  }
  throw new Error(`the watch sent a line that is not an event: ${line.slice(0, 80)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
