"use client";

import Link from "next/link";
import type { PoolRow } from "#api/dashboard/pools";
import { poolHref } from "#client/find";
import { left } from "#client/format";
import { NextFree, Use } from "#components/pools/pool-table";
import { Empty } from "#components/states/states";
import { Table, Td, Th, Tr } from "#components/ui/table";

const SHOWN = 5;

/** How near to full: 0 is empty, 1 is full. */
function pressure(pool: PoolRow): number {
  return Math.max(
    0,
    ...[pool.ipv4, pool.ipv6].flatMap((use) =>
      use === null || use.total === "0" ? [] : [Number(use.assigned) / Number(use.total)],
    ),
  );
}

/** The pools nearest to full. */
export function PoolsCard({ pools }: { readonly pools: readonly PoolRow[] }) {
  const rows = [...pools].sort((a, b) => pressure(b) - pressure(a) || (a.name < b.name ? -1 : 1)).slice(0, SHOWN);
  return (
    <>
      <header>
        <h2 id="pools-title">Pools</h2>
        <Link className="more" href="/pools">
          All pools
        </Link>
      </header>
      {rows.length === 0 ? (
        <Empty sentence="No pool yet: no Service can get an address.">
          <Link className="btn s pri" href="/pools?new=pool">
            New pool
          </Link>
        </Empty>
      ) : (
        <Table
          label="Pools by pressure"
          head={
            <>
              <Th>Pool</Th>
              <Th>Used</Th>
              <Th className="num t-hide">Left</Th>
              <Th>Next free</Th>
            </>
          }
        >
          {rows.map((row) => {
            const uses = [row.ipv4, row.ipv6].filter((use) => use !== null);
            return (
              <Tr key={row.name}>
                <Td className="lead">
                  <Link className="name" href={poolHref(row.name)}>
                    {row.name}
                  </Link>
                </Td>
                <Td className="end">
                  <span className="uses">
                    {uses.map((use) => (
                      <Use
                        key={use === row.ipv4 ? 4 : 6}
                        use={use}
                        name={row.name}
                        dual={uses.length > 1}
                        six={use === row.ipv6}
                      />
                    ))}
                  </span>
                </Td>
                <Td className={`num m-hide t-hide ${uses.some((use) => use.available === "0") ? "failed strong" : ""}`}>
                  {uses.map(left).join(", ")}
                </Td>
                <Td className="full">
                  <NextFree row={row} />
                </Td>
              </Tr>
            );
          })}
        </Table>
      )}
    </>
  );
}
