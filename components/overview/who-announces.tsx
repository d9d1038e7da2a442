"use client";

import Link from "next/link";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ActivityRow } from "#api/dashboard/activity";
import type { NodeRow } from "#api/dashboard/nodes";
import type { ServiceRow } from "#api/dashboard/services";
import { serviceHref } from "#client/find";
import { compareAddresses, count, plural, sharedPrefix } from "#client/format";
import { moves } from "#client/moves";
import { useRows } from "#client/queries";

/** Nodes that announce nothing are shown while there are few; of a node that announces many, the first addresses. */
const NODES_MAX = 24;
const CHIPS_MAX = 60;
const FRESH_MS = 120_000;
const MOVE_MS = 320;

/** Nodes as quays with the addresses each announces; a chip travels when its address moves. */
export function WhoAnnounces({
  nodes,
  services,
}: {
  readonly nodes: readonly NodeRow[];
  readonly services: readonly ServiceRow[];
}) {
  const sorted = [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  const busy = sorted.filter((node) => node.announces.length > 0);
  const shown = sorted.length <= NODES_MAX ? sorted : busy;
  const all = sorted.flatMap((node) => node.announces.map((entry) => entry.address));
  const prefix = all.length > 6 ? sharedPrefix(all) : "";
  const bad = new Set(
    services
      .filter((row) => row.status === "not_reachable" || row.status === "conflict")
      .flatMap((row) => row.addresses),
  );
  const ref = useFlip();
  const activity = useRows("activity").data;
  const [now, setNow] = useState(0);
  useEffect(() => {
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(tick, 5000);
    return () => clearInterval(timer);
  }, []);
  const fresh = useMemo(() => movedSince(activity ?? [], now - FRESH_MS), [activity, now]);
  return (
    <section className="card" aria-labelledby="quay-title">
      <header>
        <h2 id="quay-title">Who announces what</h2>
        <span className="t3 xs">
          {`${plural(new Set(all).size, "address", "addresses")}${prefix === "" ? "" : `, ${prefix.replace(/\.$/, "")} left out of each`}`}
        </span>
        <Link className="more" href="/health#nodes">
          Nodes
        </Link>
      </header>
      <div className="quays" ref={ref}>
        {shown.map((node) => (
          <div key={node.name} className={node.ready && node.speaker !== null ? "quayn" : "quayn off"}>
            <p className="top">
              <b>{node.name}</b>
              <span>{where(node)}</span>
              <span className="n">{new Set(node.announces.map((entry) => entry.address)).size}</span>
            </p>
            <div className="fleet">
              {unique(node)
                .slice(0, CHIPS_MAX)
                .map((entry) => {
                  const moved = fresh.has(entry.service);
                  return (
                    <Link
                      key={entry.address}
                      data-address={entry.address}
                      className={bad.has(entry.address) ? "wr" : moved ? "mv" : entry.pool === null ? "st2" : undefined}
                      href={serviceHref(entry.service)}
                      title={`${entry.address}, ${entry.service}${entry.pool === null ? ", outside every pool" : `, pool ${entry.pool}`}`}
                    >
                      <span className="vh">{entry.address.startsWith(prefix) ? prefix : ""}</span>
                      {entry.address.startsWith(prefix) ? entry.address.slice(prefix.length) : entry.address}
                    </Link>
                  );
                })}
              {node.announces.length <= CHIPS_MAX ? null : (
                <em className="t3 xs">{`and ${count(node.announces.length - CHIPS_MAX)} more`}</em>
              )}
              {node.announces.length === 0 ? <em className="t3 xs">announces nothing</em> : null}
            </div>
          </div>
        ))}
      </div>
      {shown.length === sorted.length ? null : (
        <p className="body t3">{`${plural(sorted.length - shown.length, "further node announces", "further nodes announce")} nothing.`}</p>
      )}
      {sorted.length === 0 ? <p className="body t3">No node is known yet.</p> : null}
    </section>
  );
}

/** Services whose address went from one node to another since then; a first announcement is no move. */
function movedSince(activity: readonly ActivityRow[], since: number): ReadonlySet<string> {
  const recent = moves(activity).filter((move) => move.from !== null && Date.parse(move.at) > since);
  return new Set(recent.map((move) => move.service));
}

function where(node: NodeRow): string {
  if (node.poweredOff) return "powered off";
  if (!node.ready) return "not ready";
  if (node.speaker === null) return "no speaker";
  const up = node.speaker.interfaces.filter((entry) => entry.up).map((entry) => entry.name);
  return up.length === 0 ? "no interface" : up.join(", ");
}

function unique(node: NodeRow): NodeRow["announces"] {
  const seen = new Map<string, NodeRow["announces"][number]>();
  for (const entry of node.announces) if (!seen.has(entry.address)) seen.set(entry.address, entry);
  return [...seen.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

/** A chip that is now in another column travels there from where it was (320 ms; not with reduced motion). */
function useFlip() {
  const ref = useRef<HTMLDivElement>(null);
  const before = useRef(new Map<string, { left: number; top: number; column: Element | null }>());
  useLayoutEffect(() => {
    const root = ref.current;
    if (root === null) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = root.getBoundingClientRect();
    const next: typeof before.current = new Map();
    for (const chip of root.querySelectorAll<HTMLElement>("[data-address]")) {
      const box = chip.getBoundingClientRect();
      const here = { left: box.left - frame.left, top: box.top - frame.top, column: chip.parentElement };
      const address = chip.dataset.address ?? "";
      const old = before.current.get(address);
      next.set(address, here);
      if (old === undefined || still || old.column === here.column) continue;
      chip.animate(
        [{ transform: `translate(${old.left - here.left}px, ${old.top - here.top}px)` }, { transform: "none" }],
        {
          duration: MOVE_MS,
          easing: "cubic-bezier(0.45, 0, 0.1, 1)",
        },
      );
    }
    before.current = next;
  });
  return ref;
}
