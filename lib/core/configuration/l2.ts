import type { L2Facts } from "../election.ts";
import { selectorProblem } from "../selector.ts";
import type { Entry } from "./entry.ts";
import { Fields, selectorRemark } from "./fields.ts";
import { failure, type Report } from "./finding.ts";
import { readOnce } from "./reading.ts";
import type { Candidate } from "./settle.ts";

/** An L2Advertisement that is valid by itself. */
export interface L2View extends L2Facts {
  readonly source: string;
}

const readL2 = readOnce((value, report): Omit<L2Facts, "name"> => {
  const spec = new Fields(value, "spec", report);
  const view = {
    pools: spec.distinctTexts("ipAddressPools"),
    poolSelectors: spec.selectors("ipAddressPoolSelectors"),
    nodeSelectors: spec.selectors("nodeSelectors"),
    interfaces: spec.texts("interfaces"),
    serviceSelectors: spec.selectors("serviceSelectors"),
    preferred: spec.objects("preferredNodeSelectors").map((one) => preferenceOf(one, report)),
  };
  spec.warnOfOthers();
  return view;
});

function preferenceOf(one: Fields, report: Report): L2Facts["preferred"][number] {
  const weight = one.integer("weight", 1, 100);
  const preference = one.object("preference");
  if (!one.has("weight")) {
    report(failure(one.path("weight"), "missing_field", "a preference needs a weight", "write 1 to 100"));
  }
  if (preference === null) {
    const fix = "write matchLabels or matchExpressions";
    report(failure(one.path("preference"), "missing_field", "a preference needs a selector", fix));
  }
  const selector = preference?.asSelector() ?? {};
  const problem = selectorProblem(selector);
  if (problem !== null) report(selectorRemark(one.path("preference"), problem));
  one.warnOfOthers();
  return { weight: weight ?? 1, preference: selector };
}

export function compileL2({ name, source, spec, report }: Entry): Candidate<L2View> {
  const { value, remarks, isSound } = readL2(spec);
  remarks.forEach(report);
  return { name, report, view: isSound ? { ...value, name, source } : null };
}
