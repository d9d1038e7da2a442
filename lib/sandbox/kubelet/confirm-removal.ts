import { PODS } from "#api/resources";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import type { KubeletDeps } from "./deps.ts";
import type { PodView } from "./pod-view.ts";

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;

/** Tells the API server that nothing of the pod runs any more: it may remove the object. Tries until it is through. */
export async function confirmRemoval(
  { objects, clock, log }: KubeletDeps,
  { key, namespace, name, uid }: PodView,
  gone: () => boolean,
): Promise<void> {
  for (let delayMs = RETRY_FIRST_MS; !gone(); delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
    try {
      await objects.remove(PODS, { namespace, name }, { uid, gracePeriodSeconds: 0 });
      return;
    } catch (error) {
      const fault = Fault.from(error);
      // Another object has the name by now.
      if (fault.code === "not_found" || fault.code === "conflict") return;
      log.warn("pod not removed", { pod: key, error: fault.message });
    }
    await sleep(clock, delayMs);
  }
}
