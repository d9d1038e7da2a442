import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import { readOnce } from "./reading.ts";
import type { Candidate, Neighbours } from "./settle.ts";
import { type CommunityValue, parseCommunity } from "./values.ts";

/** A Community object: its aliases. */
export interface CommunityView {
  readonly name: string;
  readonly source: string;
  readonly aliases: readonly { readonly alias: string; readonly value: CommunityValue; readonly field: string }[];
}

const readCommunity = readOnce((value, report): CommunityView["aliases"] => {
  const spec = new Fields(value, "spec", report);
  const seen = new Set<string>();
  const aliases = spec.objects("communities").flatMap((one) => {
    const alias = one.text("name") ?? "";
    const text = one.text("value") ?? "";
    one.warnOfOthers();
    const field = one.path("name");
    if (alias === "") report(doubt(field, "missing_field", "the alias has no name", "name it, or take it out"));
    if (seen.has(alias)) {
      report(failure(field, "duplicate_alias", `the alias ${quote(alias)} is defined twice`, "define it once"));
    }
    seen.add(alias);
    const parsed = communityValue(text, one.path("value"), report);
    return parsed === null ? [] : [{ alias, value: parsed, field }];
  });
  spec.warnOfOthers();
  return aliases;
});

export function compileCommunity({ name, source, spec, report }: Entry): Candidate<CommunityView> {
  const { value: aliases, remarks, isSound } = readCommunity(spec);
  remarks.forEach(report);
  return { name, report, view: isSound ? { name, source, aliases } : null };
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
export function distinctAliases(): Neighbours<CommunityView> {
  const owners = new Map<string, string>();
  return {
    clash: ({ aliases }) => {
      const twice = aliases.find(({ alias }) => owners.has(alias));
      if (twice === undefined) return null;
      const message = `the alias ${quote(twice.alias)} is defined in Community ${owners.get(twice.alias)} too`;
      return failure(twice.field, "duplicate_alias", message, "define it once, or choose another name");
    },
    add: ({ name, aliases }) => {
      for (const { alias } of aliases) owners.set(alias, name);
    },
  };
}
