"use client";

import type { FamilyUse, PoolRow } from "#api/dashboard/pools";
import { count, left } from "#client/format";
import { Hull, NoHull } from "#components/ui/hull";
import { Glyph } from "#components/ui/icon";
import { Meter } from "#components/ui/meter";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

export function PoolTable({
  rows,
  selected,
  onSelect,
}: {
  readonly rows: readonly PoolRow[];
  readonly selected: string | null;
  readonly onSelect: (name: string) => void;
}) {
  return (
    <Table
      label="Pools table"
      className="tight"
      head={
        <>
          <Th>Pool</Th>
          <Th>Addresses</Th>
          <Th>Used</Th>
          <Th className="num">Left</Th>
          <Th>Next free</Th>
          <Th className="t-hide">Automatic</Th>
          <Th>Announced by</Th>
          <Th className="num">Services</Th>
        </>
      }
    >
      {rows.map((row) => {
        const uses = [row.ipv4, row.ipv6].filter((use) => use !== null);
        return (
          <Tr key={row.name} className={row.name === selected ? "sel" : undefined}>
            <Td className="lead">
              <button
                className="rowlink name"
                type="button"
                aria-current={row.name === selected ? "true" : undefined}
                onClick={() => onSelect(row.name)}
              >
                {row.name}
              </button>
              {row.valid ? null : (
                <span className="st failed inline">
                  <Glyph name="failed" />
                  Not valid
                </span>
              )}
            </Td>
            <Td className="full">
              <span className="mono clip" title={row.addresses.join(", ")}>
                {row.addresses.join(", ")}
              </span>
            </Td>
            <Td className="full">
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
            <Td className={`num m-hide ${uses.some((use) => use.pressure === "failed") ? "failed strong" : ""}`}>
              {uses.map(left).join(", ")}
            </Td>
            <Td className="lead">
              <NextFree row={row} />
            </Td>
            <Td className="m-hide t-hide t2">{row.autoAssign ? "yes" : "only on request"}</Td>
            <Td className="end">
              {row.advertisedBy.length === 0 ? (
                <Status tone="failed">Nobody</Status>
              ) : (
                <span className="mono">{row.advertisedBy.join(", ")}</span>
              )}
            </Td>
            <Td className="num m-hide">{count(row.services.length)}</Td>
          </Tr>
        );
      })}
    </Table>
  );
}

/** One family's use: a bar of a whole where there is one, else the count; never one figure for both families. */
export function Use({
  use,
  name,
  dual = false,
  six = false,
}: {
  readonly use: FamilyUse;
  readonly name: string;
  readonly dual?: boolean;
  readonly six?: boolean;
}) {
  const family = dual ? (six ? " IPv6" : " IPv4") : "";
  if (use.total.length > 7) return <span className="t2">{`${count(use.assigned)} used${family}`}</span>;
  return (
    <span className="use">
      <Meter label={`${name}${family} used`} use={use} />
      <span className="t2">{`${count(use.assigned)} of ${use.totalText}${family}`}</span>
    </span>
  );
}

export function NextFree({ row }: { readonly row: PoolRow }) {
  const uses = [row.ipv4, row.ipv6].filter((use) => use !== null);
  if (uses.length === 0) return <NoHull>no address</NoHull>;
  if (uses.every((use) => use.available === "0")) return <Status tone="failed">Full</Status>;
  return (
    <span className="hulls">
      {uses.map((use) => (use.nextFree === null ? null : <Hull key={use.nextFree} address={use.nextFree} />))}
    </span>
  );
}
