import type { Json, JsonValue } from "./definition.ts";
import { at, fill, isObject, metaOf, num, obj, sameJson, str, strings } from "./json.ts";
import { defaultPodSpec } from "./pod-defaults.ts";

function withTemplate(object: Json, fallback: Json): Json {
  const spec = fill(obj(object.spec), fallback);
  const template = obj(spec.template);
  const podSpec = defaultPodSpec(obj(template.spec));
  return { ...object, spec: { ...spec, template: { ...template, metadata: obj(template.metadata), spec: podSpec } } };
}

/** apps/v1 defaults of 1.36. */
export function defaultDeployment(deployment: Json): Json {
  const strategy = obj(at(deployment, "spec", "strategy"));
  const type = str(strategy.type) || "RollingUpdate";
  const rolling = fill(obj(strategy.rollingUpdate), { maxUnavailable: "25%", maxSurge: "25%" });
  const filled = { ...strategy, type, ...(type === "RollingUpdate" && { rollingUpdate: rolling }) };
  const defaulted = withTemplate(deployment, { progressDeadlineSeconds: 600, replicas: 1, revisionHistoryLimit: 10 });
  return { ...defaulted, spec: { ...obj(defaulted.spec), strategy: filled }, status: obj(deployment.status) };
}

export function defaultReplicaSet(set: Json): Json {
  return { ...withTemplate(set, { replicas: 1 }), status: fill(obj(set.status), { replicas: 0 }) };
}

export function defaultDaemonSet(set: Json): Json {
  const strategy = obj(at(set, "spec", "updateStrategy"));
  const type = str(strategy.type) || "RollingUpdate";
  const rolling = fill(obj(strategy.rollingUpdate), { maxUnavailable: 1, maxSurge: 0 });
  const filled = { ...strategy, type, ...(type === "RollingUpdate" && { rollingUpdate: rolling }) };
  const defaulted = withTemplate(set, { revisionHistoryLimit: 10 });
  const status = fill(obj(set.status), {
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  });
  return { ...defaulted, spec: { ...obj(defaulted.spec), updateStrategy: filled }, status };
}

export function defaultStatefulSet(set: Json): Json {
  const spec = { podManagementPolicy: "OrderedReady", replicas: 1, revisionHistoryLimit: 10 };
  const defaulted = withTemplate(set, {
    ...spec,
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
  });
  return { ...defaulted, status: fill(obj(set.status), { replicas: 0 }) };
}

const GENERATION = "deprecated.daemonset.template.generation";

/** Counts changes of a DaemonSet's template in the annotation that the server still keeps. */
export function admitDaemonSet(set: Json, old: Json | undefined): Json {
  const before = old === undefined ? 0 : num(Number(strings(metaOf(old).annotations)[GENERATION] ?? "0"));
  const changed = old === undefined || !sameJson(at(set, "spec", "template"), at(old, "spec", "template"));
  const generation: JsonValue = String(Math.max(1, changed ? before + 1 : before));
  const metadata = metaOf(set);
  const annotations = { ...(isObject(metadata.annotations) ? metadata.annotations : {}), [GENERATION]: generation };
  return { ...set, metadata: { ...metadata, annotations } };
}
