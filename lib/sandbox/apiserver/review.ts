import type { Json } from "#sandbox/kinds/definition";
import type { Address } from "./context.ts";

/** What is about to be written: what admission webhooks are asked about. */
export interface Attributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly address: Address;
  /** "" for the object itself. */
  readonly subresource: string;
  /** As it will be stored; absent for a deletion. For a subresource with a kind of its own (Scale), that. */
  readonly object?: Json;
  /** As it is stored; absent for a creation. */
  readonly old?: Json;
  /** Of `old`; 0 for a creation. */
  readonly revision: number;
  readonly dryRun: boolean;
}

/**
 * Passes every write just before it is committed. Either returns what `commit` returns, or throws to have the write
 * tried again later (see `reviewed` of webhooks/driver.ts). `commit` may be called after a while: it is check-and-set.
 */
export type Review = <T>(attributes: Attributes, commit: () => T) => T;

/** A write that nobody has to be asked about. */
export const UNREVIEWED: Review = (_attributes, commit) => commit();
