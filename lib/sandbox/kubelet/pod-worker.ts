import { rm } from "node:fs/promises";
import path from "node:path";
import type { ContainerStatus, Pod } from "#api/kubernetes/pods";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { confirmRemoval } from "./confirm-removal.ts";
import { ContainerUnit } from "./container-unit.ts";
import { type KubeletDeps, timeText } from "./deps.ts";
import type { PodFacts } from "./fields.ts";
import { Mounting } from "./mounting.ts";
import { type ContainerView, type PodView, viewPod } from "./pod-view.ts";
import { initDone, type PodStatus, podPhase, podStatus } from "./status.ts";
import { StatusWriter } from "./status-writer.ts";
import type { UnitHost } from "./unit-host.ts";
import { PodVolumes } from "./volumes.ts";

const ADDRESS_RETRY_MS = 5_000;
const REFRESH_MS = 30_000;

/**
 * The life of one pod on its node: address, volumes, init containers in order,
 * containers, status, graceful end. A pod that a kubelet before this one had
 * started is started again under the same name and address, as after a reboot.
 */
export class PodWorker {
  readonly uid: string;
  readonly #deps: KubeletDeps;
  readonly #directory: string;
  readonly #volumes: PodVolumes;
  readonly #mounting: Mounting;
  readonly #writer: StatusWriter;
  readonly #ending = new AbortController();
  readonly #init: readonly ContainerUnit[];
  readonly #containers: readonly ContainerUnit[];
  readonly #life: Promise<void>;
  readonly #startTime: string;
  #pod: Pod;
  #view: PodView;
  #address: string | null = null;
  #over = false;
  /** Containers are never started: the pod had ended before this kubelet saw it. */
  readonly #ended: boolean;
  #stopping: { deadline: number } | null = null;
  #removed = false;

  constructor(deps: KubeletDeps, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    this.#view = viewPod(pod);
    this.uid = this.#view.uid;
    this.#directory = path.join(deps.dataDir, "pods", this.uid);
    this.#startTime = pod.status?.startTime ?? timeText(deps.clock);
    this.#volumes = new PodVolumes({
      directory: this.#directory,
      configuration: deps.configuration,
      requestToken: deps.requestToken,
      clock: deps.clock,
    });
    this.#mounting = new Mounting({
      clock: deps.clock,
      ending: this.#ending.signal,
      setUp: () => this.#volumes.setUp(this.#view, this.#facts()),
      refused: (message) => this.#event("Warning", "FailedMount", message),
    });
    this.#writer = new StatusWriter(deps, this.#view, () => this.#status());
    const phase = pod.status?.phase;
    this.#ended = phase === "Succeeded" || phase === "Failed";
    this.#over = this.#ended;
    const waiting = this.#view.init.length > 0 ? "PodInitializing" : "ContainerCreating";
    const host = this.#unitHost();
    const unit = (view: ContainerView) => this.#recover(new ContainerUnit(host, view, waiting), view);
    this.#init = this.#view.init.map(unit);
    this.#containers = this.#view.containers.map(unit);
    this.#life = this.#live().catch((error) => {
      deps.log.error("pod failed", { pod: this.#view.key, error: Fault.from(error).message });
    });
    this.update(pod);
  }

  get pod(): PodView {
    return this.#view;
  }

  /** The pod as the cluster has it now. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#view = viewPod(pod);
    for (const [units, views] of [
      [this.#init, this.#view.init],
      [this.#containers, this.#view.containers],
    ] as const) {
      for (const unit of units) {
        const view = views.find(({ name }) => name === unit.facts.view.name);
        if (view !== undefined) unit.update(view);
      }
    }
    if (pod.metadata.deletionTimestamp !== undefined) this.#beginStop(pod);
    else if (this.#deps.clock.monotonic() - this.#writer.lastWrite > 2_000) this.#writer.repair(pod);
  }

  /** A ConfigMap or Secret that the pod's volumes may show has changed. */
  configurationChanged(): void {
    if (this.#ended || this.#stopping !== null) return;
    if (!this.#mounting.done) {
      this.#mounting.retryNow();
      return;
    }
    this.#volumes.setUp(this.#view, this.#facts()).catch((error) => {
      this.#deps.log.debug("volumes not refreshed", { pod: this.#view.key, error: Fault.from(error).message });
    });
  }

  /** Compares the cluster's copy with what this kubelet knows; called now and then. */
  resync(): void {
    if (this.#stopping === null) this.#writer.repair(this.#pod);
  }

  /** The pod is gone from the cluster: end it now and forget it. */
  async discard(): Promise<void> {
    this.#removed = true;
    await this.cut();
    if (!this.#view.hostNetwork) this.#deps.ports.close(this.#address ?? "");
    this.#deps.addresses.release(this.uid);
    await rm(this.#directory, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Power off: everything ends at once and nobody is told. */
  async cut(): Promise<void> {
    this.#writer.close();
    this.#ending.abort();
    for (const unit of [...this.#init, ...this.#containers]) unit.kill();
    await this.#life;
  }

  /** The system stops: containers get SIGTERM and `graceMs`, the cluster keeps showing them as they are. */
  async shutdown(graceMs: number): Promise<void> {
    this.#writer.close();
    this.#ending.abort();
    await Promise.all([...this.#init, ...this.#containers].map((unit) => unit.shutdown(graceMs)));
    await this.#life;
  }

  #unitHost(): UnitHost {
    return {
      deps: this.#deps,
      pod: () => this.#view,
      podAddress: () => this.#address ?? "",
      volumes: this.#volumes,
      directory: this.#directory,
      ending: this.#ending.signal,
      changed: () => this.#writer.touch(),
    };
  }

  #recover(unit: ContainerUnit, view: ContainerView): ContainerUnit {
    const status = this.#pod.status;
    const statuses: readonly ContainerStatus[] =
      (view.init ? status?.initContainerStatuses : status?.containerStatuses) ?? [];
    const before = statuses.find(({ name }) => name === view.name);
    const exitCode = (before?.state?.terminated as { readonly exitCode?: number } | undefined)?.exitCode;
    const policy = this.#view.restartPolicy;
    const done =
      exitCode !== undefined && !view.init && (policy === "Never" || (policy === "OnFailure" && exitCode === 0));
    if (before !== undefined) unit.recover(before, this.#ended || done);
    return unit;
  }

  async #live(): Promise<void> {
    if (this.#ended) return;
    const deps = this.#deps;
    await Promise.resolve(); // the constructor returns first
    this.#address = this.#view.hostNetwork ? deps.nodeAddress : deps.addresses.assign(this.uid);
    if (this.#pod.status?.containerStatuses?.some(({ state }) => state?.running !== undefined)) {
      this.#event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    }
    this.#writer.touch();
    while (this.#address === null && !this.#ending.signal.aborted) {
      this.#event("Warning", "FailedCreatePodSandBox", "no free address in this node's range 10.244.n.0/24");
      await this.#pause(ADDRESS_RETRY_MS);
      this.#address = deps.addresses.assign(this.uid);
    }
    await this.#mounting.run();
    this.#keepFresh();
    const sidecars: Promise<unknown>[] = [];
    for (const unit of this.#init) {
      if (this.#ending.signal.aborted) break;
      if (unit.facts.view.sidecar) {
        sidecars.push(unit.run(() => true));
        while (!unit.facts.started && !this.#ending.signal.aborted) await this.#pause(50);
        continue;
      }
      const exit = await unit.run(({ exitCode }) => exitCode !== 0 && this.#view.restartPolicy !== "Never");
      if (exit?.exitCode !== 0) break;
    }
    if (this.#init.every((unit) => initDone(unit.facts))) {
      await Promise.all(this.#containers.map((unit) => this.#keep(unit)));
    }
    if (!this.#ending.signal.aborted) await this.#finish();
    await Promise.all(sidecars);
  }

  /** Runs a container as the restart policy asks; one that an earlier kubelet saw end for good stays ended. */
  async #keep(unit: ContainerUnit): Promise<void> {
    if (unit.facts.state.kind === "terminated") return;
    const { restartPolicy } = this.#view;
    await unit.run(({ exitCode }) => restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0));
  }

  /** All containers ended by themselves: the sidecars are stopped too. */
  async #finish(): Promise<void> {
    const graceMs = this.#view.graceSeconds * 1000;
    this.#ending.abort();
    await Promise.all(this.#init.map((unit) => unit.stop(graceMs, `Stopping container ${unit.facts.view.name}`)));
    this.#writer.touch();
  }

  /** Tokens are renewed, and a change that was missed is found. */
  #keepFresh(): void {
    if (this.#ending.signal.aborted) return;
    const cancel = this.#deps.clock.schedule(REFRESH_MS, () => {
      this.#ending.signal.removeEventListener("abort", cancel);
      this.configurationChanged();
      this.#keepFresh();
    });
    // A pod that has ended is not kept in memory by its next look.
    this.#ending.signal.addEventListener("abort", cancel, { once: true });
  }

  #beginStop(pod: Pod): void {
    const { clock } = this.#deps;
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? this.#view.graceSeconds) * 1000;
    const deadline = clock.monotonic() + graceMs;
    if (this.#stopping !== null) {
      // A second delete may shorten the grace period, never lengthen it.
      if (deadline < this.#stopping.deadline - 500) {
        this.#stopping.deadline = deadline;
        clock.schedule(graceMs, () => {
          for (const unit of [...this.#containers, ...this.#init]) unit.kill();
        });
      }
      return;
    }
    this.#stopping = { deadline };
    this.#stop(graceMs).catch((error) => {
      this.#deps.log.error("pod not stopped", { pod: this.#view.key, error: Fault.from(error).message });
    });
  }

  async #stop(graceMs: number): Promise<void> {
    this.#ending.abort();
    const end = (unit: ContainerUnit) => unit.stop(graceMs, `Stopping container ${unit.facts.view.name}`);
    await Promise.all(this.#containers.map(end));
    await Promise.all(this.#init.map(end));
    await this.#life;
    if (this.#removed) return;
    this.#over = true;
    this.#writer.touch();
    await this.#writer.flush();
    this.#writer.close();
    await confirmRemoval(this.#deps, this.#view, () => this.#removed);
  }

  #status(): PodStatus {
    const facts = {
      pod: this.#view,
      init: this.#init.map((unit) => unit.facts),
      containers: this.#containers.map((unit) => unit.facts),
      podAddress: this.#address,
      secondAddress: this.#address === null ? null : (this.#deps.secondAddress?.(this.#address) ?? null),
      hostAddress: this.#deps.nodeAddress,
      startTime: this.#startTime,
      conditions: this.#pod.status?.conditions ?? [],
      now: timeText(this.#deps.clock),
      over: this.#over,
    };
    // Once over, always over: a pod that succeeded is not run again.
    if (podPhase(facts) === "Failed" || podPhase(facts) === "Succeeded") this.#over = true;
    return podStatus(facts);
  }

  #facts(): PodFacts {
    return { podAddress: this.#address ?? "", hostAddress: this.#deps.nodeAddress };
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    const { namespace, name, uid } = this.#view;
    this.#deps.events.record({ kind: "Pod", namespace, name, uid }, type, reason, message);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#deps.clock, ms, this.#ending.signal).catch(() => undefined);
  }
}
