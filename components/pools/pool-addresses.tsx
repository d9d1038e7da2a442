"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { AddressRow } from "#api/dashboard/addresses";
import type { PoolRow } from "#api/dashboard/pools";
import { count, left, size } from "#client/format";
import { addressesQuery, useRows } from "#client/queries";
import { AddressGrid } from "#components/pools/address-grid";
import { HeldBy, HoldAddress } from "#components/pools/address-hold";
import { Failed, Loading } from "#components/states/states";
import { Copy } from "#components/ui/copy";
import { Hull, NodeName } from "#components/ui/hull";

const GRID = 256n;

/** Addresses of the pool: a grid up to a /24, counts and the next free one for what is too large to draw. */
export function PoolAddresses({ pool }: { readonly pool: PoolRow }) {
  const [offset, setOffset] = useState(0);
  const [selected, setSelected] = useState<AddressRow | null>(null);
  const four = pool.ipv4 === null ? 0n : BigInt(pool.ipv4.total);
  const six = pool.ipv6 === null ? 0n : BigInt(pool.ipv6.total);
  const drawable = four > 0n || (six > 0n && six <= GRID);
  const services = useRows("services").dataUpdatedAt;
  const page = useQuery({
    ...addressesQuery(
      pool.name,
      offset,
      `${pool.resourceVersion}/${pool.ipv4?.assigned}/${pool.ipv6?.assigned}/${Math.floor(services / 2000)}`,
    ),
    enabled: drawable,
  });
  const rows = (page.data?.addresses ?? []).filter((row) => four === 0n || !row.address.includes(":"));
  const shown = selected === null ? undefined : (rows.find((row) => row.address === selected.address) ?? selected);
  return (
    <div className="pool-body">
      <div>
        {!drawable ? (
          <TooLarge pool={pool} />
        ) : page.isError && page.data === undefined ? (
          <Failed what="the addresses" error={page.error} onRetry={() => page.refetch()} />
        ) : page.data === undefined ? (
          <Loading rows={6} label="Loading addresses" />
        ) : (
          <>
            <AddressGrid
              label={pool.name}
              addresses={rows}
              nextFree={page.data.nextFree}
              selected={shown?.address ?? null}
              onSelect={setSelected}
            />
            {four <= GRID && page.data.next === null && offset === 0 ? null : (
              <div className="tfoot flush">
                <span>{`${count(offset + 1)} to ${count(offset + rows.length)} of ${size(page.data.total)}`}</span>
                <span className="end row">
                  <button
                    className="btn s"
                    type="button"
                    disabled={offset === 0}
                    onClick={() => setOffset(Math.max(0, offset - 256))}
                  >
                    Previous 256
                  </button>
                  <button
                    className="btn s"
                    type="button"
                    disabled={page.data.next === null}
                    onClick={() => setOffset(page.data.next ?? 0)}
                  >
                    Next 256
                  </button>
                </span>
              </div>
            )}
          </>
        )}
      </div>
      <div className="side">
        <NextFreeBox pool={pool} />
        {shown === undefined ? null : <AddressFacts row={shown} pool={pool} />}
        <section>
          <h3>{`Who may use ${pool.name}`}</h3>
          <p className="xs t2">{whoMay(pool)}</p>
        </section>
      </div>
    </div>
  );
}

function whoMay(pool: PoolRow): string {
  const parts = [
    pool.namespaces.length === 0 && pool.namespaceSelectors.length === 0
      ? "Every namespace"
      : pool.namespaces.length > 0
        ? `Namespaces ${pool.namespaces.join(", ")}`
        : "Namespaces that its selectors match",
  ];
  if (pool.serviceSelectors.length > 0) parts.push("only Services that its selectors match");
  return `${parts.join(", ")}. ${pool.autoAssign ? "Given out automatically" : "Given out only on request"}. Priority ${pool.priority ?? "not set, so last"}.`;
}

function NextFreeBox({ pool }: { readonly pool: PoolRow }) {
  const free = [pool.ipv4?.nextFree, pool.ipv6?.nextFree].filter((address) => typeof address === "string");
  const used = [pool.ipv4, pool.ipv6].flatMap((use, index) =>
    use === null
      ? []
      : [
          `${count(use.assigned)} of ${use.totalText} ${index === 0 ? "IPv4" : "IPv6"} addresses used, ${left(use)} left`,
        ],
  );
  return (
    <section>
      <h3>Next free</h3>
      <div className="next">
        {free.length === 0 ? (
          <span className="hull none">none left</span>
        ) : (
          free.map((address) => <Hull key={address} address={address} big />)
        )}
        {free.length === 0 ? null : (
          <Link className="btn pri" href="/services?expose=pick">
            Expose a Service
          </Link>
        )}
      </div>
      {used.map((line) => (
        <p key={line} className="xs t3 used">
          {line}
        </p>
      ))}
    </section>
  );
}

function AddressFacts({ row, pool }: { readonly row: AddressRow; readonly pool: PoolRow }) {
  const words: Record<AddressRow["state"], string> = {
    free: "Free",
    assigned: "Assigned",
    shared: `Shared by ${row.services.length} Services`,
    requested: "Requested, not assigned yet",
    excluded: "Left out, because it ends in .0 or .255",
    stale: "Stale: assigned, but the pool no longer covers it",
    held: "Held: not given out",
    conflict: "In conflict: a MAC that is no node's answers for it",
  };
  return (
    <section aria-live="polite">
      <h3 className="row">
        {row.address}
        <Copy text={row.address} label={`Copy ${row.address}`} />
      </h3>
      <dl className="kv">
        <dt>State</dt>
        <dd>{words[row.state]}</dd>
        {row.services.length === 0 ? null : (
          <>
            <dt>{row.services.length === 1 ? "Service" : "Services"}</dt>
            <dd>
              {row.services.map((key) => (
                <span key={key} className="line">
                  <Link className="link" href={`/services?service=${key}`}>
                    {key}
                  </Link>
                </span>
              ))}
            </dd>
            <dt>Announced by</dt>
            <dd>
              <NodeName name={row.announcedBy} />
            </dd>
          </>
        )}
      </dl>
      {row.state === "free" ? (
        <p className="act-line">
          <Link
            className="btn s"
            href={`/services?expose=pick&pool=${encodeURIComponent(pool.name)}&address=${encodeURIComponent(row.address)}`}
          >
            Expose a Service here
          </Link>
          <HoldAddress key={row.address} address={row.address} />
        </p>
      ) : null}
      {row.hold === undefined ? null : <HeldBy name={row.hold} />}
    </section>
  );
}

function TooLarge({ pool }: { readonly pool: PoolRow }) {
  const services = useRows("services").data ?? [];
  const used = services
    .filter((row) => row.pool === pool.name)
    .flatMap((row) =>
      row.addresses.filter((address) => address.includes(":")).map((address) => ({ address, key: row.key })),
    );
  return (
    <div className="stackv">
      <p className="t2">{`${pool.ipv6?.totalText ?? "0"} addresses are too many to draw. These are in use; everything else is free.`}</p>
      {used.length === 0 ? (
        <p className="t3">None is in use yet.</p>
      ) : (
        <ul className="used-list">
          {used.map((entry) => (
            <li key={entry.address + entry.key}>
              <Hull address={entry.address} />
              <Link className="link" href={`/services?service=${entry.key}`}>
                {entry.key}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
