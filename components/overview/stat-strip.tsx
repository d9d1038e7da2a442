"use client";

import type { FamilyUse, PoolRow } from "#api/dashboard/pools";
import { age, count, plural, size } from "#client/format";
import { announcedCount, lastMove } from "#client/moves";
import { useRows } from "#client/queries";
import { Hull, NodeName } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";
import { Meter } from "#components/ui/meter";
import { useNow } from "#components/ui/now";

/** The five figures of the cluster. */
export function StatStrip() {
  const services = (useRows("services").data ?? []).filter(
    (row) => row.type === "LoadBalancer" && row.status !== "not_ours",
  );
  const pools = useRows("pools").data ?? [];
  const nodes = useRows("nodes").data ?? [];
  const speakers = useRows("components").data?.find((row) => row.component === "speaker");
  const ready = services.filter((row) => row.status === "ready").length;
  const moving = services.filter((row) => row.status === "in_progress").length;
  const need = services.length - ready - moving;
  const four = total(pools, "ipv4");
  const six = total(pools, "ipv6");
  const announced = announcedCount(nodes);
  return (
    <section className="strip" aria-label="Summary">
      <div>
        <span className="k">LoadBalancer Services</span>
        <span className="v">{count(services.length)}</span>
        <span className="d">
          <Part tone="ready" n={ready} word="ready" />
          {moving === 0 ? null : <Part tone="pending" n={moving} word="in progress" />}
          {need === 0 ? null : <Part tone="failed" n={need} word={need === 1 ? "needs you" : "need you"} />}
        </span>
      </div>
      <div>
        <span className="k">IPv4 addresses used</span>
        {four === null ? (
          <>
            <span className="v">0</span>
            <span className="d">no IPv4 pool</span>
          </>
        ) : (
          <>
            <span className="v">
              {count(four.assigned)} <small>{`of ${size(four.total)}`}</small>
            </span>
            <Meter label="IPv4 addresses used" use={four} />
          </>
        )}
      </div>
      <div>
        <span className="k">IPv6 addresses used</span>
        <span className="v">{six === null ? "0" : count(six.assigned)}</span>
        <span className="d">
          {six === null ? "no IPv6 pool" : six.nextFree === null ? "none left" : `next ${six.nextFree}`}
        </span>
      </div>
      <div>
        <span className="k">Speakers ready</span>
        <span className="v">
          {speakers?.ready ?? 0} <small>{`of ${speakers?.desired ?? 0}`}</small>
        </span>
        <span className="d">
          {speakers?.installed === false
            ? "not installed"
            : `${announced.four} IPv4${announced.six === 0 ? "" : `, ${announced.six} IPv6`} announced`}
        </span>
      </div>
      <LastMove />
    </section>
  );
}

function Part({
  tone,
  n,
  word,
}: {
  readonly tone: "ready" | "pending" | "failed";
  readonly n: number;
  readonly word: string;
}) {
  return (
    <span className={`st ${tone}`}>
      <Glyph name={tone} />
      {`${count(n)} ${word}`}
    </span>
  );
}

function LastMove() {
  const activity = useRows("activity").data ?? [];
  const services = useRows("services").data ?? [];
  const now = useNow(1000);
  const move = lastMove(activity);
  const address = services.find((row) => row.key === move?.service)?.addresses[0];
  return (
    <div>
      <span className="k">Last move</span>
      {move === undefined ? (
        <>
          <span className="v last">
            <small>no address has moved</small>
          </span>
          <span className="d">{`${plural(services.filter((row) => row.announcedBy.length > 0).length, "Service")} announced`}</span>
        </>
      ) : (
        <>
          <span className="v last">
            {address === undefined ? <span>{move.service}</span> : <Hull address={address} />}
            <small>{`${age(now - Date.parse(move.at))} ago`}</small>
          </span>
          <span className="d">
            <NodeName name={move.from} /> <Icon name="arrow" />
            <span className="vh">to</span> <NodeName name={move.to} />
          </span>
        </>
      )}
    </div>
  );
}

/** All pools of one family as one; null when there is none. Counts stay exact: they are added as big integers. */
function total(pools: readonly PoolRow[], family: "ipv4" | "ipv6"): FamilyUse | null {
  const uses = pools.flatMap((pool) => pool[family] ?? []);
  if (uses.length === 0) return null;
  const sum = (pick: (use: FamilyUse) => string) => uses.reduce((all, use) => all + BigInt(pick(use)), 0n);
  const all = sum((use) => use.total);
  const left = sum((use) => use.available);
  return {
    assigned: sum((use) => use.assigned).toString(),
    available: left.toString(),
    total: all.toString(),
    totalText: size(all),
    nextFree: uses.find((use) => use.nextFree !== null)?.nextFree ?? null,
    pressure: left === 0n ? "failed" : "ready",
  };
}
