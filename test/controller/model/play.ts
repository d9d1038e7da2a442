import type { Step } from "./steps.ts";
import { World } from "./world.ts";

/** Plays a sequence from a fresh world to a last rest; throws where anything is not as the model expects. */
export async function play(steps: readonly Step[]): Promise<void> {
  const random = Math.random;
  // The jitter of back-offs: a sequence must come out the same when it is played again.
  Math.random = () => 0.5;
  try {
    const world = new World();
    await world.start();
    for (const each of steps) await world.take(each);
    await world.settle();
    await world.rig.kill();
  } finally {
    Math.random = random;
  }
}
