"use client";

import { useMemo } from "react";
import type { PoolRow } from "#api/dashboard/pools";
import { count, plural } from "#client/format";
import { useParams } from "#client/location";
import { useRows, useSession } from "#client/queries";
import { PoolDialog } from "#components/pools/pool-dialog";
import { PoolPanel } from "#components/pools/pool-panel";
import { PoolTable } from "#components/pools/pool-table";
import { Empty, Failed, Forbidden, Loading } from "#components/states/states";
import { Icon } from "#components/ui/icon";

/** All pools, and the selected one with its addresses, Services, advertisements and YAML. */
export function PoolsScreen() {
  const params = useParams();
  const query = useRows("pools");
  const session = useSession();
  const rows = useMemo(
    () =>
      [...(query.data ?? [])].sort((a, b) =>
        a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.name < b.name ? -1 : 1,
      ),
    [query.data],
  );
  const asked = params.get("pool");
  const selected = rows.find((row) => row.name === asked) ?? rows[0];
  const creating = params.get("new") === "pool";
  const editing = params.get("edit") === "1" && selected !== undefined;

  return (
    <>
      <div className="head">
        <h1>Pools</h1>
        {query.data === undefined ? null : <span className="sub">{summary(rows)}</span>}
        <div className="acts">
          <button className="btn pri" type="button" onClick={() => params.set({ new: "pool" })}>
            <Icon name="plus" />
            New pool
          </button>
        </div>
      </div>
      <section className="card" aria-label="All pools">
        {query.isError && query.data === undefined ? (
          <Failed what="pools" error={query.error} onRetry={() => query.refetch()} />
        ) : session?.forbidden.includes("list ipaddresspools") === true ? (
          <Forbidden what="pools" denied="list ipaddresspools" />
        ) : query.data === undefined ? (
          <Loading rows={4} label="Loading pools" />
        ) : rows.length === 0 ? (
          <Empty sentence="No pool yet. A pool is a range of addresses that Services may get.">
            <button className="btn pri" type="button" onClick={() => params.set({ new: "pool" })}>
              New pool
            </button>
          </Empty>
        ) : (
          <PoolTable
            rows={rows}
            selected={selected?.name ?? null}
            onSelect={(name) => params.set({ pool: name, tab: null, edit: null }, "push")}
          />
        )}
      </section>
      {asked !== null && query.data !== undefined && !rows.some((row) => row.name === asked) ? (
        <p className="notice" role="status">{`There is no pool ${asked}; it may have been deleted.`}</p>
      ) : null}
      {selected === undefined ? null : <PoolPanel key={selected.name} pool={selected} />}
      {creating ? (
        <PoolDialog
          pools={rows}
          pool={null}
          onClose={() => params.set({ new: null })}
          onSaved={(name) => params.set({ new: null, pool: name })}
        />
      ) : null}
      {editing && selected !== undefined ? (
        <PoolDialog
          pools={rows}
          pool={selected}
          onClose={() => params.set({ edit: null })}
          onSaved={() => params.set({ edit: null })}
        />
      ) : null}
    </>
  );
}

function summary(rows: readonly PoolRow[]): string {
  const sum = (pick: (row: PoolRow) => string | undefined) =>
    rows.reduce((total, row) => total + BigInt(pick(row) ?? "0"), 0n);
  const used4 = sum((row) => row.ipv4?.assigned);
  const all4 = sum((row) => row.ipv4?.total);
  const used6 = sum((row) => row.ipv6?.assigned);
  const six = rows.some((row) => row.ipv6 !== null) ? `, ${count(used6)} IPv6` : "";
  return `${plural(rows.length, "pool")}, ${count(used4)} of ${count(all4)} IPv4 addresses used${six}`;
}
