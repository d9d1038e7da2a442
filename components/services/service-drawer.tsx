"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { ServiceRow } from "#api/dashboard/services";
import { problemIn, useUnexpose } from "#client/actions";
import { poolHref } from "#client/find";
import { ports } from "#client/format";
import { diagnosisQuery, useOperation } from "#client/queries";
import { servicePath } from "#client/request";
import { Endpoints, NodeReasons, Refusals } from "#components/services/diagnosis";
import { Failed, Loading } from "#components/states/states";
import { Copy } from "#components/ui/copy";
import { Drawer } from "#components/ui/dialog";
import { FormProblem } from "#components/ui/field";
import { Hops } from "#components/ui/hops";
import { Hull, NodeName, NoHull } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";
import { Age } from "#components/ui/now";
import { ServiceChip, serviceStatus } from "#components/ui/status";
import { Tabs } from "#components/ui/tabs";
import { Yaml } from "#components/ui/yaml";

type View = "why" | "endpoints" | "yaml";

/** One Service: what is, why, and what to do about it. */
export function ServiceDrawer({
  row,
  onClose,
  onExpose,
}: {
  readonly row: ServiceRow;
  readonly onClose: () => void;
  readonly onExpose: () => void;
}) {
  const [view, setView] = useState<View>("why");
  const diagnosis = useQuery(diagnosisQuery(row.key, row.resourceVersion));
  const { tone } = serviceStatus(row.status);
  return (
    <Drawer
      label={`Service ${row.key}`}
      onClose={onClose}
      title={
        <>
          <h2>
            <span className="t2 light">{row.namespace}/</span>
            {row.name}
          </h2>
          <ServiceChip status={row.status} />
        </>
      }
    >
      <div className="part">
        <p className={tone === "ready" ? "t2" : "says"}>
          {tone === "ready" ? null : <Glyph name={tone} />}
          <span>{row.sentence}</span>
        </p>
        <Actions row={row} onExpose={onExpose} />
      </div>
      <div className="part">
        <Facts row={row} />
      </div>
      <Tabs
        label={`Service ${row.key}`}
        current={view}
        onChange={setView}
        tabs={[
          { key: "why", label: "Who announces it" },
          { key: "endpoints", label: "Endpoints", count: `${row.endpoints.ready}/${row.endpoints.total}` },
          { key: "yaml", label: "YAML" },
        ]}
      />
      <div className="part last">
        {view === "yaml" ? (
          <Yaml url={servicePath(row.key)} version={row.resourceVersion} label={row.key} />
        ) : diagnosis.data === undefined ? (
          diagnosis.isError ? (
            <Failed what="the diagnosis" error={diagnosis.error} onRetry={() => diagnosis.refetch()} />
          ) : (
            <Loading rows={4} label="Loading the diagnosis" />
          )
        ) : view === "endpoints" ? (
          <Endpoints diagnosis={diagnosis.data} announcing={row.announcedBy} />
        ) : (
          <>
            <Refusals
              refusals={row.refusals.length > 0 ? row.refusals : diagnosis.data.refusals}
              assigned={row.addresses.length > 0}
            />
            <NodeReasons diagnosis={diagnosis.data} isLoadBalancer={row.type === "LoadBalancer"} />
          </>
        )}
      </div>
    </Drawer>
  );
}

function Actions({ row, onExpose }: { readonly row: ServiceRow; readonly onExpose: () => void }) {
  const unexpose = useUnexpose();
  const [started, setStarted] = useState<string | null>(null);
  const operation = useOperation(started);
  const [sure, setSure] = useState(false);
  const isBalancer = row.type === "LoadBalancer";
  const url = openAt(row);
  const end = async () => {
    setSure(false);
    try {
      setStarted((await unexpose.mutateAsync(row.key)).operation);
    } catch {
      // Shown below the buttons.
    }
  };
  return (
    <>
      <div className="row">
        {isBalancer ? (
          <>
            {row.addresses.length === 0 ? null : (
              <Link className="btn s pri" href={`/traffic?service=${row.key}`}>
                <Icon name="traffic" />
                Probe
              </Link>
            )}
            {url === null ? null : (
              <a className="btn s" href={url} target="_blank" rel="noreferrer">
                <Icon name="open" />
                Open
              </a>
            )}
            {row.status === "pending" ? (
              <button className="btn s" type="button" onClick={onExpose}>
                Choose a pool
              </button>
            ) : null}
            {row.status === "not_ours" ? null : sure ? (
              <>
                <button className="btn s stop" type="button" onClick={() => void end()}>
                  {`Release ${row.addresses.length === 0 ? "the request" : row.addresses.join(", ")}`}
                </button>
                <button className="btn s ghost" type="button" onClick={() => setSure(false)}>
                  Keep it
                </button>
              </>
            ) : (
              <button className="btn s" type="button" disabled={unexpose.isPending} onClick={() => setSure(true)}>
                Un-expose
              </button>
            )}
          </>
        ) : row.exposeBlockedBy === null ? (
          <button className="btn s pri" type="button" onClick={onExpose}>
            Expose
          </button>
        ) : (
          <p className="t2 xs">{`Cannot be exposed: ${row.exposeBlockedBy}`}</p>
        )}
      </div>
      <FormProblem message={problemIn(unexpose)?.message ?? null} />
      {operation === undefined ? null : <Hops operation={operation} label="Un-expose" />}
    </>
  );
}

/** Where a browser on this machine reaches it. */
function openAt(row: ServiceRow): string | null {
  const port = row.ports.find((candidate) => candidate.protocol === "TCP");
  const mapped = row.reachableAt.find((at) => /^[\d.[\]:a-f]+:\d+$/i.test(at));
  if (mapped !== undefined) return `http://${mapped}/`;
  const address = row.addresses[0];
  if (address === undefined || port === undefined) return null;
  const host = address.includes(":") ? `[${address}]` : address;
  const scheme = port.port === 443 ? "https" : "http";
  return `${scheme}://${host}${port.port === 80 || port.port === 443 ? "" : `:${port.port}`}/`;
}

function Facts({ row }: { readonly row: ServiceRow }) {
  const url = openAt(row);
  return (
    <dl className="kv">
      <dt>Address</dt>
      <dd>
        {row.addresses.length === 0 ? (
          <NoHull />
        ) : (
          row.addresses.map((address) => (
            <span key={address} className="row">
              <Hull address={address} {...(row.shared ? { note: "shared" } : {})} />
              <Copy text={address} label={`Copy ${address}`} />
            </span>
          ))
        )}
      </dd>
      {row.reachableAt.length === 0 ? null : (
        <>
          <dt>On this machine</dt>
          <dd className="mono">{row.reachableAt.join(", ")}</dd>
        </>
      )}
      {row.requestedAddresses.length === 0 ? null : (
        <>
          <dt>Asked for</dt>
          <dd className="mono">{row.requestedAddresses.join(", ")}</dd>
        </>
      )}
      {row.type === "LoadBalancer" ? (
        <>
          <dt>Pool</dt>
          <dd>
            {row.pool === null ? (
              (row.requestedPool ?? "any that fits")
            ) : (
              <Link className="link" href={poolHref(row.pool)}>
                {row.pool}
              </Link>
            )}
          </dd>
          <dt>Announced by</dt>
          <dd>
            {row.announcedBy.length === 0 ? (
              <NodeName name={null} />
            ) : (
              row.announcedBy.map((node) => <NodeName key={node} name={node} />)
            )}
          </dd>
        </>
      ) : null}
      <dt>Type</dt>
      <dd>{`${row.type}${row.headless ? ", headless" : ""}${row.externalTrafficPolicy === null ? "" : `, policy ${row.externalTrafficPolicy}`}${row.sessionAffinity === "ClientIP" ? ", session affinity ClientIP" : ""}`}</dd>
      <dt>Ports</dt>
      <dd className="mono">{row.ports.length === 0 ? "none" : ports(row.ports)}</dd>
      <dt>ClusterIP</dt>
      <dd className="mono">{row.clusterIPs.length === 0 ? "none" : row.clusterIPs.join(", ")}</dd>
      <dt>Age</dt>
      <dd>
        <Age since={row.createdAt} />
      </dd>
      {url === null ? null : (
        <>
          <dt>Terminal</dt>
          <dd className="row">
            <code>{`curl ${url}`}</code>
            <Copy text={`curl ${url}`} label="Copy the curl command" />
          </dd>
        </>
      )}
    </dl>
  );
}
