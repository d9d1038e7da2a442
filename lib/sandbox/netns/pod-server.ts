/** The static file server that stands for nginx, as a process of its own in a pod's namespace (`BERTH_POD_SERVER`: a job as JSON). */
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";
import { Fault } from "#core/errors";
import { systemClock } from "#runtime/clock";
import { serveFiles } from "../kubelet/runtimes/nginx.ts";

/** What such a process is told. */
export interface PodServerJob {
  readonly podAddress: string;
  /** The container's files: `<data>/pods/<uid>/root/<name>`. */
  readonly root: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly mounts: readonly { readonly path: string }[];
}

const job = JSON.parse(process.env.BERTH_POD_SERVER ?? "{}") as PodServerJob;
// `<data>/pods/<uid>`: the container's root and the pod's volumes are below it.
const pod = await realpath(path.dirname(path.dirname(job.root)));

const fs = {
  /** Never leads out of the pod's directory. */
  async resolve(file: string): Promise<string> {
    const found = await realpath(path.join(job.root, path.posix.resolve("/", file))).catch(() => null);
    if (found === null) throw new Fault("not_found", `${file}: No such file or directory`);
    if (!found.startsWith(`${pod}/`)) throw new Fault("forbidden", `${file}: Permission denied`);
    return found;
  },
};
const log = { line: (stream: "stdout" | "stderr", text: string) => void process[stream].write(`${text}\n`) };
const noPorts = { open: () => undefined, close: () => undefined, lookup: () => null };

try {
  const { podAddress, ports, mounts } = job;
  // "::" takes connections of both families.
  const deps = { clock: systemClock, ports: noPorts, host: existsSync("/proc/net/if_inet6") ? "::" : "0.0.0.0" };
  const running = await serveFiles({ podAddress, container: { ports, mounts }, fs, log }, deps);
  process.on("SIGTERM", () => running.terminate());
  const lifeline = new Socket({ fd: Number(process.env.BERTH_LIFELINE), readable: true, writable: false });
  for (const event of ["end", "close", "error"]) lifeline.on(event, () => running.kill());
  lifeline.resume();
  process.exit((await running.done).exitCode);
} catch (error) {
  log.line("stderr", Fault.from(error).message);
  process.exit(1);
}
