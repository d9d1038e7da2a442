"use client";

import { useState } from "react";
import type { ComponentRow } from "#api/dashboard/components";
import { problemIn, useComponentAction } from "#client/actions";
import { age, megabytes } from "#client/format";
import { useOperation, useRows, useSession } from "#client/queries";
import { Dialog } from "#components/ui/dialog";
import { FormProblem } from "#components/ui/field";
import { Hops } from "#components/ui/hops";
import { NodeName } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";
import { useNow } from "#components/ui/now";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

type Pod = ComponentRow["pods"][number];

/** Controller and speakers, pod by pod, with what can be done to them. */
export function Components({
  rows,
  onLog,
}: {
  readonly rows: readonly ComponentRow[];
  readonly onLog: (log: { component: string; pod: string }) => void;
}) {
  const namespace = useSession()?.namespace ?? "";
  const sorted = [...rows].sort((a, b) => (a.component < b.component ? -1 : 1));
  return (
    <>
      <header>
        <h2 id="components-title">Components</h2>
        <span className="more">{namespace}</span>
      </header>
      <Table
        label="Components"
        className="tight"
        head={
          <>
            <Th>Component</Th>
            <Th>State</Th>
            <Th>Config</Th>
            <Th className="num">Restarts</Th>
            <Th className="num">Memory</Th>
            <Th className="num t-hide">Heartbeat</Th>
            <Th className="num">Log</Th>
          </>
        }
      >
        {sorted.flatMap((row) =>
          row.pods.length === 0
            ? [<Absent key={row.component} row={row} />]
            : row.pods.map((pod) => (
                <PodRow
                  key={pod.pod}
                  row={row}
                  pod={pod}
                  onLog={() => onLog({ component: row.component, pod: pod.pod })}
                />
              )),
        )}
      </Table>
      <div className="comp-acts">
        {sorted.map((row) => (
          <ComponentActions key={row.component} row={row} />
        ))}
      </div>
    </>
  );
}

function Absent({ row }: { readonly row: ComponentRow }) {
  return (
    <Tr>
      <Td className="lead">
        <span className="name">{row.component}</span>
      </Td>
      <Td className="end">
        {row.installed ? (
          <Status tone="failed">{`0 of ${row.desired} pods`}</Status>
        ) : (
          <Status tone="unknown">Not installed</Status>
        )}
      </Td>
      <Td className="m-hide t3">none</Td>
      <Td className="num m-hide t3">none</Td>
      <Td className="num m-hide t3">none</Td>
      <Td className="num m-hide t-hide t3">none</Td>
      <Td className="num m-hide t3">none</Td>
    </Tr>
  );
}

function PodRow({ row, pod, onLog }: { readonly row: ComponentRow; readonly pod: Pod; readonly onLog: () => void }) {
  const config = pod.configuration;
  return (
    <Tr>
      <Td className="lead">
        <span title={pod.pod}>
          <span className="name">{row.component}</span>{" "}
          {pod.node === null ? <span className="t3">not scheduled</span> : <NodeName name={pod.node} />}
        </span>
      </Td>
      <Td className="end">
        <div className="stl">
          <Status tone={pod.ready ? "ready" : pod.phase === "Failed" ? "failed" : "warning"}>
            {pod.ready ? "Ready" : pod.phase === "Running" ? "Not ready" : pod.phase}
          </Status>
          {pod.message === null || pod.ready ? <Role pod={pod} /> : <span className="cause m-hide">{pod.message}</span>}
        </div>
      </Td>
      <Td className="m-hide">
        {config.result === "Invalid" ? (
          <span className="st failed" title={config.message}>
            <Glyph name="failed" />
            invalid
          </span>
        ) : (
          <span className="t2" title={config.message}>
            {config.result === "Valid" ? "valid" : "not reported"}
          </span>
        )}
      </Td>
      <Td className={`num m-hide ${pod.restarts > 4 ? "warning strong" : ""}`}>{pod.restarts}</Td>
      <Td className={pod.memoryBytes === null ? "num m-hide t3" : "num m-hide"}>{megabytes(pod.memoryBytes)}</Td>
      <Td className="num m-hide t-hide t2">
        <Heartbeat pod={pod} component={row.component} />
      </Td>
      <Td className="end num">
        <button className="icb s" type="button" aria-label={`Log of ${pod.pod}`} title="Log" onClick={onLog}>
          <Icon name="log" />
        </button>
      </Td>
    </Tr>
  );
}

/** Among replicas of which one works. */
function Role({ pod: { leadership } }: { readonly pod: Pod }) {
  if (leadership === null) return null;
  return (
    <span className="cause m-hide" title={`Lease ${leadership.lease}`}>
      {leadership.leads ? "leads" : "stands by"}
    </span>
  );
}

/** Of a speaker the one others hear, of a controller the renewal of its Lease. */
function Heartbeat({ pod, component }: { readonly pod: Pod; readonly component: string }) {
  const nodes = useRows("nodes").data ?? [];
  const now = useNow(1000);
  const isController = component === "controller";
  if (isController && pod.leadership?.leads !== true) return <span className="t3">none</span>;
  const speaker = nodes.find((node) => node.speaker?.pod === pod.pod)?.speaker;
  const at = (isController ? pod.leadership?.renewedAt : speaker?.heartbeatAt) ?? null;
  return at === null ? <span className="t3">not reported</span> : age(now - Date.parse(at));
}

const VERB = { install: "Install", restart: "Restart", uninstall: "Uninstall" } as const;

function ComponentActions({ row }: { readonly row: ComponentRow }) {
  const act = useComponentAction();
  const [started, setStarted] = useState<string | null>(null);
  const [sure, setSure] = useState(false);
  const operation = useOperation(started);
  const busy = act.isPending || operation?.state === "running";
  const blocked = row.actionsBlockedBy;
  const run = async (verb: keyof typeof VERB) => {
    setSure(false);
    try {
      setStarted((await act.mutateAsync({ component: row.component, act: verb })).operation);
    } catch {
      // Shown below the buttons.
    }
  };
  return (
    <div className="comp-act">
      <div className="row">
        <b>{row.component}</b>
        <span className="t3 xs">
          {row.installed
            ? `${row.ready} of ${row.desired} ready${row.image === null ? "" : `, ${row.image}`}`
            : "not installed"}
        </span>
        <span className="push row">
          {row.installed ? (
            <>
              <button
                className="btn s"
                type="button"
                aria-label={`Restart the ${row.component}`}
                disabled={busy || blocked !== null}
                onClick={() => void run("restart")}
              >
                Restart
              </button>
              <button
                className="btn s"
                type="button"
                aria-label={`Uninstall the ${row.component}`}
                disabled={busy || blocked !== null}
                onClick={() => setSure(true)}
              >
                Uninstall
              </button>
            </>
          ) : (
            <button
              className="btn s pri"
              type="button"
              disabled={busy || blocked !== null}
              onClick={() => void run("install")}
            >
              {`Install ${row.component}`}
            </button>
          )}
        </span>
      </div>
      {blocked === null ? null : <p className="t3 xs">{blocked}</p>}
      <FormProblem message={problemIn(act)?.message ?? null} />
      {operation === undefined ? null : <Hops operation={operation} label={`${row.component}, progress`} />}
      {sure ? (
        <Dialog title={`Uninstall the ${row.component}`} onClose={() => setSure(false)}>
          <div className="dialog-body">
            <p>
              {row.component === "controller"
                ? "Services keep their addresses, but no new one is assigned until the controller is back."
                : "No node announces any address any more: clients lose every load balancer address until speakers are back."}
            </p>
          </div>
          <div className="dialog-foot">
            <button className="btn" type="button" onClick={() => setSure(false)}>
              Keep it
            </button>
            <button className="btn stop" type="button" onClick={() => void run("uninstall")}>
              {`Uninstall the ${row.component}`}
            </button>
          </div>
        </Dialog>
      ) : null}
    </div>
  );
}
