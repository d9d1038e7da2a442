import { randomBytes } from "node:crypto";
import type { ContainerStatus } from "#api/kubernetes/pods";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { BackOff, goSeconds, RESTART_MAX_MS } from "./back-off.ts";
import { createContainer } from "./container-create.ts";
import { timeText } from "./deps.ts";
import type { ExecPlace } from "./exec.ts";
import { runHook, stopContainer } from "./hooks.ts";
import { imageKind, unsupportedImage } from "./image.ts";
import type { ContainerView } from "./pod-view.ts";
import type { ProbeTarget } from "./probe-request.ts";
import { runProbes } from "./probes.ts";
import type { Exit, Running } from "./runtime.ts";
import { type ContainerFacts, type ContainerState, recovered, type Terminated } from "./status.ts";
import type { UnitHost } from "./unit-host.ts";

/** A container that could not be configured is tried again this often. */
const CONFIG_RETRY_MS = 2_000;

/** One container of a pod: starts it, restarts it with back-off, probes it, stops it. */
export class ContainerUnit {
  readonly #host: UnitHost;
  #view: ContainerView;
  #state: ContainerState;
  #last: Terminated | null = null;
  #restartCount = 0;
  #started = false;
  #ready = false;
  #containerId: string | null = null;
  #running: Running | null = null;
  /** Where commands run in the container that is running. */
  #place: ExecPlace | null = null;
  /** Its preStop hook has been called. */
  #stopping: Running | null = null;
  /** A container ran before the next start: that start is a restart. */
  #ranBefore = false;
  #restartAnyway = false;
  #interrupt = new AbortController();
  readonly #startFailures = new BackOff();
  readonly #backOff = new BackOff(RESTART_MAX_MS);
  #endedAt = 0;

  constructor(host: UnitHost, view: ContainerView, waiting: string) {
    this.#host = host;
    this.#view = view;
    this.#state = { kind: "waiting", reason: waiting };
  }

  get facts(): ContainerFacts {
    return {
      view: this.#view,
      state: this.#state,
      last: this.#last,
      restartCount: this.#restartCount,
      started: this.#started,
      ready: this.#ready,
      containerId: this.#containerId,
    };
  }

  /** Takes over what an earlier kubelet wrote; `over`: it stays ended. */
  recover(status: ContainerStatus, over: boolean): void {
    const before = recovered(status, over, timeText(this.#host.deps.clock));
    this.#restartCount = before.restartCount;
    this.#last = before.last;
    this.#ranBefore = before.ended === null && before.last !== null;
    if (before.ended === null) return;
    this.#state = before.ended;
    this.#containerId = before.ended.containerId;
    this.#ready = this.#view.init && before.ended.exitCode === 0;
  }

  /**
   * Runs the container until it has ended for good or the pod ends; resolves
   * with how it ended last, or null when the pod ended before it could run.
   */
  async run(again: (exit: Exit) => boolean): Promise<Exit | null> {
    const { ending } = this.#host;
    while (!ending.aborted) {
      const running = await this.#start();
      if (running === null) continue;
      // The pod began to end while the container was being created.
      if (ending.aborted) running.kill();
      const exit = await running.done;
      this.#ended(exit);
      const restart = this.#restartAnyway || again(exit);
      this.#restartAnyway = false;
      if (!restart || ending.aborted) return exit;
      await this.#waitForRestart();
    }
    return null;
  }

  /** Asks the container to end (SIGTERM), and makes it end (SIGKILL) after `graceMs`. Resolves when it has. */
  async stop(graceMs: number, message: string | null): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    if (message !== null) this.#event("Normal", "Killing", message);
    const none = message === null || this.#view.preStop === null || this.#stopping === running;
    this.#stopping = running;
    const preStop = none ? null : (signal: AbortSignal) => this.#hook("PreStop", signal);
    await stopContainer(running, graceMs, this.#host.deps.clock, preStop);
  }

  kill(): void {
    this.#running?.kill();
  }

  /** The whole system stops: a process of its own gets `graceMs`, the rest ends with this one. */
  async shutdown(graceMs: number): Promise<void> {
    await this.stop(this.#running?.inProcess === true ? 0 : graceMs, null);
  }

  /** Takes over a changed image: what runs is replaced, what waits tries again at once. */
  update(view: ContainerView): void {
    const changed = view.image !== this.#view.image;
    this.#view = view;
    if (!changed) return;
    this.#restartAnyway = this.#running !== null;
    void this.stop(
      this.#host.pod().graceSeconds * 1000,
      `Container ${view.name} definition changed, will be restarted`,
    );
    this.#interrupt.abort();
    this.#interrupt = new AbortController();
  }

  /** One attempt; null when it failed and the wait before the next one is over. */
  async #start(): Promise<Running | null> {
    const { deps, changed } = this.#host;
    const kind = imageKind(this.#view.image);
    if (kind === null) {
      await this.#refuseImage();
      return null;
    }
    if (this.#ranBefore) this.#restartCount++;
    this.#ranBefore = false;
    let prepared: Awaited<ReturnType<typeof createContainer>>;
    try {
      prepared = await createContainer({
        ...this.#host,
        kind,
        view: this.#view,
        restartCount: this.#restartCount,
        event: (reason, message) => this.#event("Normal", reason, message),
      });
    } catch (error) {
      const fault = Fault.from(error);
      const reason = fault.code === "invalid" ? "CreateContainerConfigError" : "RunContainerError";
      this.#setState({ kind: "waiting", reason, message: fault.message });
      if (!this.#host.ending.aborted) this.#event("Warning", "Failed", `Error: ${fault.message}`);
      await this.#pause(fault.code === "invalid" ? CONFIG_RETRY_MS : this.#nextStartFailure());
      return null;
    }
    const { log, running, place } = prepared;
    this.#running = running;
    this.#place = place;
    this.#containerId = `berth://${randomBytes(32).toString("hex")}`;
    this.#state = { kind: "running", startedAt: timeText(deps.clock) };
    this.#event("Normal", "Started", "Container started");
    if (this.#view.postStart === null) this.#probe(running);
    else void this.#begin(running);
    changed();
    void running.done.then(() => log.close());
    return running;
  }

  /** postStart, then the probes; a container whose hook fails is started again. */
  async #begin(running: Running): Promise<void> {
    const stop = new AbortController();
    void running.done.then(() => stop.abort());
    const fine = await this.#hook("PostStart", stop.signal);
    if (stop.signal.aborted) return;
    if (fine) this.#probe(running);
    else await this.stop(this.#host.pod().graceSeconds * 1000, "FailedPostStartHook");
  }

  /** Whether the hook succeeded; an Event says why not. */
  async #hook(name: "PostStart" | "PreStop", signal: AbortSignal): Promise<boolean> {
    const hook = name === "PostStart" ? this.#view.postStart : this.#view.preStop;
    const why = hook === null ? null : await runHook(hook, this.#place, this.#target(), signal);
    if (why !== null) this.#event("Warning", `Failed${name}Hook`, `${name}Hook failed: ${why}`);
    return why === null;
  }

  #target(): ProbeTarget {
    const { deps, podAddress } = this.#host;
    const { ports, clock } = deps;
    return { container: this.#view, podAddress: podAddress(), ports, clock, place: this.#place };
  }

  #probe(running: Running): void {
    const { changed } = this.#host;
    const stop = new AbortController();
    void running.done.then(() => stop.abort());
    if (this.#view.init && !this.#view.sidecar) return;
    runProbes(
      {
        ...this.#target(),
        onStarted: () => {
          this.#started = true;
          changed();
        },
        onReady: (ready) => {
          this.#ready = ready;
          changed();
        },
        onFailure: (_kind, message) => this.#event("Warning", "Unhealthy", message),
        onDead: (kind) => {
          const message = `Container ${this.#view.name} failed ${kind} probe, will be restarted`;
          void this.stop(this.#host.pod().graceSeconds * 1000, message);
        },
      },
      stop.signal,
    );
  }

  #ended(exit: Exit): void {
    const { deps } = this.#host;
    const startedAt = this.#state.kind === "running" ? this.#state.startedAt : null;
    this.#running = null;
    this.#started = false;
    this.#ready = this.#view.init && !this.#view.sidecar && exit.exitCode === 0;
    this.#endedAt = deps.clock.monotonic();
    this.#setState({
      kind: "terminated",
      exitCode: exit.exitCode,
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
      reason: exit.exitCode === 0 ? "Completed" : "Error",
      ...(exit.message === undefined ? {} : { message: exit.message }),
      startedAt,
      finishedAt: timeText(deps.clock),
      containerId: this.#containerId,
    });
  }

  async #waitForRestart(): Promise<void> {
    const { deps } = this.#host;
    if (this.#state.kind === "terminated") this.#last = this.#state;
    this.#ranBefore = true;
    const now = deps.clock.monotonic();
    const waitMs = this.#backOff.waitMs(this.#endedAt, now);
    if (waitMs > 0) {
      const pod = this.#host.pod();
      const who = `container=${this.#view.name} pod=${pod.name}_${pod.namespace}(${pod.uid})`;
      const message = `back-off ${goSeconds(this.#backOff.delayMs)} restarting failed ${who}`;
      this.#setState({ kind: "waiting", reason: "CrashLoopBackOff", message });
      this.#event(
        "Warning",
        "BackOff",
        `Back-off restarting failed container ${this.#view.name} in pod ${pod.name}_${pod.namespace}(${pod.uid})`,
      );
      await this.#pause(waitMs);
    }
    this.#backOff.next(deps.clock.monotonic());
  }

  async #refuseImage(): Promise<void> {
    const { image } = this.#view;
    const why = unsupportedImage(image);
    this.#event("Normal", "Pulling", `Pulling image "${image}"`);
    this.#event("Warning", "Failed", why.charAt(0).toUpperCase() + why.slice(1));
    this.#event("Warning", "Failed", "Error: ErrImagePull");
    this.#setState({ kind: "waiting", reason: "ErrImagePull", message: why });
    await this.#pause(CONFIG_RETRY_MS);
    if (this.#host.ending.aborted || imageKind(this.#view.image) !== null) return;
    this.#setState({
      kind: "waiting",
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "${image}": ErrImagePull: ${why}`,
    });
    this.#event("Normal", "BackOff", `Back-off pulling image "${image}"`);
    this.#event("Warning", "Failed", "Error: ImagePullBackOff");
    await this.#pause(this.#nextStartFailure());
  }

  #nextStartFailure(): number {
    this.#startFailures.next(this.#host.deps.clock.monotonic());
    return this.#startFailures.delayMs;
  }

  /** Ends early when the pod ends or its image changes. */
  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#host.ending, this.#interrupt.signal]);
    await sleep(this.#host.deps.clock, ms, signal).catch(() => undefined);
  }

  #setState(state: ContainerState): void {
    this.#state = state;
    this.#host.changed();
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    const { namespace, name, uid } = this.#host.pod();
    const list = this.#view.init ? "initContainers" : "containers";
    const fieldPath = `spec.${list}{${this.#view.name}}`;
    this.#host.deps.events.record({ kind: "Pod", namespace, name, uid, fieldPath }, type, reason, message);
  }
}
