import { perObject } from "../per-object.ts";
import { isPlain } from "./fields.ts";
import type { Remark, Report } from "./finding.ts";

/** What was read of one object by itself, and what is wrong or doubtful with it. */
interface Reading<T> {
  readonly value: T;
  readonly remarks: readonly Remark[];
  /** None of the remarks is an error. */
  readonly isSound: boolean;
}

/** Objects never change, and are compiled again whenever another one does: each spec is read once. */
export function readOnce<T>(read: (spec: unknown, report: Report) => T): (spec: unknown) => Reading<T> {
  const readNow = (spec: unknown): Reading<T> => {
    const remarks: Remark[] = [];
    const value = read(spec, (remark) => void remarks.push(remark));
    return { value, remarks, isSound: !remarks.some(({ severity }) => severity === "error") };
  };
  const readPlainOnce = perObject(readNow);
  return (spec) => (isPlain(spec) ? readPlainOnce(spec) : readNow(spec));
}
