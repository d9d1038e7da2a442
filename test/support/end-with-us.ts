/** Something that must not outlive this process. */
interface Companion {
  /** At once, without waiting. */
  kill(): void;
  /** In order and within a bound; where there is time for that. */
  stop?(): Promise<unknown>;
}

const companions = new Set<Companion>();
let watching = false;

/**
 * However this process ends, by itself, by a throw, by SIGTERM, SIGINT or SIGHUP, this ends too. Calling what comes back
 * lets go of it.
 */
export function endWithUs(companion: Companion): () => void {
  if (!watching) watch();
  watching = true;
  companions.add(companion);
  return () => void companions.delete(companion);
}

function watch(): void {
  const killAll = () => {
    for (const { kill } of companions) kill();
  };
  process.once("exit", killAll);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, async () => {
      await Promise.allSettled([...companions].map(({ stop }) => stop?.()));
      killAll();
      // Others listen too (a browser's driver), and then nothing would end us.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
}
