import type { KubeObject } from "#api/kubernetes/objects";
import type { Service } from "#api/kubernetes/services";
import { ANNOTATION } from "#api/names";
import { DEPLOYMENTS } from "#api/resources";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import type { Dashboard } from "./context.ts";
import { apply, find, nameOf, remove, titleOf } from "./objects.ts";
import type { StepPlan } from "./operations.ts";
import { deploymentRollout } from "./rollout.ts";

const READY_WITHIN_MS = 120_000;

/** Applies deploy/demo and waits for its pods. Its Service is left to be exposed: that is a step of its own here. */
export function applyDemo(on: Dashboard): { operation: string } {
  const objects = on.manifests().demo.map(inDefault).map(notExposed);
  const steps = [...objects.map(stepFor), { name: "ready", label: "Pods ready" }];
  const { operation } = on.operations.start("demo", "demo", steps, async (progress) => {
    for (const object of objects) {
      await progress.step(stepFor(object).name, async () => {
        return `${titleOf(object)} ${await apply(on.cluster, object, progress.signal)}`;
      });
    }
    await progress.step("ready", async (note) => {
      const deployment = objects.find((object) => object.kind === "Deployment");
      if (deployment === undefined) return "Nothing to wait for";
      const deadline = on.clock.monotonic() + READY_WITHIN_MS;
      for (let said = ""; ; ) {
        const { done, text } = deploymentRollout(
          await find(on.cluster, DEPLOYMENTS, nameOf(deployment), progress.signal),
        );
        if (text !== said) note(text);
        said = text;
        if (done) return `Pods: ${text}`;
        if (on.clock.monotonic() >= deadline) {
          throw new Fault("unavailable", `Not ready after ${READY_WITHIN_MS / 1000} s: ${text}.`);
        }
        await sleep(on.clock, 250, progress.signal);
      }
    });
  });
  return { operation };
}

export function removeDemo(on: Dashboard): { operation: string } {
  const objects = on.manifests().demo.map(inDefault).reverse();
  const { operation } = on.operations.start("demo", "demo", objects.map(stepFor), async (progress) => {
    for (const object of objects) {
      await progress.step(stepFor(object).name, async () => {
        return `${titleOf(object)} ${await remove(on.cluster, object, progress.signal)}`;
      });
    }
  });
  return { operation };
}

/** The manifest names no namespace, as a user's would not; kubectl's own default is used. */
function inDefault(object: KubeObject): KubeObject {
  return { ...object, metadata: { namespace: "default", ...object.metadata } };
}

/** Without what makes it a load balancer; of one that is there already, nothing of that is changed. */
function notExposed(object: KubeObject): KubeObject {
  if (object.kind !== "Service") return object;
  const { metadata, spec = {} } = object as Service;
  const { [ANNOTATION.addressPool]: _pool, ...annotations } = metadata.annotations ?? {};
  const { type: _type, ...rest } = spec;
  return { ...object, metadata: { ...metadata, annotations }, spec: rest } as Service;
}

function stepFor(object: KubeObject): StepPlan {
  return { name: `${object.kind}/${object.metadata.name}`, label: titleOf(object) };
}
