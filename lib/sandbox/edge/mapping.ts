import type { Protocol } from "#net/host";

/** An external address and port that this machine shall offer. */
export interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** "namespace/name" of the Service it belongs to; comes back with the mapping. */
  readonly key: string;
  /** The mapped port of an earlier run, tried first when a mapping is needed. */
  readonly preferredPort?: number;
}

/** Where `wanted` is really offered. */
export interface Reachable {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** The socket that listens: the address itself, or 127.0.0.1 when it had to be mapped; null when neither could be bound. */
  readonly at: { readonly address: string; readonly port: number } | null;
  readonly mapped: boolean;
  /** Why it is mapped or missing, in words; null when the address itself listens. */
  readonly why: string | null;
}

export function listenerId(wanted: {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
}): string {
  return `${wanted.address}|${wanted.port}|${wanted.protocol}`;
}

/** Errors of bind that mean "not on this address": everything else is a real failure. */
export const MAPPABLE = new Set(["EACCES", "EADDRNOTAVAIL", "EADDRINUSE", "EPERM", "EINVAL"]);

/**
 * Ports of 127.0.0.1 to try for a mapping, in order: 80 gives 18080, 19080, …;
 * ports too high for that start at 18000 + their last four digits. 0 (any) is last.
 */
export function mappedPorts(port: number, preferred?: number): readonly number[] {
  const base = 18_000 + (port < 10_000 ? port : port % 10_000);
  const steps = Array.from({ length: 20 }, (_unused, index) => base + index * 1_000).filter((one) => one <= 65_535);
  return preferred === undefined ? [...steps, 0] : [preferred, ...steps.filter((one) => one !== preferred), 0];
}
