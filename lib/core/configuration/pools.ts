import { formatRange, parseRange, rangeContains, tryParseAddress } from "../address.ts";
import { compilePool, compilePools, type PoolInput, type PoolView } from "../pools.ts";
import type { Entry } from "./entry.ts";
import { Fields, selectorRemark } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import type { NodeEntry } from "./nodes.ts";

export interface NamespaceEntry {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const INT32_MAX = 2 ** 31 - 1;

/** The pools in force (see `compilePools`), and everything that is wrong or doubtful with the others. */
export function compilePoolEntries(
  entries: readonly Entry[],
  context: {
    readonly namespaces: readonly NamespaceEntry[] | null;
    readonly nodes: readonly NodeEntry[] | null;
    readonly previous: ReadonlyMap<string, PoolView>;
  },
): readonly PoolView[] {
  const namespaces = context.namespaces ?? [];
  const read = entries.map((entry) => ({ entry, ...readPool(entry) }));
  // Without addresses a pool is invalid, and so keeps its previous version in force.
  const inputs = read.map(({ input, isSound }) => (isSound ? input : { ...input, addresses: [] }));
  const { pools, findings } = compilePools(inputs, namespaces, context.previous);
  const byPool = Map.groupBy(findings, ({ object }) => object);
  for (const { entry, input, problems, isSound } of read) {
    problems.forEach(entry.report);
    const others = isSound ? (byPool.get(entry.name) ?? []) : compilePool(input, namespaces).problems;
    for (const { field, message, fix } of others) {
      // A list of the wrong type was read as empty: that is said already.
      if (field === "spec.addresses" && problems.some((problem) => problem.field.startsWith(field))) continue;
      entry.report(poolRemark(field, message, fix));
    }
    doubtsOf(input, context).forEach(entry.report);
  }
  return pools;
}

function readPool(entry: Entry): {
  readonly input: PoolInput;
  readonly problems: readonly Remark[];
  readonly isSound: boolean;
} {
  const problems: Remark[] = [];
  const spec = new Fields(entry.spec, "spec", (remark) => problems.push(remark));
  const allocation = spec.object("serviceAllocation");
  const input: PoolInput = {
    name: entry.name,
    labels: entry.labels,
    addresses: spec.texts("addresses"),
    autoAssign: spec.flag("autoAssign") ?? true,
    avoidBuggyIPs: spec.flag("avoidBuggyIPs") ?? false,
    ...(allocation !== null && {
      serviceAllocation: {
        priority: allocation.integer("priority", -INT32_MAX - 1, INT32_MAX),
        namespaces: allocation.texts("namespaces"),
        namespaceSelectors: allocation.rawSelectors("namespaceSelectors"),
        serviceSelectors: allocation.rawSelectors("serviceSelectors"),
      },
    }),
  };
  allocation?.warnOfOthers();
  spec.warnOfOthers();
  return { input, problems, isSound: !problems.some(({ severity }) => severity === "error") };
}

/** The findings of core/pools.ts have no reason; their field tells it. */
function poolRemark(field: string, message: string, fix: string): Remark {
  if (field === "spec.addresses") return failure(field, "missing_field", message, fix);
  if (field.startsWith("spec.addresses.")) {
    return failure(field, message.includes(" overlaps ") ? "overlap" : "malformed_range", message, fix);
  }
  if (field === "spec.serviceAllocation.namespaces") return failure(field, "duplicate_entry", message, fix);
  return selectorRemark(field, message);
}

function doubtsOf(
  { addresses, serviceAllocation }: PoolInput,
  {
    namespaces,
    nodes,
  }: { readonly namespaces: readonly NamespaceEntry[] | null; readonly nodes: readonly NodeEntry[] | null },
): readonly Remark[] {
  const doubts: Remark[] = [];
  for (const [index, text] of addresses.entries())
    doubts.push(...rangeDoubts(text, `spec.addresses.${index}`, nodes ?? []));
  if (namespaces === null || serviceAllocation === undefined) return doubts;
  const known = new Set(namespaces.map(({ name }) => name));
  for (const [index, name] of (serviceAllocation.namespaces ?? []).entries()) {
    if (known.has(name)) continue;
    const message = `there is no namespace ${quote(name)}`;
    doubts.push(
      doubt(`spec.serviceAllocation.namespaces.${index}`, "unknown_reference", message, "create it, or take it out"),
    );
  }
  const { view } = compilePool(
    { name: "", addresses: ["192.0.2.0/24"], autoAssign: true, avoidBuggyIPs: false, serviceAllocation },
    namespaces,
  );
  if (view?.namespaces?.size === 0) {
    const message = "no namespace matches, so nobody may use the pool";
    doubts.push(
      doubt(
        "spec.serviceAllocation.namespaceSelectors",
        "matches_nothing",
        message,
        "label a namespace, or change the selectors",
      ),
    );
  }
  return doubts;
}

function rangeDoubts(text: string, field: string, nodes: readonly NodeEntry[]): readonly Remark[] {
  let range: ReturnType<typeof parseRange>;
  try {
    range = parseRange(text);
  } catch {
    return [];
  }
  const doubts: Remark[] = [];
  const [address, length] = text.trim().split("/");
  const written = length === undefined ? null : tryParseAddress(address ?? "");
  if (written !== null && written.value !== range.first.value) {
    const message = `${quote(text)} has bits set behind its prefix: the pool begins at the network's first address`;
    doubts.push(doubt(field, "host_bits", message, `write ${formatRange(range)}, or a range first-last`));
  }
  for (const node of nodes) {
    const held = node.addresses.find((own) => {
      const parsed = tryParseAddress(own);
      return parsed !== null && rangeContains(range, parsed);
    });
    if (held === undefined) continue;
    const message = `${quote(text)} contains ${held}, the address of node ${node.name}`;
    doubts.push(doubt(field, "contains_node", message, `leave ${held} out of the pool`));
  }
  return doubts;
}
