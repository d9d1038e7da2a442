import type { z } from "zod";
import type { ComponentRow, LogText } from "#api/dashboard/components";
import type { KubeObject } from "#api/kubernetes/objects";
import { ANNOTATION } from "#api/names";
import { DAEMON_SETS, DEPLOYMENTS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Dashboard } from "./context.ts";
import { componentFacts } from "./facts.ts";
import { apply, remove, titleOf } from "./objects.ts";
import { iso, type Progress, type StepPlan } from "./operations.ts";
import { daemonSetRollout, deploymentRollout, type Rollout } from "./rollout.ts";
import { blockedBy, componentRow, componentRows, controllerOf, speakerOf } from "./rows/components.ts";
import { componentOf } from "./rows/pods.ts";

type Component = ComponentRow["component"];

const READY_WITHIN_MS = 120_000;
const GONE_WITHIN_MS = 60_000;

export function listComponents(on: Dashboard): ComponentRow[] {
  return [...componentRows(componentFacts(on.world, on.sandbox))];
}

export function readComponent(on: Dashboard, component: Component): ComponentRow {
  return componentRow(component, componentFacts(on.world, on.sandbox));
}

/** Applies the component's manifests object by object, then waits until it is ready. */
export function install(on: Dashboard, component: Component): { operation: string } {
  allowed(on);
  const objects = objectsOf(on, component);
  const steps: StepPlan[] = objects.map((object) => ({ name: stepOf(object), label: titleOf(object) }));
  steps.push({ name: "ready", label: `${titleCase(component)} ready` });
  const { operation } = on.operations.start("install", component, steps, async (progress) => {
    for (const object of objects) {
      await progress.step(stepOf(object), async () => {
        const what = await apply(on.cluster, object, progress.signal);
        return `${titleOf(object)} ${what}`;
      });
    }
    await awaitReady(on, component, progress);
  });
  return { operation };
}

/** New pods one after the other, by the annotation that `kubectl rollout restart` sets. */
export function restart(on: Dashboard, component: Component): { operation: string } {
  allowed(on);
  const workload = workloadOf(on, component);
  if (workload === undefined) throw new Fault("not_found", `The ${component} is not installed.`);
  const steps = [
    { name: "restart", label: `Restart ${titleOf({ ...workload, kind: kindOf(component) })}` },
    { name: "ready", label: `${titleCase(component)} ready` },
  ];
  const { operation } = on.operations.start("restart", component, steps, async (progress) => {
    await progress.step("restart", async () => {
      const { name = "", namespace } = workload.metadata;
      const resource = component === "controller" ? DEPLOYMENTS : DAEMON_SETS;
      const body = restartPatch(on.clock.now());
      const patched = await on.cluster.patch(resource, { name, namespace }, { kind: "strategic", body });
      const held = component === "controller" ? on.world.deployments : on.world.daemonSets;
      await on.world.until(
        () => (held.get(`${namespace}/${name}`)?.metadata.generation ?? 0) >= (patched.metadata.generation ?? 0),
        5_000,
      );
      return undefined;
    });
    await awaitReady(on, component, progress);
  });
  return { operation };
}

/**
 * Deletes what install made, newest first. Pools, advertisements and their
 * CRDs stay, so that addresses survive a reinstall; `purge` takes the CRDs
 * (and with them every pool) once the other component is gone too.
 */
export function uninstall(on: Dashboard, component: Component, purge: boolean): { operation: string } {
  allowed(on);
  const other: Component = component === "controller" ? "speaker" : "controller";
  const last = workloadOf(on, other) === undefined;
  if (purge && !last) throw new Fault("conflict", `Uninstall the ${other} too before everything can be purged.`);
  const { namespace, crds } = on.manifests();
  const workloads = on.manifests()[component];
  // Pods keep their rights until they have ended: speakers hand over while they leave.
  const rest = [...(purge ? [...namespace, ...crds] : []), ...rbacOf(on, component)].reverse();
  const planned = (object: KubeObject): StepPlan => ({ name: stepOf(object), label: titleOf(object) });
  const steps = [...workloads.map(planned), { name: "gone", label: "Every pod ended" }, ...rest.map(planned)];
  const { operation } = on.operations.start("uninstall", component, steps, async (progress) => {
    const erase = (object: KubeObject) =>
      progress.step(
        stepOf(object),
        async () => `${titleOf(object)} ${await remove(on.cluster, object, progress.signal)}`,
      );
    for (const object of workloads) await erase(object);
    await progress.step("gone", async () => {
      const gone = () => !on.world.pods.list().some((pod) => componentOf(pod) === component);
      if (await on.world.until(gone, GONE_WITHIN_MS, progress.signal)) return undefined;
      throw new Fault("unavailable", `Some ${component} pods are still there after ${GONE_WITHIN_MS / 1000} s.`);
    });
    for (const object of rest) await erase(object);
  });
  return { operation };
}

/** The last lines of one pod of the component: the one asked for, else the first. */
export async function logs(
  on: Dashboard,
  component: Component,
  query: { readonly pod?: string | undefined; readonly tail: number; readonly previous?: boolean | undefined },
  signal: AbortSignal,
): Promise<z.infer<typeof LogText>> {
  const pods = on.world.pods.list().filter((pod) => componentOf(pod) === component);
  const names = pods.map((pod) => pod.metadata.name ?? "").sort();
  const name = query.pod ?? names[0];
  if (name === undefined) throw new Fault("not_found", `The ${component} has no pods.`);
  if (!names.includes(name)) throw new Fault("not_found", `The ${component} has no pod ${name}.`);
  const text = await on.cluster.podLog(
    { name, namespace: on.namespace },
    { tailLines: query.tail, signal, ...(query.previous !== undefined && { previous: query.previous }) },
  );
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return { pod: name, lines };
}

export function restartPatch(now: number): unknown {
  return { spec: { template: { metadata: { annotations: { [ANNOTATION.restartedAt]: iso(now) } } } } };
}

async function awaitReady(on: Dashboard, component: Component, progress: Progress): Promise<void> {
  await progress.step("ready", async (note) => {
    let said = "";
    const ready = () => {
      const { done, text } = rolloutOf(on, component);
      if (text !== said) note(text);
      said = text;
      return done;
    };
    if (await on.world.until(ready, READY_WITHIN_MS, progress.signal)) return `${titleCase(component)}: ${said}`;
    throw new Fault("unavailable", notReady(on, component, said));
  });
}

/** Names the pod that stands in the way and what it says. */
function notReady(on: Dashboard, component: Component, said: string): string {
  const pod = readComponent(on, component).pods.find((one) => !one.ready);
  const why = pod === undefined ? "" : ` Pod ${pod.pod}: ${pod.message ?? pod.phase}.`;
  return `Not ready after ${READY_WITHIN_MS / 1000} s: ${said}.${why}`;
}

function rolloutOf(on: Dashboard, component: Component): Rollout {
  return component === "controller"
    ? deploymentRollout(controllerOf(on.world.deployments.list()))
    : daemonSetRollout(speakerOf(on.world.daemonSets.list()));
}

function workloadOf(on: Dashboard, component: Component): KubeObject | undefined {
  return component === "controller" ? controllerOf(on.world.deployments.list()) : speakerOf(on.world.daemonSets.list());
}

function objectsOf(on: Dashboard, component: Component): readonly KubeObject[] {
  const manifests = on.manifests();
  return [...manifests.namespace, ...manifests.crds, ...rbacOf(on, component), ...manifests[component]];
}

/** Roles and accounts are named after the component they are for. */
function rbacOf(on: Dashboard, component: Component): readonly KubeObject[] {
  const other = component === "controller" ? "speaker" : "controller";
  return on.manifests().rbac.filter((object) => !(object.metadata.name ?? "").includes(other));
}

function allowed(on: Dashboard): void {
  const blocked = blockedBy(componentFacts(on.world, on.sandbox));
  if (blocked !== null) throw new Fault("forbidden", blocked);
}

function stepOf(object: KubeObject): string {
  return `${object.kind}/${object.metadata.name}`;
}

function kindOf(component: Component): string {
  return component === "controller" ? "Deployment" : "DaemonSet";
}

function titleCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
