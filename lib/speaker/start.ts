import type { Runner } from "#runtime/runner";
import type { SpeakerDeps } from "./deps.ts";
import { Speaker } from "./speaker.ts";

/**
 * Starts one node's speaker and returns at once; `ready` says when it may be
 * elected. On the runner's end it leaves the election, hands over what it
 * announced, and has stopped within two seconds; ports are closed afterwards
 * by whoever opened them.
 */
export async function startSpeaker(
  runner: Runner,
  deps: SpeakerDeps,
): Promise<{ ready(): boolean; healthy(): boolean }> {
  const speaker = new Speaker(deps, runner.signal);
  runner.onStop("speaker", () => speaker.stop());
  speaker.run().catch((error: unknown) => runner.fail("speaker", error));
  return { ready: () => speaker.ready, healthy: () => speaker.healthy };
}
