import { compileConfiguration } from "#core/configuration";
import type { PoolInput, PoolView } from "#core/pools";

/** Pools as their authors write them, as they are in force; invalid ones are left out. */
export function poolsInForce(
  inputs: readonly PoolInput[],
  namespaces: readonly { readonly name: string; readonly labels?: Readonly<Record<string, string>> }[] = [],
): readonly PoolView[] {
  const objects = inputs.map(({ name, labels, ...spec }) => ({ metadata: { name, labels }, spec }));
  return compileConfiguration({
    pools: objects,
    namespaces: namespaces.map((metadata) => ({ metadata })),
  }).configuration.pools;
}
