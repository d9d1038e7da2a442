import type { Json } from "#sandbox/kinds/definition";
import { objects, sameJson, str } from "#sandbox/kinds/json";

/** An object that keeps a namespace from going. */
export interface Leftover {
  /** "pods." or "deployments.apps", as the namespace controller writes it. */
  readonly resource: string;
  readonly finalizers: readonly string[];
}

/** The conditions of a namespace that is being emptied, in the real controller's words: what is left, and what holds it. */
export function terminationConditions(before: unknown, left: readonly Leftover[], now: string): Json[] {
  const resources = tally(left.map(({ resource }) => resource));
  const finalizers = tally(left.flatMap((one) => one.finalizers));
  const remaining = resources.map(([resource, count]) => `${resource} has ${count} resource instances`).join(", ");
  const holding = finalizers.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).join(", ");
  const fine = (type: string, reason: string, message: string): Json => ({ type, status: "False", reason, message });
  const wanted: readonly Json[] = [
    fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    fine(
      "NamespaceDeletionGroupVersionParsingFailure",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    fine(
      "NamespaceDeletionContentFailure",
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ),
    remaining === ""
      ? fine("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed")
      : {
          type: "NamespaceContentRemaining",
          status: "True",
          reason: "SomeResourcesRemain",
          message: `Some resources are remaining: ${remaining}`,
        },
    holding === ""
      ? fine("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
      : {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          reason: "SomeFinalizersRemain",
          message: `Some content in the namespace has finalizers remaining: ${holding}`,
        },
  ];
  const known = objects(before);
  return wanted.map((condition) => {
    const old = known.find((one) => one.type === condition.type);
    const same = old !== undefined && sameJson({ ...old, lastTransitionTime: undefined }, condition);
    return {
      ...condition,
      lastTransitionTime: same || old?.status === condition.status ? str(old?.lastTransitionTime) || now : now,
    };
  });
}

function tally(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
