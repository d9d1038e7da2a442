/** How often to look, and how much work in between still counts as idle. */
const EVERY_MS = 5000;
const IDLE_SHARE = 0.1;
/** A heap that has grown by less is not worth a pause. */
const GROWN = 1.25;

/**
 * Gives memory back once a burst of work is over: V8 by itself keeps what a burst needed for as long as nothing else
 * happens. Needs `--expose-gc`; without it, does nothing. Returns what ends it.
 */
export function tidyWhenIdle(): () => void {
  const collect = globalThis.gc;
  if (collect === undefined) return () => undefined;
  let floor = 0;
  let cpu = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const isIdle = (user + system) / 1000 < EVERY_MS * IDLE_SHARE;
    if (!isIdle || process.memoryUsage().heapTotal < floor * GROWN) return;
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    floor = process.memoryUsage().heapTotal;
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
