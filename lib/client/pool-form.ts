import type { AdvertisementRow } from "#api/dashboard/advertisements";
import type { SelectorRow } from "#api/dashboard/configuration";
import type { PoolCreateInput, PoolPatch, PoolRow } from "#api/dashboard/pools";
import { splitNames, splitRanges } from "#client/range-input";

const HOSTNAME = "kubernetes.io/hostname";

/** What the pool form holds. */
export interface PoolForm {
  readonly name: string;
  readonly ranges: string;
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  readonly priority: string;
  readonly namespaces: string;
  /** "none": announced by nobody for now. */
  readonly announce: "l2" | "none";
  readonly advertisement: string;
  readonly interfaces: string;
  /** Empty: every node. */
  readonly nodes: readonly string[];
}

export const EMPTY_FORM: PoolForm = {
  name: "",
  ranges: "",
  autoAssign: true,
  avoidBuggyIPs: false,
  priority: "",
  namespaces: "",
  announce: "l2",
  advertisement: "",
  interfaces: "",
  nodes: [],
};

/** The sandbox's own first pool: what the story of the README uses. */
export const SANDBOX_POOL: PoolForm = {
  ...EMPTY_FORM,
  name: "production",
  ranges: "127.77.10.1-127.77.10.254",
  advertisement: "external",
};

/** That pool on the nodes' own network: with `--network netns` it is 10.77.0.0/16. */
export function sandboxPool(nodes: readonly { readonly addresses: readonly string[] }[]): PoolForm {
  const isLab = nodes.some(({ addresses }) => addresses.some((address) => address.startsWith("10.77.")));
  return isLab ? { ...SANDBOX_POOL, ranges: "10.77.10.1-10.77.10.254" } : SANDBOX_POOL;
}

export function formOf(pool: PoolRow): PoolForm {
  return {
    ...EMPTY_FORM,
    name: pool.name,
    ranges: pool.addresses.join("\n"),
    autoAssign: pool.autoAssign,
    avoidBuggyIPs: pool.avoidBuggyIPs,
    priority: pool.priority === null ? "" : String(pool.priority),
    namespaces: pool.namespaces.join(", "),
    announce: "none",
  };
}

function priorityOf(text: string): number | null {
  const n = Number(text.trim());
  return text.trim() === "" || !Number.isFinite(n) ? null : n;
}

/** Selects the named nodes; an empty list selects all. */
export function selectNodes(nodes: readonly string[]): SelectorRow[] {
  return nodes.length === 0 ? [] : [{ matchExpressions: [{ key: HOSTNAME, operator: "In", values: [...nodes] }] }];
}

/** The nodes that a selector of `selectNodes` names; null when it is of another form, which only YAML shows whole. */
export function selectedNodes(selectors: AdvertisementRow["nodeSelectors"]): readonly string[] | null {
  if (selectors.length === 0) return [];
  const names: string[] = [];
  for (const selector of selectors) {
    const label = selector.matchLabels?.[HOSTNAME];
    const expressions = selector.matchExpressions ?? [];
    const only = expressions[0];
    if (label !== undefined && expressions.length === 0 && Object.keys(selector.matchLabels ?? {}).length === 1)
      names.push(label);
    else if (
      selector.matchLabels === undefined &&
      expressions.length === 1 &&
      only?.key === HOSTNAME &&
      only.operator === "In"
    )
      names.push(...(only.values ?? []));
    else return null;
  }
  return names;
}

export function createBody(form: PoolForm): PoolCreateInput {
  return {
    name: form.name.trim(),
    addresses: [...splitRanges(form.ranges)],
    autoAssign: form.autoAssign,
    avoidBuggyIPs: form.avoidBuggyIPs,
    priority: priorityOf(form.priority),
    namespaces: [...splitNames(form.namespaces)],
    advertise:
      form.announce === "none"
        ? null
        : {
            name: form.advertisement.trim() === "" ? form.name.trim() : form.advertisement.trim(),
            interfaces: [...splitNames(form.interfaces)],
            nodeSelectors: selectNodes(form.nodes),
          },
  };
}

/** Only what differs from the pool, guarded by the version that was edited. */
export function patchBody(form: PoolForm, pool: PoolRow): PoolPatch {
  const before = formOf(pool);
  return {
    resourceVersion: pool.resourceVersion,
    ...(form.ranges === before.ranges ? {} : { addresses: [...splitRanges(form.ranges)] }),
    ...(form.autoAssign === before.autoAssign ? {} : { autoAssign: form.autoAssign }),
    ...(form.avoidBuggyIPs === before.avoidBuggyIPs ? {} : { avoidBuggyIPs: form.avoidBuggyIPs }),
    ...(form.priority === before.priority ? {} : { priority: priorityOf(form.priority) }),
    ...(form.namespaces === before.namespaces ? {} : { namespaces: [...splitNames(form.namespaces)] }),
  };
}

/**
 * The form after somebody else changed the pool: what was typed here stays,
 * what was not touched follows the pool as it is now.
 */
export function rebase(form: PoolForm, before: PoolRow, now: PoolRow): PoolForm {
  const [old, fresh] = [formOf(before), formOf(now)];
  const kept = Object.entries(form).filter(([key, value]) => value !== old[key as keyof PoolForm]);
  return { ...fresh, ...Object.fromEntries(kept) };
}

/** What the form will do, in words. */
export function inWords(form: PoolForm, editing: boolean): readonly string[] {
  const name = form.name.trim();
  const lines = [
    form.autoAssign
      ? "Any Service that asks for a load balancer may get an address from it."
      : "Only Services that ask for this pool by name get an address from it.",
  ];
  if (splitNames(form.namespaces).length > 0)
    lines.push(`Only namespaces ${splitNames(form.namespaces).join(", ")} may use it.`);
  if (form.avoidBuggyIPs) lines.push("Addresses that end in .0 or .255 are left out.");
  if (editing) return lines;
  if (form.announce === "none")
    lines.push("Nobody announces it yet: addresses are assigned, but nothing answers for them.");
  else {
    const nodes = form.nodes.length === 0 ? "every node" : form.nodes.join(", ");
    lines.push(`One node at a time answers ARP for each address, out of ${nodes}.`);
    const ad = form.advertisement.trim() === "" ? name : form.advertisement.trim();
    lines.push(
      name === ""
        ? "Two objects are made: an IPAddressPool and an L2Advertisement."
        : `Two objects are made: IPAddressPool ${name} and L2Advertisement ${ad}.`,
    );
  }
  return lines;
}
