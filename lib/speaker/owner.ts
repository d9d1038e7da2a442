import type { OwnerReference } from "#api/kubernetes/objects";
import { PODS } from "#api/resources";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import type { SpeakerDeps } from "./deps.ts";

const ATTEMPTS = 30;
const PAUSE_MS = 1000;

/**
 * The speaker's own pod as owner of what it publishes, so that this goes when
 * the pod goes. Empty when the pod is not known, may not be read, or could not
 * be read for half a minute. Never rejects.
 */
export async function learnOwner(
  deps: Pick<SpeakerDeps, "cluster" | "namespace" | "podName" | "clock" | "log">,
  signal: AbortSignal,
): Promise<readonly OwnerReference[]> {
  const { cluster, namespace, podName: name, clock, log } = deps;
  if (name === "") return [];
  for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt++) {
    try {
      const { metadata } = await cluster.get(PODS, { namespace, name }, signal);
      return metadata.uid === undefined ? [] : [{ apiVersion: "v1", kind: "Pod", name, uid: metadata.uid }];
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (attempt === 0) log.warn("own pod not readable", { pod: name, error: fault.message });
      if (fault.code === "forbidden") return [];
      await sleep(clock, PAUSE_MS, signal).catch(() => undefined);
    }
  }
  return [];
}
