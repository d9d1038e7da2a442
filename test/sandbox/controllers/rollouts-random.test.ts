import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/objects";
import type { Pod } from "#api/kubernetes/pods";
import { DEPLOYMENTS, NODES, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { isReady } from "#sandbox/controllers/pods";
import { obj } from "#sandbox/kinds/json";
import { fc } from "../../support/random.ts";
import { eventually, type Rig, startRig } from "./rig.ts";

// One surge pod, one pod fewer, two old templates, one disruption at a time.
const [SURGE, UNAVAILABLE, HISTORY] = [1, 1, 2];
const NODE_NAMES = ["n1", "n2", "n3"];
const RUNS = Number(process.env.BERTH_MODEL_RUNS ?? 6);

type Step =
  | { readonly kind: "scale"; readonly replicas: number }
  | { readonly kind: "image"; readonly version: number }
  | { readonly kind: "pause" | "resume" | "undo" | "evictAll" | "settle" }
  | { readonly kind: "deletePod"; readonly index: number }
  | { readonly kind: "cordon"; readonly node: number; readonly on: boolean };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("scale" as const), replicas: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ kind: fc.constant("image" as const), version: fc.integer({ min: 1, max: 5 }) }),
  fc.constantFrom<Step[]>(
    { kind: "pause" },
    { kind: "resume" },
    { kind: "undo" },
    { kind: "evictAll" },
    { kind: "settle" },
  ),
  fc.record({ kind: fc.constant("deletePod" as const), index: fc.nat(4) }),
  // The third node always takes pods: without one there is nothing to converge to.
  fc.record({ kind: fc.constant("cordon" as const), node: fc.nat(1), on: fc.boolean() }),
);

let rig: Rig;
let runs = 0;
beforeAll(async () => {
  rig = await startRig();
  for (const name of NODE_NAMES) await rig.addNode(name);
});
afterAll(() => rig.close());

/** One Deployment with its budget, and what may never be seen of it. */
class Model {
  readonly name = `m${runs++}`;
  readonly #broken: string[] = [];
  replicas = 3;
  version = 1;
  paused = false;
  /** Most pods, and fewest available ones, since everything was settled last. */
  #most = 3 + SURGE;
  #least = 0;
  #stop: () => void = () => undefined;

  live(): readonly Pod[] {
    const all = rig.objects.cache(PODS).list();
    return all.filter((pod) => pod.metadata.labels?.app === this.name && pod.metadata.deletionTimestamp === undefined);
  }

  ready = () => this.live().filter(isReady);
  deployment = () => rig.objects.cache(DEPLOYMENTS).get(`default/${this.name}`);
  sets = () =>
    rig.objects
      .cache(REPLICA_SETS)
      .list()
      .filter((set) => set.metadata.ownerReferences?.[0]?.uid === this.deployment()?.metadata.uid);

  template = (version: number) => ({
    metadata: { labels: { app: this.name } },
    spec: { containers: [{ name: "c", image: `nginx:${version}` }] },
  });

  async start(): Promise<void> {
    const metadata = { name: this.name, namespace: "default" };
    const selector = { matchLabels: { app: this.name } };
    const strategy = { rollingUpdate: { maxSurge: SURGE, maxUnavailable: UNAVAILABLE } };
    const template = this.template(1);
    await rig.apply(DEPLOYMENTS, {
      metadata,
      spec: { replicas: 3, revisionHistoryLimit: HISTORY, strategy, selector, template },
    });
    await rig.apply(POD_DISRUPTION_BUDGETS, { metadata, spec: { maxUnavailable: 1, selector } });
    await this.settle();
    const stops = [PODS, REPLICA_SETS].map((resource) =>
      rig.objects.cache<KubeObject>(resource).onChange(() => this.#look()),
    );
    this.#stop = () => {
      for (const stop of stops) stop();
    };
  }

  #look(): void {
    // What is asked for: the pods themselves follow a moment later, one set before the other.
    const asked = this.sets().reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0);
    const ready = this.ready().length;
    if (asked > this.#most) this.#broken.push(`${asked} pods asked for, at most ${this.#most} allowed`);
    if (ready < this.#least) this.#broken.push(`${ready} available, at least ${this.#least} needed`);
  }

  /** From now on this many are wanted. */
  want(replicas: number): void {
    this.replicas = replicas;
    this.#most = Math.max(this.#most, replicas + SURGE);
    this.#least = Math.min(this.#least, Math.max(0, replicas - UNAVAILABLE));
  }

  /** Somebody takes pods away by force: only the budget limits who is missing now. */
  allowLoss(): void {
    this.#least = 0;
  }

  patch = (spec: object) =>
    rig.objects.patch(DEPLOYMENTS, { name: this.name, namespace: "default" }, { kind: "merge", body: { spec } });

  async undo(): Promise<void> {
    const revision = (one: KubeObject) => Number(one.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
    const [, previous] = this.sets().toSorted((a, b) => revision(b) - revision(a));
    const version = Number(/nginx:(\d+)/.exec(`${previous?.spec?.template?.spec?.containers?.[0]?.image}`)?.[1] ?? 0);
    if (version === 0 || this.paused) return;
    this.version = version;
    await this.patch({ template: this.template(version) });
  }

  /** As `kubectl drain` does, all at once; none may go that the budget wants to keep. */
  async evictAll(): Promise<void> {
    await this.settle();
    this.#least = Math.max(0, this.ready().length - 1);
    for (const pod of this.ready()) {
      try {
        rig.evict(pod.metadata.name ?? "");
      } catch (thrown) {
        if (!/disruption budget/.test(Fault.from(thrown).message)) throw thrown;
      }
    }
    await this.settle();
  }

  async settle(): Promise<void> {
    await eventually(`${this.name} settles at ${this.replicas} × nginx:${this.version}`, () => {
      const deployment = this.deployment();
      const { status, metadata } = deployment ?? { metadata: {} };
      const budget = obj(obj(rig.objects.cache<KubeObject>(POD_DISRUPTION_BUDGETS).get(`default/${this.name}`)).status);
      const current =
        this.paused || this.live().every((one) => one.spec?.containers[0]?.image === `nginx:${this.version}`);
      return (
        status?.observedGeneration === metadata.generation &&
        this.ready().length === this.live().length &&
        (this.paused || this.live().length === this.replicas) &&
        (status?.replicas ?? 0) === this.live().length &&
        (status?.availableReplicas ?? 0) === this.live().length &&
        (this.live().length === 0 || budget.currentHealthy === this.live().length) &&
        current
      );
    });
    this.#most = Math.max(this.live().length, this.replicas + SURGE);
    this.#least = this.paused ? 0 : Math.max(0, this.replicas - UNAVAILABLE);
  }

  async end(): Promise<void> {
    if (this.paused) await this.patch({ paused: false });
    this.paused = false;
    this.allowLoss();
    await this.settle();
    await eventually(`${this.name} forgets old templates`, () => this.sets().length <= HISTORY + 1);
    const busy = this.sets().filter((set) => (set.spec?.replicas ?? 0) > 0);
    expect(busy.length).toBe(this.replicas === 0 ? 0 : 1);
    this.#stop();
    expect(this.#broken).toEqual([]);
    for (const resource of [POD_DISRUPTION_BUDGETS, DEPLOYMENTS]) {
      await rig.objects.remove(resource, { name: this.name, namespace: "default" });
    }
    for (const name of NODE_NAMES) await cordon(name, false);
    await eventually("all gone", () => this.live().length === 0);
  }
}

const cordon = (name: string, unschedulable: boolean) =>
  rig.objects.patch(NODES, { name }, { kind: "merge", body: { spec: { unschedulable: unschedulable || null } } });

async function take(model: Model, step: Step): Promise<unknown> {
  switch (step.kind) {
    case "scale":
      model.want(step.replicas);
      return model.patch({ replicas: step.replicas });
    case "image":
      model.version = step.version;
      return model.patch({ template: model.template(step.version) });
    case "pause":
      model.paused = true;
      model.allowLoss();
      return model.patch({ paused: true });
    case "resume":
      model.paused = false;
      return model.patch({ paused: false });
    case "undo":
      return model.undo();
    case "evictAll":
      return model.paused ? undefined : model.evictAll();
    case "settle":
      return model.settle();
    case "deletePod": {
      const pod = model.live()[step.index];
      if (pod === undefined) return undefined;
      model.allowLoss();
      return rig.objects
        .remove(PODS, { name: pod.metadata.name ?? "", namespace: "default" })
        .catch((thrown: unknown) => {
          // The rollout was quicker.
          if (Fault.from(thrown).code !== "not_found") throw thrown;
        });
    }
    case "cordon":
      return cordon(NODE_NAMES[step.node] ?? "", step.on);
  }
}

it("a Deployment comes to rest as asked after any sequence of changes, and meanwhile keeps to surge, availability, history and budget", {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 14 }), async (sequence) => {
      const model = new Model();
      await model.start();
      for (const step of sequence) await take(model, step);
      await model.end();
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
