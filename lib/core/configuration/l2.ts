import { advertisementProblems } from "../advertisements.ts";
import type { L2Facts } from "../election.ts";
import type { Entry } from "./entry.ts";
import { Fields, selectorRemark } from "./fields.ts";
import { failure, type Remark } from "./finding.ts";
import type { Candidate } from "./settle.ts";

/** An L2Advertisement that is valid by itself. */
export interface L2View extends L2Facts {
  readonly source: string;
}

export function compileL2(entry: Entry): Candidate<L2View> {
  let isSound = true;
  const report = (remark: Remark) => {
    if (remark.severity === "error") isSound = false;
    entry.report(remark);
  };
  const spec = new Fields(entry.spec, "spec", report);
  const view: L2View = {
    name: entry.name,
    source: entry.source,
    pools: spec.texts("ipAddressPools"),
    poolSelectors: spec.rawSelectors("ipAddressPoolSelectors"),
    nodeSelectors: spec.rawSelectors("nodeSelectors"),
    interfaces: spec.texts("interfaces"),
    serviceSelectors: spec.rawSelectors("serviceSelectors"),
    preferred: spec.objects("preferredNodeSelectors").map((one) => {
      const weight = one.integer("weight", 1, 100);
      const preference = one.object("preference");
      if (!one.has("weight"))
        report(failure(one.path("weight"), "missing_field", "a preference needs a weight", "write 1 to 100"));
      if (preference === null) {
        report(
          failure(
            one.path("preference"),
            "missing_field",
            "a preference needs a selector",
            "write matchLabels or matchExpressions",
          ),
        );
      }
      one.warnOfOthers();
      return { weight: weight ?? 1, preference: preference?.asSelector() ?? {} };
    }),
  };
  for (const { field, message, fix } of advertisementProblems(view)) {
    report(
      field.startsWith("spec.ipAddressPools.")
        ? failure(field, "duplicate_entry", message, fix)
        : selectorRemark(field, message),
    );
  }
  spec.warnOfOthers();
  return { name: entry.name, report: entry.report, view: isSound ? view : null };
}
