/**
 * The thread of `forgetFlows`. It moves from namespace to namespace and ends
 * in the last. From the first move on it makes system calls of its own only:
 * work for Node's thread pool could start threads, and those would begin in
 * the namespace that this one is in.
 */
import { closeSync, openSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { sys } from "../packet/ffi.ts";
import { check, SystemFailure } from "../packet/socket.ts";
import { forgottenBy } from "./flow-rule.ts";
import type { ForgetJob, ForgetSettings, Forgotten } from "./forget-flows.ts";
import { removeFlows } from "./table.ts";

const CLONE_NEWNET = 0x40000000;

const { jobs, timeMs } = workerData as ForgetSettings;
const now = () => performance.now();

parentPort?.postMessage(jobs.map(forget));

function forget({ namespace, rules }: ForgetJob): Forgotten {
  try {
    enter(namespace);
    return { kind: "forgotten", ...removeFlows(forgottenBy(rules, ownAddresses()), now, now() + timeMs) };
  } catch (thrown) {
    if (thrown instanceof SystemFailure || isSystemError(thrown)) return { kind: "failed", why: thrown.message };
    throw thrown;
  }
}

function enter(namespace: string): void {
  const fd = openSync(namespace, "r");
  try {
    check("setns(CLONE_NEWNET)", sys.setns(fd, CLONE_NEWNET));
  } finally {
    closeSync(fd);
  }
}

/** Of the namespace that this thread is in. */
function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)));
}

/** What openSync() throws. */
function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && "errno" in thrown;
}
