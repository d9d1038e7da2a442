import type { ConfigurationInput } from "#core/configuration";
import { isPlain, ownMember } from "#core/configuration/fields";
import type { ConfigurationFinding } from "#core/configuration/finding";

/** A finding as it is printed: also about kinds that the compiler does not know. */
export type CheckFinding = Omit<ConfigurationFinding, "kind" | "reason"> & {
  readonly kind: string;
  readonly reason: ConfigurationFinding["reason"] | "unknown_kind";
  /** "file:line" of the object; absent for a cluster. */
  readonly source?: string | undefined;
};

/** Anything that was read, and where. */
export interface Found {
  readonly object: unknown;
  readonly source?: string | undefined;
}

type Field = Exclude<keyof ConfigurationInput, "namespace" | "complete">;

const V1BETA1 = ["metallb.io/v1beta1"];
const KINDS: Readonly<Record<string, { readonly versions: readonly string[]; readonly field: Field | null }>> = {
  IPAddressPool: { versions: V1BETA1, field: "pools" },
  L2Advertisement: { versions: V1BETA1, field: "l2Advertisements" },
  BGPAdvertisement: { versions: V1BETA1, field: "bgpAdvertisements" },
  BGPPeer: { versions: ["metallb.io/v1beta2", ...V1BETA1], field: "peers" },
  Community: { versions: V1BETA1, field: "communities" },
  BFDProfile: { versions: V1BETA1, field: "bfdProfiles" },
  ServiceL2Status: { versions: V1BETA1, field: null },
  ServiceBGPStatus: { versions: V1BETA1, field: null },
  ConfigurationState: { versions: V1BETA1, field: null },
};
const CORE: Readonly<Record<string, Field>> = {
  Secret: "secrets",
  Node: "nodes",
  Service: "services",
};

interface Classified {
  readonly input: Readonly<Partial<Record<Field, readonly unknown[]>>>;
  /** Objects of group metallb.io that nobody serves. */
  readonly findings: readonly CheckFinding[];
  /** How many objects are looked at. */
  readonly count: number;
  /** Where each was found, by "Kind namespace/name". */
  readonly sources: ReadonlyMap<string, string>;
}

/** Sorts objects to the lists of the compiler; other kinds are left out. */
export function classify(found: readonly Found[]): Classified {
  const input: Partial<Record<Field, unknown[]>> = {};
  const findings: CheckFinding[] = [];
  const sources = new Map<string, string>();
  let count = 0;
  for (const { object, source } of found) {
    const kind = String(ownMember(object, "kind"));
    const apiVersion = String(ownMember(object, "apiVersion"));
    const field = fieldOf(kind, apiVersion);
    if (field === "unknown") {
      findings.push({ ...unknownKind(kind, apiVersion), object: nameOf(object), source });
    } else if (field !== null) {
      count += 1;
      const list = input[field] ?? [];
      list.push(object);
      input[field] = list;
      const key = `${kind} ${nameOf(object)}`;
      // Of two objects with one name a finding may mean either.
      if (source !== undefined) sources.set(key, sources.has(key) ? `${sources.get(key)}, ${source}` : source);
    }
  }
  return { input, findings, count, sources };
}

function fieldOf(kind: string, apiVersion: string): Field | null | "unknown" {
  if (apiVersion === "v1") return Object.hasOwn(CORE, kind) ? (CORE[kind] ?? null) : null;
  if (!apiVersion.startsWith("metallb.io/")) return null;
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  return known?.versions.includes(apiVersion) === true ? known.field : "unknown";
}

function unknownKind(kind: string, apiVersion: string) {
  const near = Object.keys(KINDS).find((known) => known.toLowerCase() === kind.toLowerCase());
  const right = near === undefined ? undefined : KINDS[near]?.versions[0];
  const fix =
    right !== undefined
      ? `write apiVersion ${right}, kind ${near}`
      : kind === "AddressPool"
        ? "write an IPAddressPool and an advertisement"
        : `write one of ${Object.keys(KINDS).slice(0, 6).join(", ")}`;
  const message = `there is no kind ${JSON.stringify(kind)} in ${apiVersion}`;
  return { severity: "error", kind, field: "kind", reason: "unknown_kind", message, fix } as const;
}

function nameOf(object: unknown): string {
  const metadata = ownMember(object, "metadata");
  const [namespace, name] = ["namespace", "name"].map((member) => ownMember(metadata, member));
  const own = typeof name === "string" && name !== "" ? name : "(no name)";
  return typeof namespace === "string" && namespace !== "" ? `${namespace}/${own}` : own;
}

/** The items of a `kind: List`, or the object itself. */
export function itemsOf(object: unknown): readonly unknown[] {
  const items = ownMember(object, "items");
  const isList = isPlain(object) && typeof object.kind === "string" && object.kind.endsWith("List");
  return isList && Array.isArray(items) ? items : [object];
}
