"use client";

import type { ProbeRow } from "#api/dashboard/probes";
import { problemIn, useDeleteProbe } from "#client/actions";
import { clock, count } from "#client/format";
import { failures, verdictTone } from "#client/traffic";
import { FormProblem } from "#components/ui/field";
import { Hull } from "#components/ui/hull";
import { Icon } from "#components/ui/icon";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

/** All runs, newest first. */
export function RunList({
  runs,
  selected,
  onSelect,
}: {
  readonly runs: readonly ProbeRow[];
  readonly selected: string | null;
  readonly onSelect: (id: string) => void;
}) {
  const remove = useDeleteProbe();
  return (
    <section className="card" aria-labelledby="runs-title">
      <header>
        <h2 id="runs-title">Runs</h2>
        <span className="more">{count(runs.length)}</span>
      </header>
      <FormProblem message={problemIn(remove)?.message ?? null} />
      <Table
        label="Probe runs"
        className="tight"
        head={
          <>
            <Th>Service</Th>
            <Th>State</Th>
            <Th>Address</Th>
            <Th>Verdict</Th>
            <Th className="num">Sent</Th>
            <Th className="num">Failed</Th>
            <Th className="num t-hide">Started</Th>
            <Th className="num">Actions</Th>
          </>
        }
      >
        {runs.map((run) => (
          <Tr key={run.id} className={run.id === selected ? "sel" : undefined}>
            <Td className="lead">
              <button
                className="rowlink name"
                type="button"
                aria-current={run.id === selected ? "true" : undefined}
                onClick={() => onSelect(run.id)}
              >
                {run.service}
              </button>
            </Td>
            <Td className="end">
              <Status tone={run.state === "running" ? "pending" : run.state === "failed" ? "failed" : "unknown"}>
                {run.state === "running" ? "Running" : run.state === "failed" ? "Failed" : "Stopped"}
              </Status>
            </Td>
            <Td className="lead">
              <Hull address={run.address} />
            </Td>
            <Td className="full">
              <span
                className={verdictTone(run) === "failed" || verdictTone(run) === "warning" ? verdictTone(run) : "t2"}
              >
                {run.verdict.sentence}
              </span>
            </Td>
            <Td className="num m-hide">{count(run.sent)}</Td>
            <Td className={`num m-hide ${failures(run.outcomes).total > 0 ? "failed strong" : ""}`}>
              {count(failures(run.outcomes).total)}
            </Td>
            <Td className="num m-hide t-hide t3">{clock(run.startedAt)}</Td>
            <Td className="end num">
              <button
                className="icb s"
                type="button"
                aria-label={`Delete the run of ${run.service} of ${clock(run.startedAt)}`}
                disabled={run.state === "running" || remove.isPending}
                title={run.state === "running" ? "Stop it first" : "Delete this run"}
                onClick={() => remove.mutate(run.id)}
              >
                <Icon name="trash" />
              </button>
            </Td>
          </Tr>
        ))}
      </Table>
    </section>
  );
}
