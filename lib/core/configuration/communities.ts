import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import type { Candidate } from "./settle.ts";
import { type CommunityValue, parseCommunity } from "./values.ts";

/** A Community object: its aliases. */
export interface CommunityView {
  readonly name: string;
  readonly source: string;
  readonly aliases: readonly { readonly alias: string; readonly value: CommunityValue; readonly field: string }[];
}

export function compileCommunity(entry: Entry): Candidate<CommunityView> {
  let isSound = true;
  const report = (remark: Remark) => {
    if (remark.severity === "error") isSound = false;
    entry.report(remark);
  };
  const spec = new Fields(entry.spec, "spec", report);
  const seen = new Set<string>();
  const aliases = spec.objects("communities").flatMap((one) => {
    const alias = one.text("name") ?? "";
    const text = one.text("value") ?? "";
    one.warnOfOthers();
    if (alias === "")
      report(doubt(one.path("name"), "missing_field", "the alias has no name", "name it, or take it out"));
    if (seen.has(alias)) {
      report(
        failure(one.path("name"), "duplicate_alias", `the alias ${quote(alias)} is defined twice`, "define it once"),
      );
    }
    seen.add(alias);
    const value = communityValue(text, one.path("value"), report);
    return value === null ? [] : [{ alias, value, field: one.path("name") }];
  });
  spec.warnOfOthers();
  const view = { name: entry.name, source: entry.source, aliases };
  return { name: entry.name, report: entry.report, view: isSound ? view : null };
}

const FORMS = "write two numbers like 64512:100, or three like large:64512:1:2";

/** Null, and reported, when `text` is no community. */
export function communityValue(text: string, field: string, report: (remark: Remark) => void): CommunityValue | null {
  const parsed = parseCommunity(text);
  if (parsed !== null && "value" in parsed) return parsed.value;
  const problem = parsed === null ? `${quote(text)} is no community` : `${quote(text)}: ${parsed.problem}`;
  report(failure(field, "malformed_community", problem, FORMS));
  return null;
}

/** An alias is defined once among all objects (metallb.md 1.5). */
export function aliasClash(view: CommunityView, accepted: readonly CommunityView[]): Remark | null {
  for (const { alias, field } of view.aliases) {
    const other = accepted.find(({ aliases }) => aliases.some((one) => one.alias === alias));
    if (other === undefined) continue;
    const message = `the alias ${quote(alias)} is defined in Community ${other.name} too`;
    return failure(field, "duplicate_alias", message, "define it once, or choose another name");
  }
  return null;
}
