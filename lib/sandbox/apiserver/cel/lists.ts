import { add } from "./arithmetic.ts";
import { globally, list, member } from "./signature.ts";
import { CelError, compareValues, equalValues, type Value } from "./values.ts";

type Spend = (steps: number) => void;

function paid(value: Value | undefined, spend: Spend): readonly Value[] {
  const items = list(value);
  spend(items.length);
  return items;
}

/** Kubernetes' list library, and the sets library of CEL. */
export const LISTS = [
  member("isSorted", 0, ([a], spend) =>
    paid(a, spend).every((item, index, all) => index === 0 || compareValues(all[index - 1] ?? null, item) <= 0),
  ),
  member("sum", 0, ([a], spend) => {
    const [first = 0n, ...rest] = paid(a, spend);
    return rest.reduce((sum, item) => add(sum, item, spend), first);
  }),
  member("min", 0, ([a], spend) => extreme(paid(a, spend), "min", -1)),
  member("max", 0, ([a], spend) => extreme(paid(a, spend), "max", 1)),
  member("indexOf", 1, ([a, b = null], spend) => BigInt(list(a).findIndex((item) => equalValues(item, b, spend)))),
  member("lastIndexOf", 1, ([a, b = null], spend) =>
    BigInt(list(a).findLastIndex((item) => equalValues(item, b, spend))),
  ),
  globally("sets.contains", 2, ([a, b], spend) => list(b).every((item) => has(list(a), item, spend))),
  globally("sets.intersects", 2, ([a, b], spend) => list(b).some((item) => has(list(a), item, spend))),
  globally(
    "sets.equivalent",
    2,
    ([a, b], spend) =>
      list(b).every((item) => has(list(a), item, spend)) && list(a).every((item) => has(list(b), item, spend)),
  ),
] as const;

function has(items: readonly Value[], wanted: Value, spend: Spend): boolean {
  return items.some((item) => equalValues(item, wanted, spend));
}

function extreme(items: readonly Value[], name: string, sign: number): Value {
  const [first, ...rest] = items;
  if (first === undefined) throw new CelError(`${name} called on empty list`);
  return rest.reduce((best, item) => (Math.sign(compareValues(item, best)) === sign ? item : best), first);
}
