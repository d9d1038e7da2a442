import { rmSync } from "node:fs";
import path from "node:path";
import { Fault } from "#core/errors";
import { ContainerFs } from "./container-fs.ts";
import type { KubeletDeps } from "./deps.ts";
import { expand, resolveEnv } from "./env.ts";
import type { ExecPlace } from "./exec.ts";
import type { ImageKind } from "./image.ts";
import { ContainerLog } from "./log-file.ts";
import type { ContainerView, PodView } from "./pod-view.ts";
import type { Running } from "./runtime.ts";
import type { PodVolumes } from "./volumes.ts";

interface Creation {
  readonly deps: KubeletDeps;
  readonly pod: () => PodView;
  readonly podAddress: () => string;
  readonly volumes: PodVolumes;
  /** `<data>/pods/<uid>` */
  readonly directory: string;
  readonly ending: AbortSignal;
  readonly kind: ImageKind;
  readonly view: ContainerView;
  readonly restartCount: number;
  readonly event: (reason: "Pulled" | "Created", message: string) => void;
}

/**
 * Makes environment, files and log of a container and starts it. Fault
 * `invalid` when its configuration is wrong or incomplete, another one when it could not be started.
 */
export async function createContainer(
  creation: Creation,
): Promise<{ readonly log: ContainerLog; readonly running: Running; readonly place: ExecPlace }> {
  const { deps, volumes, directory, view, restartCount, event } = creation;
  const pod = creation.pod();
  const podAddress = creation.podAddress();
  const env = resolveEnv(pod, view, {
    configuration: deps.configuration,
    facts: { podAddress, hostAddress: deps.nodeAddress },
    base: baseEnv(pod, deps),
  });
  const root = path.join(directory, "root", view.name);
  const fs = new ContainerFs({ root, volumes: volumes.directory, mounts: volumes.mountsOf(pod, view) });
  await fs.prepare();
  event("Pulled", `Container image "${view.image}" already present on machine and can be accessed by the pod`);
  const log = openLog(path.join(directory, "logs"), view.name, restartCount, deps);
  try {
    if (creation.ending.aborted) throw new Fault("unavailable", "the pod is ending");
    event("Created", "Container created");
    const running = await deps.runtimes[creation.kind].start({
      pod,
      container: view,
      node: deps.node,
      nodeAddress: deps.nodeAddress,
      podAddress,
      env,
      command: view.command.map((word) => expand(word, env)),
      args: view.args.map((word) => expand(word, env)),
      fs,
      log,
    });
    return { log, running, place: { fs, env, workingDir: view.workingDir, clock: deps.clock } };
  } catch (error) {
    log.line("stderr", Fault.from(error).message);
    log.close();
    throw error;
  }
}

function baseEnv(pod: PodView, { node, apiHost, apiPort }: KubeletDeps): Readonly<Record<string, string>> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOSTNAME: pod.hostNetwork ? node : pod.name,
    HOME: "/",
    KUBERNETES_SERVICE_HOST: apiHost ?? "127.0.0.1",
    KUBERNETES_SERVICE_PORT: String(apiPort),
  };
}

/** The log of this run; of the earlier ones only the last is kept. */
function openLog(directory: string, name: string, count: number, { clock }: KubeletDeps): ContainerLog {
  const file = (run: number) => path.join(directory, `${name}.${run}.log`);
  for (const old of [file(count - 2), `${file(count - 2)}.1`]) rmSync(old, { force: true });
  return new ContainerLog(file(count), clock);
}
