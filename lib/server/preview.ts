import type { PoolPreview, PoolPreviewBody } from "#api/dashboard/pool-preview";
import type { IPAddressPool } from "#api/metallb";
import { keyOf } from "#api/resources";
import { Fault } from "#core/errors";
import { countPool } from "#core/pool-count";
import type { Dashboard } from "./context.ts";
import { addressesOf } from "./objects-to-facts.ts";
import { draftFindings, emptyPool, withSettings } from "./pools.ts";
import { familyUse, heldIn } from "./rows/pools.ts";
import { sentence } from "./rows/words.ts";
import { derivations, makeView, type View } from "./view.ts";

/** What making, changing or removing a pool would do to every Service. Nothing is written. */
export function previewPool(on: Dashboard, body: PoolPreviewBody): PoolPreview {
  return preview(on.views.now(), on.namespace, body);
}

function preview(view: View, namespace: string, body: PoolPreviewBody): PoolPreview {
  const current = view.facts.pools.find((pool) => pool.metadata.name === body.name);
  if (body.remove && current === undefined) throw new Fault("not_found", `There is no pool ${body.name}.`);
  const draft = body.remove ? null : draftOf(current ?? emptyPool(namespace, body.name), body);
  const findings = draft === null ? [] : draftFindings(draft, view);
  const after = findings.some((finding) => finding.severity === "error") ? view : viewAfter(view, body.name, draft);
  const pool = after.pools.find((one) => one.name === body.name);
  const counts = pool === undefined ? { ipv4: null, ipv6: null } : countPool(pool, heldIn(pool, after).addresses);
  return {
    findings,
    ipv4: familyUse(counts.ipv4),
    ipv6: familyUse(counts.ipv6),
    services: view.facts.services.flatMap((service) => effectOn(service, body.name, view, after)),
  };
}

function draftOf(base: IPAddressPool, body: PoolPreviewBody): IPAddressPool {
  const { name: _name, remove: _remove, addresses, ...settings } = body;
  return withSettings(base, { ...settings, ...(addresses.length > 0 && { addresses }) });
}

function viewAfter(view: View, name: string, draft: IPAddressPool | null): View {
  const others = view.facts.pools.filter((pool) => pool.metadata.name !== name);
  const pools = draft === null ? others : [...others, draft];
  return makeView({ ...view.facts, pools }, derivations(view.configuration));
}

type Effect = PoolPreview["services"][number];

function effectOn(service: View["facts"]["services"][number], pool: string, before: View, after: View): Effect[] {
  const was = before.plan(service);
  const becomes = after.plan(service);
  if (was.kind === "release" || was.kind === "ignore") return [];
  const addresses = [...addressesOf(service)];
  const key = keyOf(service);
  if (addresses.length > 0) {
    if (was.kind !== "keep" || was.pool !== pool) return [];
    const held = addresses.join(", ");
    if (becomes.kind === "keep")
      return [{ service: key, addresses, effect: "keeps", sentence: `${key} keeps ${held}.` }];
    const next =
      becomes.kind === "refuse"
        ? sentence(`${key} loses ${held} and waits: `, becomes.sentence)
        : `${key} loses ${held} and gets another address${becomes.kind === "assign" ? ` from pool ${becomes.pool}` : ""}.`;
    return [{ service: key, addresses, effect: "loses", sentence: next }];
  }
  if (becomes.kind === "assign" && was.kind === "refuse") {
    return [
      {
        service: key,
        addresses,
        effect: "gains",
        sentence: `${key}, which waits, gets an address from pool ${becomes.pool}.`,
      },
    ];
  }
  if (becomes.kind === "refuse") {
    return [{ service: key, addresses, effect: "waits", sentence: sentence(`${key} still waits: `, becomes.sentence) }];
  }
  return [];
}
