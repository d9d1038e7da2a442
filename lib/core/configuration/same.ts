import type { CompiledConfiguration } from "../configuration.ts";

/** Nothing about pools changed: assignments need not be looked at again. */
export function samePools(a: CompiledConfiguration, b: CompiledConfiguration): boolean {
  const [left, right] = [a.configuration.pools, b.configuration.pools];
  // What did not change is the same object.
  const isInForce = left.length === right.length && left.every((pool, index) => pool === right[index]);
  return isInForce && sameLeftOut(a, b);
}

/** The same pools are left out, with the same labels. */
export function sameLeftOut(a: CompiledConfiguration, b: CompiledConfiguration): boolean {
  return JSON.stringify(a.leftOut) === JSON.stringify(b.leftOut);
}

/** Nothing about L2Advertisements changed: who announces need not be looked at again. */
export function sameL2(a: CompiledConfiguration, b: CompiledConfiguration): boolean {
  const [left, right] = [a.configuration.l2Advertisements, b.configuration.l2Advertisements];
  return left.length === right.length && left.every(({ source }, index) => source === right[index]?.source);
}
