import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import { selectorMatches } from "#core/selector";
import type { Json } from "#sandbox/kinds/definition";
import { arr, at, num, obj, objects, str } from "#sandbox/kinds/json";
import { quantityValue } from "#sandbox/kinds/quantity";

export type Taint = NonNullable<NonNullable<Node["spec"]>["taints"]>[number] & { readonly timeAdded?: unknown };

/** Whether one of the tolerations bears the taint (core/v1 Toleration.ToleratesTaint). */
export function tolerates(tolerations: unknown, taint: Taint): Json | undefined {
  return objects(tolerations).find((one) => {
    const effect = str(one.effect);
    const key = str(one.key);
    if (effect !== "" && effect !== taint.effect) return false;
    if (key !== "" && key !== taint.key) return false;
    if (one.operator === "Exists") return true;
    return key !== "" && str(one.value) === (taint.value ?? "");
  });
}

/** The first taint that keeps a pod away; `PreferNoSchedule` never does. */
export function blockingTaint(tolerations: unknown, node: Node): Taint | undefined {
  const hard = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect === "NoSchedule" || taint.effect === "NoExecute",
  );
  return hard.find((taint) => tolerates(tolerations, taint) === undefined);
}

/** nodeSelector and the required node affinity of a pod spec. */
export function selectsNode(spec: unknown, node: Node): boolean {
  const pod = obj(spec);
  const labels = node.metadata.labels ?? {};
  if (Object.entries(obj(pod.nodeSelector)).some(([key, value]) => labels[key] !== value)) return false;
  const required = at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  if (required === undefined) return true;
  return objects(obj(required).nodeSelectorTerms).some((term) => termMatches(term, node));
}

function termMatches(term: Json, node: Node): boolean {
  const expressions = objects(term.matchExpressions);
  const fields = objects(term.matchFields);
  if (expressions.length + fields.length === 0) return false;
  const name = { "metadata.name": node.metadata.name ?? "" };
  return (
    expressions.every((one) => expressionMatches(one, node.metadata.labels ?? {})) &&
    fields.every((one) => expressionMatches(one, name))
  );
}

function expressionMatches(expression: Json, labels: Readonly<Record<string, string>>): boolean {
  const key = str(expression.key);
  const operator = str(expression.operator);
  const values = arr(expression.values).map(str);
  if (operator === "Gt" || operator === "Lt") {
    const [have, want] = [Number(labels[key] ?? "NaN"), Number(values[0] ?? "NaN")];
    return operator === "Gt" ? have > want : have < want;
  }
  return selectorMatches({ matchExpressions: [{ key, operator, values }] }, labels);
}

/** What a pod asks of its node: cores and bytes. */
export interface Requests {
  readonly cpu: number;
  readonly memory: number;
}

const requestsIn = (containers: readonly Json[], name: keyof Requests): readonly number[] =>
  containers.map((one) => quantityValue(String(at(one, "resources", "requests", name) ?? "0")) ?? 0);

/** All containers of a pod together, or its largest init container when that is more. */
export function requestsOf(pod: Pod): Requests {
  const spec = obj(pod.spec);
  const of = (name: keyof Requests) => {
    const together = requestsIn(objects(spec.containers), name).reduce((sum, one) => sum + one, 0);
    return Math.max(together, ...requestsIn(objects(spec.initContainers), name));
  };
  return { cpu: of("cpu"), memory: of("memory") };
}

/** What the node has too little of, in the scheduler's words; a node that reports no size has enough. */
export function lacking(wanted: Requests, used: Requests, node: Node): readonly string[] {
  return (["cpu", "memory"] as const).flatMap((name) => {
    const size = at(obj(node.status), "allocatable", name);
    const room = size === undefined ? undefined : quantityValue(String(size));
    const short = room !== undefined && wanted[name] > 0 && used[name] + wanted[name] > room;
    return short ? [`Insufficient ${name}`] : [];
  });
}

/** The pod limit a node reports, 110 when it reports none. */
export function podLimit(node: Node): number {
  const text = str(at(obj(node.status), "allocatable", "pods"));
  const limit = text === "" ? num(at(obj(node.status), "allocatable", "pods")) : Number(text);
  return limit > 0 ? limit : 110;
}

/** The node that a DaemonSet's pod is meant for, by its affinity; undefined for any other pod. */
export function targetNode(pod: Pod): string | undefined {
  const required = at(obj(pod.spec), "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  const term = objects(obj(required).nodeSelectorTerms)[0];
  const field = objects(term?.matchFields).find((one) => one.key === "metadata.name");
  return field === undefined ? undefined : str(arr(field.values)[0]);
}
