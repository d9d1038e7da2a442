"use client";

import Link from "next/link";
import { useState } from "react";
import type { PoolRow } from "#api/dashboard/pools";
import { problemIn, usePatchPool } from "#client/actions";
import { useParams } from "#client/location";
import { useRows } from "#client/queries";
import { path } from "#client/request";
import { AdvertisementList } from "#components/advertisements/advertisement-list";
import { PoolAddresses } from "#components/pools/pool-addresses";
import { PoolDelete } from "#components/pools/pool-delete";
import { Empty } from "#components/states/states";
import { FormProblem } from "#components/ui/field";
import { Hull, NodeName, NoHull } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";
import { ServiceChip } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";
import { Tabs } from "#components/ui/tabs";
import { Yaml } from "#components/ui/yaml";

const VIEWS = ["addresses", "services", "advertisements", "yaml"] as const;
type View = (typeof VIEWS)[number];

/** The selected pool. */
export function PoolPanel({ pool }: { readonly pool: PoolRow }) {
  const params = useParams();
  const asked = params.get("tab");
  const view: View = VIEWS.find((candidate) => candidate === asked) ?? "addresses";
  const [deleting, setDeleting] = useState(false);
  const patch = usePatchPool();
  const total = [pool.ipv4, pool.ipv6].flatMap((use) => (use === null ? [] : [use.totalText])).join(" + ");
  return (
    <section className="card" aria-labelledby="pool-title">
      <header className="wrap">
        <h2 id="pool-title">{pool.name}</h2>
        <span className="t3 mono xs">{pool.addresses.join(", ")}</span>
        <span className="more row">
          <button className="btn s" type="button" onClick={() => params.set({ edit: "1", pool: pool.name })}>
            <Icon name="edit" />
            Edit
          </button>
          <button
            className="btn s"
            type="button"
            disabled={patch.isPending}
            onClick={() =>
              patch.mutate({
                name: pool.name,
                patch: { autoAssign: !pool.autoAssign, resourceVersion: pool.resourceVersion },
              })
            }
          >
            {pool.autoAssign ? "Stop automatic use" : "Allow automatic use"}
          </button>
          <button
            className="btn s"
            type="button"
            aria-label={`Delete pool ${pool.name}`}
            onClick={() => setDeleting(true)}
          >
            <Icon name="trash" />
            Delete
          </button>
        </span>
      </header>
      <div className="pool-says">
        <FormProblem message={problemIn(patch)?.message ?? null} />
        {pool.findings.map((finding) => (
          <p
            key={`${finding.field}${finding.message}`}
            className={finding.severity === "error" ? "notice failed" : "notice"}
            role="status"
          >
            <Glyph name={finding.severity === "error" ? "failed" : "warning"} />
            <span>{`${finding.message}. ${finding.fix}`}</span>
          </p>
        ))}
      </div>
      <Tabs
        label={`Pool ${pool.name}`}
        current={view}
        onChange={(next) => params.set({ tab: next === "addresses" ? null : next, pool: pool.name })}
        tabs={[
          { key: "addresses", label: "Addresses", count: total },
          { key: "services", label: "Services", count: pool.services.length },
          { key: "advertisements", label: "Advertisements", count: pool.advertisedBy.length },
          { key: "yaml", label: "YAML" },
        ]}
      />
      {view === "addresses" ? (
        <PoolAddresses pool={pool} />
      ) : view === "services" ? (
        <PoolServices pool={pool} />
      ) : view === "advertisements" ? (
        <AdvertisementList pool={pool} />
      ) : (
        <div className="body">
          <Yaml url={path("api", "pools", pool.name)} version={pool.resourceVersion} label={`pool ${pool.name}`} />
        </div>
      )}
      {deleting ? <PoolDelete pool={pool} onClose={() => setDeleting(false)} /> : null}
    </section>
  );
}

function PoolServices({ pool }: { readonly pool: PoolRow }) {
  const services = useRows("services").data ?? [];
  const held = services.filter((row) => pool.services.includes(row.key) || row.pool === pool.name);
  if (held.length === 0)
    return (
      <Empty sentence={`No Service has an address of ${pool.name} yet.`}>
        <Link className="btn pri" href="/services?expose=pick">
          Expose a Service
        </Link>
      </Empty>
    );
  return (
    <Table
      label={`Services of pool ${pool.name}`}
      className="tight"
      head={
        <>
          <Th>Service</Th>
          <Th>Status</Th>
          <Th>Address</Th>
          <Th>Announced by</Th>
        </>
      }
    >
      {held.map((row) => (
        <Tr key={row.key}>
          <Td className="lead">
            <Link href={`/services?service=${row.key}`}>
              <span className="ns">{row.namespace}/</span>
              <span className="name">{row.name}</span>
            </Link>
          </Td>
          <Td className="end">
            <ServiceChip status={row.status} />
          </Td>
          <Td className="lead">
            <span className="hulls">
              {row.addresses.length === 0 ? (
                <NoHull />
              ) : (
                row.addresses.map((address) => <Hull key={address} address={address} />)
              )}
            </span>
          </Td>
          <Td className="end">
            {row.announcedBy.length === 0 ? (
              <NodeName name={null} />
            ) : (
              row.announcedBy.map((node) => <NodeName key={node} name={node} />)
            )}
          </Td>
        </Tr>
      ))}
    </Table>
  );
}
