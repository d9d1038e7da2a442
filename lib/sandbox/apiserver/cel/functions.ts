import { CONVERSIONS } from "./conversions.ts";
import { LISTS } from "./lists.ts";
import { NETWORK } from "./network.ts";
import { QUANTITIES } from "./quantity.ts";
import { STRINGS } from "./strings.ts";
import { TIME } from "./time.ts";
import { CelError, noOverload, type Value } from "./values.ts";

/** `args[0]` is the object when it is called as a member. Throws CelError. */
export type CelFunction = (args: readonly Value[], spend: (steps: number) => void) => Value;

/** How a function may be called. */
export interface Signature {
  readonly style: "global" | "member" | "both";
  /** Least and most arguments, the object of a member call among them. */
  readonly least: number;
  readonly most: number;
  readonly call: CelFunction;
}

const FUNCTIONS: ReadonlyMap<string, readonly Signature[]> = collect([
  ...CONVERSIONS,
  ...STRINGS,
  ...LISTS,
  ...TIME,
  ...NETWORK,
  ...QUANTITIES,
]);

function collect(all: readonly (readonly [string, Signature])[]): ReadonlyMap<string, readonly Signature[]> {
  const functions = new Map<string, Signature[]>();
  for (const [name, signature] of all) functions.set(name, [...(functions.get(name) ?? []), signature]);
  return functions;
}

export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name);
}

/** Whether some function of this name may be called with so many arguments in this style. */
export function accepts(name: string, count: number, member: boolean): boolean {
  return (FUNCTIONS.get(name) ?? []).some((one) => fits(one, count, member));
}

function fits({ style, least, most }: Signature, count: number, member: boolean): boolean {
  return (style === "both" || (style === "member") === member) && count >= least && count <= most;
}

/** Calls a function of CEL's standard library or of Kubernetes' additions. Several may share a name: the first that fits. */
export function callFunction(
  name: string,
  args: readonly Value[],
  member: boolean,
  spend: (steps: number) => void,
): Value {
  const candidates = (FUNCTIONS.get(name) ?? []).filter((one) => fits(one, args.length, member));
  let refused: CelError = noOverload();
  for (const candidate of candidates) {
    try {
      return candidate.call(args, spend);
    } catch (thrown) {
      if (!(thrown instanceof CelError) || thrown.message !== "no such overload") throw thrown;
      refused = thrown;
    }
  }
  throw refused;
}
