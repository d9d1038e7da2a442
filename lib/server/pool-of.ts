import { tryParseAddress } from "#core/address";
import { type PoolView, poolOf } from "#core/pools";

/** The valid pool that owns an address, by name. */
export function poolNameOf(address: string, view: { readonly pools: readonly PoolView[] }): string | null {
  const parsed = tryParseAddress(address);
  return parsed === null ? null : (poolOf(view.pools, parsed)?.name ?? null);
}
