import { vi } from "vitest";

/** Waits until a check passes, far longer than that takes: a busy machine is no failure (vitest's own bound is 1 s). */
export function soon<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 20 });
}
