"use client";

import { memo, useMemo, useState } from "react";
import type { ServiceRow } from "#api/dashboard/services";
import { count, ports } from "#client/format";
import { freeze, type ServiceTab, type SortKey } from "#client/service-list";
import { Hull, NodeName, NoHull } from "#components/ui/hull";
import { Age } from "#components/ui/now";
import { ServiceChip, Status, serviceStatus } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

const PAGE = 50;

interface Props {
  readonly rows: readonly ServiceRow[];
  readonly tab: ServiceTab;
  readonly sort: SortKey;
  readonly onSort: (key: SortKey) => void;
  readonly selected: string | null;
  readonly onSelect: (key: string) => void;
  readonly onExpose: (key: string) => void;
}

/** The table. Its order stands still while the pointer is over it; the foot says how many rows would move. */
export function ServiceTable({ rows, tab, sort, onSort, selected, onSelect, onExpose }: Props) {
  const [drawn, setDrawn] = useState<readonly string[] | null>(null);
  const [page, setPage] = useState(0);
  const wanted = useMemo(() => rows.map((row) => row.key), [rows]);
  const { keys, waiting } = useMemo(() => freeze(drawn, wanted), [drawn, wanted]);
  const byKey = useMemo(() => new Map(rows.map((row) => [row.key, row])), [rows]);
  const pages = Math.max(1, Math.ceil(keys.length / PAGE));
  const at = Math.min(page, pages - 1);
  const visible = keys.slice(at * PAGE, at * PAGE + PAGE).flatMap((key) => byKey.get(key) ?? []);

  const head = (label: string, key?: SortKey, className?: string) => (
    <Th className={className} aria-sort={key === undefined ? undefined : sort === key ? "ascending" : "none"}>
      {key === undefined ? (
        label
      ) : (
        <button
          className={sort === key ? "sort on" : "sort"}
          type="button"
          onClick={() => {
            setDrawn(null);
            onSort(key);
          }}
        >
          {label}
        </button>
      )}
    </Th>
  );

  return (
    <>
      <Table
        label="Services table"
        className="services"
        region={{ onPointerEnter: () => setDrawn(keys), onPointerLeave: () => setDrawn(null) }}
        head={
          <>
            {head("Service", "name")}
            {head(tab === "exposable" ? "Can be exposed" : "Status", "urgency")}
            {tab === "exposable" ? null : head("Address", "address")}
            {head("Ports")}
            {tab === "exposable" ? head("Type") : head("Pool")}
            {tab === "exposable" ? null : head("Announced by")}
            {head("Pods", undefined, "num")}
            {tab === "exposable" ? null : head("Policy", undefined, "t-hide")}
            {head("Age", "age", "num t-hide")}
            {tab === "exposable" ? head("Action", undefined, "num") : null}
          </>
        }
      >
        {visible.map((row) => (
          <Row
            key={row.key}
            row={row}
            tab={tab}
            selected={row.key === selected}
            onSelect={onSelect}
            onExpose={onExpose}
          />
        ))}
      </Table>
      <div className="tfoot">
        <span>{`${at * PAGE + 1} to ${Math.min(keys.length, at * PAGE + PAGE)} of ${count(keys.length)}`}</span>
        {waiting === 0 ? null : (
          <span className="m-hide">{`Order kept while the pointer is over the table: ${waiting} ${waiting === 1 ? "update waits" : "updates wait"}`}</span>
        )}
        {pages === 1 ? null : (
          <span className="end row">
            <button className="btn s" type="button" disabled={at === 0} onClick={() => setPage(at - 1)}>
              Previous
            </button>
            <button className="btn s" type="button" disabled={at === pages - 1} onClick={() => setPage(at + 1)}>
              {`Next ${Math.min(PAGE, Math.max(0, keys.length - (at + 1) * PAGE))}`}
            </button>
          </span>
        )}
      </div>
    </>
  );
}

/** Drawn anew only when it says something else, not with every change of another Service. */
const Row = memo(function Row({
  row,
  tab,
  selected,
  onSelect,
  onExpose,
}: Pick<Props, "tab" | "onSelect" | "onExpose"> & { readonly row: ServiceRow; readonly selected: boolean }) {
  return (
    <Tr className={selected ? "sel" : undefined} data-key={row.key}>
      <Td className="lead">
        <button
          className="rowlink"
          type="button"
          aria-current={selected ? "true" : undefined}
          onClick={() => onSelect(row.key)}
        >
          <span className="ns">{row.namespace}/</span>
          <span className="name">{row.name}</span>
        </button>
      </Td>
      {tab === "exposable" ? (
        <Td className="full">
          {row.exposeBlockedBy === null ? (
            <Status tone="ready">Yes</Status>
          ) : (
            <span className="cause wrap">{`No: ${row.exposeBlockedBy}`}</span>
          )}
        </Td>
      ) : (
        <>
          <Td className="end">
            <div className="stl">
              <ServiceChip status={row.status} />
              {row.cause === "" || row.status === "ready" || row.cause === serviceStatus(row.status).word ? null : (
                <span className="cause m-hide">{row.cause}</span>
              )}
            </div>
          </Td>
          <Td className="lead">
            <Addresses row={row} />
          </Td>
        </>
      )}
      <Td className="m-hide">
        <span className="mono">{row.ports.length === 0 ? "none" : ports(row.ports)}</span>
      </Td>
      {tab === "exposable" ? (
        <Td className="m-hide t2">{row.headless ? "ClusterIP, headless" : row.type}</Td>
      ) : (
        <>
          <Td className="m-hide t2">{row.pool ?? row.requestedPool ?? "any"}</Td>
          <Td className="end">
            {row.announcedBy.length === 0 ? (
              <NodeName name={null} />
            ) : (
              row.announcedBy.map((node) => <NodeName key={node} name={node} />)
            )}
          </Td>
        </>
      )}
      <Td className={`m-hide num ${row.endpoints.ready === 0 && row.type === "LoadBalancer" ? "failed strong" : ""}`}>
        {`${row.endpoints.ready}/${row.endpoints.total}`}
      </Td>
      {tab === "exposable" ? null : <Td className="m-hide t-hide t2">{row.externalTrafficPolicy ?? "none"}</Td>}
      <Td className="m-hide t-hide num t3">
        <Age since={row.createdAt} />
      </Td>
      {tab === "exposable" ? (
        <Td className="end num">
          <button
            className="btn s"
            type="button"
            aria-disabled={row.exposeBlockedBy !== null}
            title={row.exposeBlockedBy ?? undefined}
            aria-label={
              row.exposeBlockedBy === null
                ? `Expose ${row.key}`
                : `Expose ${row.key}: not possible. ${row.exposeBlockedBy}`
            }
            onClick={() => (row.exposeBlockedBy === null ? onExpose(row.key) : onSelect(row.key))}
          >
            Expose
          </button>
        </Td>
      ) : null}
    </Tr>
  );
});

function Addresses({ row }: { readonly row: ServiceRow }) {
  if (row.addresses.length === 0) return <NoHull />;
  return (
    <span className="hulls">
      {row.addresses.map((address) => (
        <Hull key={address} address={address} {...(row.shared ? { note: "shared" } : {})} />
      ))}
    </span>
  );
}
