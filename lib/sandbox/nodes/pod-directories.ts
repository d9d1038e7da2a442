import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Pod } from "#api/kubernetes/pods";

/** Removes what deleted pods left in `<data>/pods` while no kubelet was running. */
export async function sweepPodDirectories(dataDir: string, pods: readonly Pod[]): Promise<void> {
  const present = new Set(pods.map(({ metadata }) => metadata.uid));
  const directory = path.join(dataDir, "pods");
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (!present.has(name))
      await rm(path.join(directory, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
