import { type AddressRange, formatRange } from "../address.ts";
import type { PoolInput, PoolView } from "../pools.ts";
import { RangeIndex } from "../range-index.ts";
import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Nodes } from "./nodes.ts";
import { compileRanges, overlapText, sameRanges } from "./ranges.ts";
import { readOnce } from "./reading.ts";

interface PoolContext {
  /** Null: nothing is known of them, and pools are resolved by the names alone that they list. */
  readonly namespaces: Namespaces | null;
  readonly nodes: Nodes | null;
  readonly previous: ReadonlyMap<string, PoolView>;
}

/**
 * Turns pool entries, oldest first, into the pools in force.
 *
 * One that is invalid by itself, or overlaps a pool in force, keeps its
 * previous version; without one it is left out. A pool whose ranges did not
 * change is never pushed out by somebody else's edit; between new ones the
 * earlier wins. The pools returned never overlap, and one that is as it was is
 * the same object.
 */
export function compilePools(entries: readonly Entry[], context: PoolContext): readonly PoolView[] {
  const { namespaces, previous } = context;
  const settled: PoolView[] = [];
  const changed: PoolView[] = [];
  const before = (name: string) => stillInForce(previous.get(name), namespaces);
  for (const entry of entries) {
    const { value: draft, remarks, isSound } = readPool(entry.spec);
    for (const remark of remarks) entry.report(remark);
    for (const remark of doubtsOf(draft, context)) entry.report(remark);
    const known = before(entry.name);
    if (!isSound) {
      if (known !== undefined) settled.push(known);
      continue;
    }
    const view = sameOr(viewOf(entry, draft, namespaces), previous.get(entry.name));
    if (known !== undefined && sameRanges(known.ranges, view.ranges)) settled.push(view);
    else changed.push(view);
  }

  const refused = new Map<string, Remark>();
  for (;;) {
    const accepted = settle(settled, changed, refused, before);
    if (accepted === null) continue;
    for (const { name, report } of entries) {
      const remark = refused.get(name);
      if (remark !== undefined) report(remark);
    }
    return accepted.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}

/**
 * Accepts the changed pools in order, beside those that are settled, and puts those that overlap into `refused`. One
 * that falls back to its previous ranges, which another change may have taken meanwhile, joins the settled ones: null, start over.
 */
function settle(
  settled: PoolView[],
  changed: readonly PoolView[],
  refused: Map<string, Remark>,
  before: (name: string) => PoolView | undefined,
): readonly PoolView[] | null {
  const accepted = [...settled];
  const taken = new RangeIndex<PoolView>();
  for (const view of settled) taken.addAll(view.ranges, view);
  for (const view of changed) {
    if (refused.has(view.name)) continue;
    const refusal = overlapWith(taken, view);
    if (refusal === null) {
      accepted.push(view);
      taken.addAll(view.ranges, view);
      continue;
    }
    refused.set(view.name, refusal);
    const previous = before(view.name);
    if (previous === undefined) continue;
    settled.push(previous);
    return null;
  }
  return accepted;
}

/** What the spec of a pool says, whoever it belongs to and whatever is around it. */
interface Draft {
  readonly input: Omit<PoolInput, "name" | "labels">;
  readonly ranges: readonly AddressRange[];
}

const INT32_MAX = 2 ** 31 - 1;

const readPool = readOnce((value, report): Draft => {
  let isListWrong = false;
  const spec = new Fields(value, "spec", (remark) => {
    if (remark.field === "spec" || remark.field.startsWith("spec.addresses")) isListWrong = true;
    report(remark);
  });
  const allocation = spec.object("serviceAllocation");
  const addresses = spec.textEntries("addresses");
  // A list of the wrong type was read as empty: that is said already.
  if (addresses.length === 0 && !isListWrong) {
    const fix = "list at least one range, like 192.0.2.0/24";
    report(failure("spec.addresses", "missing_field", "the pool has no addresses", fix));
  }
  const ranges = compileRanges(addresses, report);
  const input = {
    addresses: addresses.map(({ text }) => text),
    autoAssign: spec.flag("autoAssign") ?? true,
    avoidBuggyIPs: spec.flag("avoidBuggyIPs") ?? false,
    ...(allocation !== null && {
      serviceAllocation: {
        priority: allocation.integer("priority", -INT32_MAX - 1, INT32_MAX),
        namespaces: allocation.distinctTexts("namespaces"),
        namespaceSelectors: allocation.selectors("namespaceSelectors"),
        serviceSelectors: allocation.selectors("serviceSelectors"),
      },
    }),
  };
  allocation?.warnOfOthers();
  spec.warnOfOthers();
  return { input, ranges };
});

function viewOf({ name, labels }: Entry, { input, ranges }: Draft, namespaces: Namespaces | null): PoolView {
  const allocation = input.serviceAllocation;
  return {
    name,
    labels,
    ranges,
    autoAssign: input.autoAssign,
    avoidBuggyIPs: input.avoidBuggyIPs,
    priority: allocation?.priority ?? 0,
    pinned: allocation !== undefined,
    namespaces: resolve(allocation, namespaces),
    serviceSelectors: allocation?.serviceSelectors ?? [],
    input: { name, labels, ...input },
  };
}

function resolve(
  allocation: PoolInput["serviceAllocation"],
  namespaces: Namespaces | null,
): ReadonlySet<string> | null {
  const { namespaces: names = [], namespaceSelectors: selectors = [] } = allocation ?? {};
  if (allocation === undefined || (names.length === 0 && selectors.length === 0)) return null;
  return namespaces === null ? new Set(names) : namespaces.allowedBy(allocation);
}

/** A previous version whose object is invalid now: who may use it still follows the labels of namespaces. */
function stillInForce(view: PoolView | undefined, namespaces: Namespaces | null): PoolView | undefined {
  if (view?.input === undefined) return view;
  return sameOr({ ...view, namespaces: resolve(view.input.serviceAllocation, namespaces) }, view);
}

/** `previous` when it says the same, so that whoever holds it sees that nothing changed. */
function sameOr(view: PoolView, previous: PoolView | undefined): PoolView {
  if (previous === undefined || !sameRanges(view.ranges, previous.ranges)) return view;
  // In other words the same ranges may be written, and findings quote them.
  if (!sameTexts(view.input?.addresses, previous.input?.addresses)) return view;
  if (!sameNames(view.namespaces, previous.namespaces)) return view;
  return isSameRest(view, previous) ? previous : view;
}

function isSameRest(a: PoolView, b: PoolView): boolean {
  const sameParts = a.labels === b.labels && a.input?.serviceAllocation === b.input?.serviceAllocation;
  if (sameParts) return a.autoAssign === b.autoAssign && a.avoidBuggyIPs === b.avoidBuggyIPs;
  return restOf(a) === restOf(b);
}

function restOf({ labels, autoAssign, avoidBuggyIPs, input }: PoolView): string {
  return JSON.stringify([labels, autoAssign, avoidBuggyIPs, input?.serviceAllocation]);
}

function sameTexts(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a === b || (a.length === b.length && a.every((text, index) => text === b[index]));
}

function sameNames(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): boolean {
  if (a === null || b === null || a === b) return a === b;
  return a.size === b.size && [...a].every((name) => b.has(name));
}

function overlapWith(taken: RangeIndex<PoolView>, view: PoolView): Remark | null {
  for (const [index, range] of view.ranges.entries()) {
    const clash = taken.overlap(range);
    if (clash === undefined) continue;
    const message = `${formatRange(range)} overlaps ${formatRange(clash.range)} of pool ${clash.item.name}`;
    const fix = `take ${overlapText(range, clash.range)} out of one of them`;
    return failure(`spec.addresses.${index}`, "overlap", message, fix);
  }
  return null;
}

function doubtsOf({ input, ranges }: Draft, { namespaces, nodes }: PoolContext): readonly Remark[] {
  const doubts: Remark[] = [];
  // Where an entry could not be read the places of the others are not known, and the pool is not in force anyway.
  const isWhole = ranges.length === input.addresses.length;
  for (const [index, range] of isWhole ? ranges.entries() : []) {
    for (const { text, node } of nodes?.within(range) ?? []) {
      const message = `${quote(input.addresses[index] ?? "")} contains ${text}, the address of node ${node}`;
      doubts.push(doubt(`spec.addresses.${index}`, "contains_node", message, `leave ${text} out of the pool`));
    }
  }
  const allocation = input.serviceAllocation;
  if (namespaces === null || allocation === undefined) return doubts;
  for (const [index, name] of (allocation.namespaces ?? []).entries()) {
    if (namespaces.names.has(name)) continue;
    const field = `spec.serviceAllocation.namespaces.${index}`;
    const message = `there is no namespace ${quote(name)}`;
    doubts.push(doubt(field, "unknown_reference", message, "create it, or take it out"));
  }
  if (resolve(allocation, namespaces)?.size === 0) {
    const message = "no namespace matches, so nobody may use the pool";
    const fix = "label a namespace, or change the selectors";
    doubts.push(doubt("spec.serviceAllocation.namespaceSelectors", "matches_nothing", message, fix));
  }
  return doubts;
}
