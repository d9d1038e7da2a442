import { textOf } from "./entry.ts";
import { ownMember } from "./fields.ts";

/** By name, as far as passwords of peers are concerned. */
export type SecretFacts = ReadonlyMap<string, { readonly type: string; readonly hasPassword: boolean }>;

/** Secrets of other namespaces are left out; null when nothing is known. */
export function readSecrets(
  objects: readonly unknown[] | undefined,
  namespace: string | undefined,
): SecretFacts | null {
  if (objects === undefined) return null;
  const secrets = objects.flatMap((object) => {
    const metadata = ownMember(object, "metadata");
    const own = textOf(ownMember(metadata, "namespace"));
    if (namespace !== undefined && own !== "" && own !== namespace) return [];
    const has = (field: string) => ownMember(ownMember(object, field), "password") !== undefined;
    const facts = {
      type: textOf(ownMember(object, "type")) || "Opaque",
      hasPassword: has("data") || has("stringData"),
    };
    return [[textOf(ownMember(metadata, "name")), facts] as const];
  });
  // Two of one name cannot be in a cluster; among files the outcome must not depend on which comes first.
  return new Map(secrets.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
}
