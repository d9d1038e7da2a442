import { Fault } from "#core/errors";
import type { Log } from "#runtime/log";
import type { Reconcile } from "#runtime/loop";

/** A write refused for good (forbidden, invalid) may be permitted later, without any event we would see. */
export const REFUSED_RETRY_MS = 30_000;

/** The same reconcile, tried again after a while where the server's refusal says that trying is pointless. */
export function triedAgain(reconcile: Reconcile, { log, onFailure }: { log: Log; onFailure: () => void }): Reconcile {
  return async (key, signal) => {
    try {
      return await reconcile(key, signal);
    } catch (thrown) {
      const fault = Fault.from(thrown);
      if (fault.retryable || signal.aborted) throw fault;
      log.error("write refused", { key, code: fault.code, error: fault.message });
      onFailure();
      return { requeueAfterMs: REFUSED_RETRY_MS };
    }
  };
}
