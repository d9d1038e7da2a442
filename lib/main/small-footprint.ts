import { readFileSync } from "node:fs";

/** By then the start is over, and what only the start needed is known. */
const FIRST_AFTER_MS = 10_000;
const EVERY_MS = 60_000;
/** Resident memory below which nothing is worth a pause, octets. */
const ENOUGH = 80 * 1024 * 1024;
const MADV_DONTNEED = 4;

/**
 * Keeps a process that runs on every node small: gives freed memory back to the
 * system, and forgets those pages of the program and its libraries that were
 * needed to start and never again; whatever is needed again comes from the page
 * cache. Linux with glibc; elsewhere does nothing. Returns what ends it.
 */
export function keepFootprintSmall(): () => void {
  if (process.platform !== "linux") return () => undefined;
  const look = () => {
    timer = setTimeout(look, EVERY_MS).unref();
    if (process.memoryUsage.rss() > ENOUGH) void shrinkFootprint();
  };
  let timer = setTimeout(look, FIRST_AFTER_MS).unref();
  return () => clearTimeout(timer);
}

/** Once, now. Never rejects: a process that stays large works as well. */
export async function shrinkFootprint(): Promise<void> {
  try {
    const { memoryCalls } = await import("#net/packet/ffi");
    const calls = memoryCalls();
    if (calls === null) return;
    calls.trim(0);
    for (const { start, end } of unchangedMappings(readFileSync("/proc/self/smaps", "utf8"))) {
      calls.advise(start, Number(end - start), MADV_DONTNEED);
    }
  } catch {
    // No /proc, or no koffi for this machine.
  }
}

/** Of /proc/<pid>/smaps (proc_pid_smaps(5)): mappings of files that are not writable and hold no page of our own. */
export function unchangedMappings(smaps: string): readonly { readonly start: bigint; readonly end: bigint }[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((mapping) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* +\//.exec(mapping);
    const isOurs = !/^Anonymous: +0 kB$/m.test(mapping) || !/^Private_Dirty: +0 kB$/m.test(mapping);
    return head === null || isOurs ? [] : { start: BigInt(`0x${head[1]}`), end: BigInt(`0x${head[2]}`) };
  });
}
