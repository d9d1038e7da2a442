import { getCompileCacheDir } from "node:module";
import { Worker } from "node:worker_threads";
import { Fault } from "#core/errors";
import type { ThreadSettings } from "../packet/messages.ts";
import type { FlowRule } from "./flow-rule.ts";
import type { Removal } from "./table.ts";

/** What is to be forgotten where. */
export interface ForgetJob {
  /** The file of a network namespace ("/run/netns/node-01"). */
  readonly namespace: string;
  readonly rules: readonly FlowRule[];
}

/** How it went in one namespace. */
export type Forgotten = ({ readonly kind: "forgotten" } & Removal) | { readonly kind: "failed"; readonly why: string };

/** What the thread is started with; it answers with one `Forgotten` for each job, in order, and ends. */
export interface ForgetSettings extends ThreadSettings {
  readonly jobs: readonly ForgetJob[];
  readonly timeMs: number;
}

/** For one namespace; a walk through 100,000 entries takes 0.7 s, and may begin in the last moment. */
const TIME_MS = 2_000;
const LATEST_MS = 3 * TIME_MS;
const START_MS = 10_000;
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

/**
 * Makes the kernel forget UDP flows that a rule does not keep, in each of
 * these namespaces, so that their next datagram is a first one again. Needs
 * CAP_SYS_ADMIN and CAP_NET_ADMIN over them. A namespace that fails is said in
 * its result and does not keep the others from being done. Rejects with Fault
 * `unavailable` or `internal` when the work could not be done as a whole, at
 * most 10 s and 6 s for each job later.
 *
 * It is done on a thread made for this call: setns() moves one thread only, and
 * Node never gives a thread that has ended to another Worker.
 */
export function forgetFlows(jobs: readonly ForgetJob[]): Promise<readonly Forgotten[]> {
  if (jobs.length === 0) return Promise.resolve([]);
  const entry = new URL("./worker.ts", import.meta.url).href;
  const compileCache = getCompileCacheDir() ?? null;
  const withinMs = START_MS + LATEST_MS * jobs.length;
  const settings: ForgetSettings = { entry, compileCache, jobs, timeMs: TIME_MS };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../packet/start-worker.mjs", import.meta.url), {
      name: "berth-flows",
      workerData: settings,
      resourceLimits: LIMITS,
    });
    const timer = setTimeout(() => {
      void worker.terminate();
      reject(new Fault("unavailable", `flows were not forgotten within ${withinMs / 1000} s`));
    }, withinMs);
    let results: readonly Forgotten[] | null = null;
    worker.on("message", (message: readonly Forgotten[]) => {
      results = message;
    });
    worker.on("error", (cause) => reject(new Fault("internal", "the thread that forgets flows failed", { cause })));
    // Resolved only when the thread is no more.
    worker.on("exit", (code) => {
      clearTimeout(timer);
      if (results !== null) resolve(results);
      else reject(new Fault("internal", `the thread that forgets flows ended with code ${code}`));
    });
  });
}
