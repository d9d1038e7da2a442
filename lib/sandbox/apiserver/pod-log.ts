import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#runtime/clock";
import { sleep } from "#runtime/clock";
import type { Json } from "#sandbox/kinds/definition";
import { at, isObject, listAt, metadataOf, numberAt, objectAt, textAt } from "./json.ts";
import { isTrue, numberParam } from "./route.ts";
import { badRequest } from "./status.ts";

/** Which part of a container's log is wanted (PodLogOptions). */
interface LogQuery {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Lines before this time (ms since the epoch) are left out. */
  readonly since: number | undefined;
}

const READ_BYTES_MAX = 16 * 1024 * 1024;
const POLL_MS = 150;

/** Reads the query of GET pods/<name>/log. Throws 400 as the real server does. */
export function readLogQuery(query: URLSearchParams, now: number): LogQuery {
  const positive = (name: string) => {
    const value = numberParam(query, name);
    if (value !== undefined && value < 0)
      throw badRequest(`${name}: Invalid value: ${value}: must be greater than or equal to 0`);
    return value;
  };
  const seconds = positive("sinceSeconds");
  const time = query.get("sinceTime");
  const sinceTime = time === null || time === "" ? undefined : Date.parse(time);
  if (Number.isNaN(sinceTime)) throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(time)}`);
  return {
    container: query.get("container") ?? "",
    follow: query.has("follow") && isTrue(query.get("follow")),
    previous: query.has("previous") && isTrue(query.get("previous")),
    timestamps: query.has("timestamps") && isTrue(query.get("timestamps")),
    tailLines: positive("tailLines"),
    limitBytes: positive("limitBytes"),
    since: seconds === undefined ? sinceTime : now - seconds * 1000,
  };
}

/** The container whose log is meant. Throws 400 in the real server's words when that is not clear or wrong. */
export function chooseContainer(pod: Json, wanted: string): string {
  const names = (field: string) => listAt(pod, "spec", field).map((container) => textAt(container, "name"));
  const containers = names("containers");
  const init = names("initContainers");
  const name = textAt(metadataOf(pod), "name");
  if (wanted !== "") {
    if ([...containers, ...init].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const preferred = textAt(metadataOf(pod), "annotations", "kubectl.kubernetes.io/default-container");
  if (containers.includes(preferred)) return preferred;
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  const also = init.length > 0 ? ` or one of the init containers: [${init.join(" ")}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]${also}`,
  );
}

/** The log files of a container, oldest first: `<container>.<restart>.log`. */
async function logFiles(directory: string, container: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const found = names.flatMap((name) => {
    const restart = name.startsWith(`${container}.`)
      ? /^(\d+)\.log$/.exec(name.slice(container.length + 1))?.[1]
      : undefined;
    return restart === undefined ? [] : [{ name, restart: Number(restart) }];
  });
  return found.toSorted((a, b) => a.restart - b.restart).map(({ name }) => join(directory, name));
}

/** The file to read, or 400 saying why there is none (still waiting, or no earlier run). */
export async function chooseFile(pod: Json, directory: string, container: string, previous: boolean): Promise<string> {
  const files = await logFiles(directory, container);
  const file = previous ? files.at(-2) : files.at(-1);
  if (file !== undefined) return file;
  const name = textAt(metadataOf(pod), "name");
  if (previous) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const reason = textAt(stateOf(pod, container), "waiting", "reason");
  const why = reason === "" || reason === "ContainerCreating" ? "ContainerCreating" : reason;
  if (reason === "ErrImagePull" || reason === "ImagePullBackOff") {
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: trying and failing to pull image`);
  }
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why}`);
}

function statusOf(pod: Json, container: string): Json {
  const all = ["containerStatuses", "initContainerStatuses"].flatMap((field) => listAt(pod, "status", field));
  const found = all.find((status) => textAt(status, "name") === container);
  return isObject(found) ? found : {};
}

function stateOf(pod: Json, container: string): Json {
  return objectAt(statusOf(pod, container), "state");
}

/** Whether nothing more can come in this file: the run it belongs to has ended, or a later one has begun. */
export function hasEnded(pod: Json | undefined, container: string, file: string): boolean {
  if (pod === undefined || at(stateOf(pod, container), "terminated") !== undefined) return true;
  const run = Number(/\.(\d+)\.log$/.exec(file)?.[1] ?? 0);
  return (numberAt(statusOf(pod, container), "restartCount") ?? 0) > run;
}

/** Turns CRI lines ("<time> stdout F text") into what the API shows. */
class LogShaper {
  readonly #query: LogQuery;
  #left: number;

  constructor(query: LogQuery) {
    this.#query = query;
    this.#left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  shape(lines: readonly string[]): string {
    const { since, timestamps } = this.#query;
    let text = "";
    for (const line of lines) {
      const found = /^(\S+) (?:stdout|stderr) ([PF]) ?(.*)$/s.exec(line);
      if (found === null) continue;
      const [, time = "", tag, content = ""] = found;
      if (since !== undefined && Date.parse(time) < since) continue;
      text += `${timestamps ? `${time} ` : ""}${content}${tag === "P" && !timestamps ? "" : "\n"}`;
    }
    const bytes = Buffer.from(text);
    const cut = bytes.length > this.#left ? bytes.subarray(0, this.#left).toString("utf8") : text;
    this.#left -= bytes.length;
    return cut;
  }
}

/**
 * Writes the log, then (follow) what is added, until the container has ended, the reader is gone (`signal`) or the
 * limit is reached.
 */
export async function streamLog(
  file: string,
  query: LogQuery,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    write(text: string): void;
    ended(): boolean;
  },
): Promise<void> {
  const shaper = new LogShaper(query);
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    let position = Math.max(0, size - READ_BYTES_MAX);
    let rest = "";
    const take = async (): Promise<string[]> => {
      const chunk = await readFrom(handle, position);
      position += chunk.length;
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      return lines;
    };
    const first = await take();
    const { tailLines } = query;
    options.write(shaper.shape(tailLines === undefined ? first : tailLines === 0 ? [] : first.slice(-tailLines)));
    while (query.follow && !shaper.full && !options.signal.aborted) {
      // Asked before reading: what was written before the end is still shown.
      const ended = options.ended();
      const lines = await take();
      if (lines.length > 0) options.write(shaper.shape(lines));
      else if (ended) break;
      else await sleep(options.clock, POLL_MS, options.signal).catch(() => undefined);
    }
  } finally {
    await handle.close();
  }
}

async function readFrom(handle: FileHandle, position: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = position, total = 0; total < READ_BYTES_MAX; ) {
    const buffer = Buffer.alloc(65_536);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    at += bytesRead;
    total += bytesRead;
  }
  return Buffer.concat(parts);
}
