"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { CheckRow } from "#api/dashboard/preflight";
import { clock } from "#client/format";
import { preflightQuery, useFreshPreflight, useLatestOperation, useRows } from "#client/queries";
import { Components } from "#components/health/components";
import { LogDrawer } from "#components/health/log-drawer";
import { PreflightFinding, PreflightList } from "#components/health/preflight";
import { WireTable } from "#components/health/wire";
import { Neighbours } from "#components/nodes/neighbours";
import { NodeTable } from "#components/nodes/node-table";
import { Failed, Loading, Stale } from "#components/states/states";

/** Whether the pieces are there and right: preflight, components, nodes, and what the wire says. */
export function HealthScreen() {
  const checks = useQuery(preflightQuery);
  const components = useRows("components");
  const fix = useLatestOperation("fix");
  const [log, setLog] = useState<{ readonly component: string; readonly pod: string } | null>(null);
  useFreshPreflight();
  const rows = checks.data ?? [];
  const findings = rows.filter((row) => row.state === "failed" && (row.fix !== null || row.wire.length > 0));
  const wire = rows.flatMap((row) => row.wire);

  return (
    <>
      <div className="head">
        <h1>Health</h1>
        {checks.data === undefined ? null : <span className="sub">{summary(rows)}</span>}
        <div className="acts">
          <button className="btn" type="button" disabled={checks.isFetching} onClick={() => void checks.refetch()}>
            {checks.isFetching ? "Checks are running" : "Run checks again"}
          </button>
        </div>
      </div>
      {checks.isRefetchError ? <Stale at={checks.dataUpdatedAt} what="Preflight" /> : null}
      {findings.map((check) => (
        <PreflightFinding key={check.id} check={check} operation={fix} />
      ))}
      <div className="cols w-health">
        <section className="card" aria-labelledby="preflight-title">
          <header>
            <h2 id="preflight-title">Preflight</h2>
            <span className="more">{counts(rows)}</span>
          </header>
          {checks.isError && checks.data === undefined ? (
            <Failed what="the preflight checks" error={checks.error} onRetry={() => checks.refetch()} />
          ) : checks.data === undefined ? (
            <Loading rows={8} label="Running the preflight checks" />
          ) : (
            <PreflightList checks={rows} />
          )}
        </section>
        <section className="card" aria-labelledby="components-title">
          {components.data === undefined ? (
            components.isError ? (
              <Failed what="components" error={components.error} onRetry={() => components.refetch()} />
            ) : (
              <Loading rows={5} label="Loading components" />
            )
          ) : (
            <Components rows={components.data} onLog={setLog} />
          )}
          {wire.length === 0 ? null : <WireTable wire={wire} />}
        </section>
      </div>
      <NodeTable />
      <Neighbours />
      {log === null ? null : <LogDrawer component={log.component} pod={log.pod} onClose={() => setLog(null)} />}
    </>
  );
}

function summary(rows: readonly CheckRow[]): string {
  const failed = rows.filter((row) => row.state === "failed").length;
  const newest = rows
    .map((row) => row.ranAt)
    .sort()
    .at(-1);
  return `Preflight ran ${newest === undefined ? "not yet" : clock(newest)}: ${failed === 0 ? "none" : failed} of ${rows.length} failed`;
}

function counts(rows: readonly CheckRow[]): string {
  const n = (state: CheckRow["state"]) => rows.filter((row) => row.state === state).length;
  return (
    [
      [n("passed"), "passed"],
      [n("failed"), "failed"],
      [n("warning"), n("warning") === 1 ? "warning" : "warnings"],
      [n("unknown"), "unknown"],
      [n("not_applicable"), "not applicable"],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(", ");
}
