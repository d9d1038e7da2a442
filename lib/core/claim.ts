import { type Address, sameAddress } from "./address.ts";

/** What one Service occupies, and under which conditions others may share it (metallb.md 2.5). */
export interface Claim {
  /** "namespace/name" */
  readonly key: string;
  readonly addresses: readonly Address[];
  /** Given up, but still in the status until a write is confirmed: nobody else may have them before. */
  readonly leaving?: readonly Address[] | undefined;
  /** "TCP/80" */
  readonly ports: readonly string[];
  /** "" means not shared. */
  readonly sharingKey: string;
  readonly backendKey: string;
}

/** Why a claim does not fit beside one that is there. */
export interface Conflict {
  readonly reason: "already_assigned" | "sharing_key_conflict" | "backend_conflict" | "port_conflict";
  readonly address: Address;
  readonly holder: string;
  readonly port?: string | undefined;
}

/** All of: same non-empty key, same backends, no common port (metallb.md 2.5). */
export function conflictBetween(a: Claim, b: Claim): Pick<Conflict, "reason" | "port"> | null {
  if (a.sharingKey === "" || b.sharingKey === "") return { reason: "already_assigned" };
  if (a.sharingKey !== b.sharingKey) return { reason: "sharing_key_conflict" };
  if (a.backendKey !== b.backendKey) return { reason: "backend_conflict" };
  const port = a.ports.find((each) => b.ports.includes(each));
  return port === undefined ? null : { reason: "port_conflict", port };
}

export function occupied({ addresses, leaving }: Claim): readonly Address[] {
  return leaving === undefined || leaving.length === 0 ? addresses : [...addresses, ...leaving];
}

export function sameClaim(a: Claim, b: Claim): boolean {
  if (a.addresses.length !== b.addresses.length || a.ports.length !== b.ports.length) return false;
  if (a.addresses.some((address, index) => !sameAddress(address, b.addresses[index] as Address))) return false;
  return occupied(a).length === occupied(b).length && !givesUp(a, b);
}

export function givesUp(before: Claim, after: Claim): boolean {
  return (
    before.sharingKey !== after.sharingKey ||
    before.backendKey !== after.backendKey ||
    occupied(before).some((address) => !occupied(after).some((other) => sameAddress(address, other))) ||
    before.ports.some((port) => !after.ports.includes(port))
  );
}
