import type { LinkInfo } from "#net/port";

/** Interfaces that addresses may be announced on: up, and of a kind that has neighbours (metallb.md 6.3). */
export function usableInterfaces(info: readonly LinkInfo[]): readonly LinkInfo[] {
  return info.filter(({ up, skipped }) => up && skipped === undefined);
}
