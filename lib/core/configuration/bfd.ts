import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import type { Remark } from "./finding.ts";
import type { Candidate } from "./settle.ts";

/** A BFDProfile; intervals in ms. Null leaves the engine's default (FRR: 300, 300, 50, 3, 254). */
export interface BfdView {
  readonly name: string;
  readonly source: string;
  readonly receiveInterval: number | null;
  readonly transmitInterval: number | null;
  readonly echoInterval: number | null;
  readonly detectMultiplier: number | null;
  readonly minimumTtl: number | null;
  readonly echoMode: boolean;
  readonly passiveMode: boolean;
}

export function compileBfd(entry: Entry): Candidate<BfdView> {
  let isSound = true;
  const report = (remark: Remark) => {
    if (remark.severity === "error") isSound = false;
    entry.report(remark);
  };
  const spec = new Fields(entry.spec, "spec", report);
  const view: BfdView = {
    name: entry.name,
    source: entry.source,
    receiveInterval: spec.integer("receiveInterval", 10, 60_000) ?? null,
    transmitInterval: spec.integer("transmitInterval", 10, 60_000) ?? null,
    echoInterval: spec.integer("echoInterval", 10, 60_000) ?? null,
    detectMultiplier: spec.integer("detectMultiplier", 2, 255) ?? null,
    minimumTtl: spec.integer("minimumTtl", 1, 254) ?? null,
    echoMode: spec.flag("echoMode") ?? false,
    passiveMode: spec.flag("passiveMode") ?? false,
  };
  spec.warnOfOthers();
  return { name: entry.name, report: entry.report, view: isSound ? view : null };
}
