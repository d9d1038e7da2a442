import { duplicate, forbidden, invalid, notSupported, required } from "./causes.ts";
import { checkContainer, NOT_NEGATIVE, oneOf } from "./container-validate.ts";
import type { Cause, Json } from "./definition.ts";
import { metaOf, num, obj, objects, sameJson, str, without } from "./json.ts";
import { checkLabelName, checkQualifiedName, checkSubdomain } from "./names.ts";

/** A pod, or on updates whether only what may change of a pod has changed. */
export function validatePod(pod: Json, old: Json | undefined): readonly Cause[] {
  const name = str(metaOf(pod).name);
  const causes = [...checkSubdomain("metadata.name", name), ...validatePodSpec(obj(pod.spec), "spec")];
  return old === undefined ? causes : [...causes, ...validateChange(obj(pod.spec), obj(old.spec))];
}

const CHANGE_RULE =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function validateChange(spec: Json, old: Json): readonly Cause[] {
  const bound = str(old.nodeName) !== "" && spec.nodeName !== old.nodeName;
  return bound || !sameJson(frozen(spec), frozen(old)) ? [forbidden("spec", CHANGE_RULE)] : [];
}

// nodeName may be set once: that is how a pod is bound here, besides the binding subresource.
function frozen(spec: Json): Json {
  const open = [
    "activeDeadlineSeconds",
    "tolerations",
    "terminationGracePeriodSeconds",
    "nodeName",
    "ephemeralContainers",
  ];
  const imageless = (list: unknown) => objects(list).map((one) => without(one, "image", "resources"));
  const rest = without(spec, ...open, "schedulingGates");
  return { ...rest, containers: imageless(spec.containers), initContainers: imageless(spec.initContainers) };
}

/** The spec of a pod or of a pod template; `path` is where it stands ("spec.template.spec"). */
export function validatePodSpec(spec: Json, path: string): readonly Cause[] {
  const volumes = objects(spec.volumes);
  const volumeNames = new Set(volumes.map((volume) => str(volume.name)));
  const containers = objects(spec.containers);
  const inits = objects(spec.initContainers);
  const seen = new Set<string>();
  return [
    ...volumes.flatMap((volume, index) => checkVolume(volume, `${path}.volumes[${index}]`, volumes.slice(0, index))),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containers.flatMap((one, index) => checkContainer(one, `${path}.containers[${index}]`, volumeNames, seen)),
    ...inits.flatMap((one, index) => checkContainer(one, `${path}.initContainers[${index}]`, volumeNames, seen)),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "Never", "OnFailure"]),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ...objects(spec.tolerations).flatMap((one, index) => checkToleration(one, `${path}.tolerations[${index}]`)),
    ...(num(spec.terminationGracePeriodSeconds) < 0
      ? [invalid(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds, NOT_NEGATIVE)]
      : []),
  ];
}

function checkMode(mode: unknown, field: string): readonly Cause[] {
  const good = mode === undefined || (num(mode) >= 0 && num(mode) <= 0o777);
  return good ? [] : [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function checkVolume(volume: Json, path: string, before: readonly Json[]): readonly Cause[] {
  const name = str(volume.name);
  const sources = Object.keys(volume).filter((key) => key !== "name");
  const twice = before.some((one) => one.name === volume.name);
  return [
    ...(name === "" ? [required(`${path}.name`)] : checkLabelName(`${path}.name`, name)),
    ...(twice ? [duplicate(`${path}.name`, name)] : []),
    ...sources.flatMap((source) => checkMode(obj(volume[source]).defaultMode, `${path}.${source}.defaultMode`)),
    ...sources.slice(1).map((source) => forbidden(`${path}.${source}`, "may not specify more than 1 volume type")),
  ];
}

function checkToleration(toleration: Json, path: string): readonly Cause[] {
  const key = str(toleration.key);
  const operator = str(toleration.operator) || "Equal";
  const effect = str(toleration.effect);
  const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
  const causes: Cause[] = key === "" ? [] : [...checkQualifiedName(`${path}.key`, key)];
  if (key === "" && operator !== "Exists") {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    causes.push(invalid(`${path}.operator`, operator, why));
  }
  if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
    causes.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === "Exists" && str(toleration.value) !== "") {
    causes.push(invalid(`${path}.operator`, { key, operator }, "value must be empty when `operator` is 'Exists'"));
  } else if (operator !== "Exists" && operator !== "Equal") {
    causes.push(notSupported(`${path}.operator`, operator, ["Equal", "Exists"]));
  }
  if (effect !== "" && !effects.includes(effect)) causes.push(notSupported(`${path}.effect`, effect, effects));
  return causes;
}
