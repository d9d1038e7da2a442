"use client";

import { useState } from "react";
import type { NodeRow } from "#api/dashboard/nodes";
import { problemIn, usePower } from "#client/actions";
import { useRows, useSession } from "#client/queries";
import { Empty, Forbidden, Loading } from "#components/states/states";
import { FormProblem } from "#components/ui/field";
import { NodeName } from "#components/ui/hull";
import { Icon } from "#components/ui/icon";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

const WHY: Partial<Record<NodeRow["eligibility"], string>> = {
  announced: "may announce",
  node_not_selected: "no advertisement selects it",
  network_unavailable: "its network is not available",
  excluded_by_label: "left out by its label",
  speaker_not_ready: "its speaker is not ready",
  no_usable_interface: "no usable interface",
  no_matching_advertisement: "no advertisement covers it",
};

/** Nodes: ready, speaker, interfaces with MACs, members it sees, what it announces; in the sandbox a power switch. */
export function NodeTable() {
  const query = useRows("nodes");
  const session = useSession();
  const power = usePower();
  const [sure, setSure] = useState<string | null>(null);
  const rows = [...(query.data ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const sandbox = session?.sandbox === true;
  const toggle = (node: NodeRow) => {
    setSure(null);
    power.mutate({ node: node.name, power: node.poweredOff ? "on" : "off" });
  };
  return (
    <section className="card" aria-labelledby="nodes-title" id="nodes">
      <header>
        <h2 id="nodes-title">Nodes</h2>
        <span className="t3 xs">who may announce, and what they see of each other</span>
        <span className="more">
          {rows.length === 0 ? "" : `${rows.filter((row) => row.ready).length} of ${rows.length} ready`}
        </span>
      </header>
      <FormProblem message={problemIn(power)?.message ?? null} />
      {session?.forbidden.includes("list nodes") === true ? (
        <Forbidden what="nodes" denied="list nodes" />
      ) : query.data === undefined ? (
        <Loading rows={3} label="Loading nodes" />
      ) : rows.length === 0 ? (
        <Empty sentence="The cluster has no node." hull="no node" />
      ) : (
        <Table
          label="Nodes"
          className="tight"
          head={
            <>
              <Th>Node</Th>
              <Th>State</Th>
              <Th>Eligible</Th>
              <Th className="t-hide">Interface and MAC</Th>
              <Th>Sees</Th>
              <Th className="num">Announces</Th>
              <Th className="t-hide">Address</Th>
              {sandbox ? <Th className="num">Drill</Th> : null}
            </>
          }
        >
          {rows.map((node) => {
            const up = node.speaker?.interfaces.filter((entry) => entry.up) ?? [];
            const alive = node.speaker?.members.filter((member) => member.alive).length ?? 0;
            return (
              <Tr key={node.name}>
                <Td className="lead">
                  <NodeName name={node.name} />
                </Td>
                <Td className="end">
                  <Status tone={node.ready ? "ready" : node.poweredOff ? "unknown" : "failed"}>
                    {node.poweredOff
                      ? "Powered off"
                      : node.ready
                        ? node.schedulable
                          ? "Ready"
                          : "Ready, cordoned"
                        : "Not ready"}
                  </Status>
                </Td>
                <Td className="full">
                  <span className={node.eligibility === "announced" ? "t2" : "warning"}>
                    {WHY[node.eligibility] ?? node.eligibility.replaceAll("_", " ")}
                  </span>
                </Td>
                <Td className="m-hide t-hide">
                  {up.length === 0 ? (
                    <span className="t3">not reported</span>
                  ) : (
                    up.map((entry) => (
                      <span key={entry.name} className="mono line">
                        {entry.name} <span className="t2">{entry.mac}</span>
                      </span>
                    ))
                  )}
                </Td>
                <Td className="m-hide t2">
                  {node.speaker === null ? "no speaker" : `${alive} of ${node.speaker.members.length} speakers`}
                </Td>
                <Td className="num m-hide">{new Set(node.announces.map((entry) => entry.address)).size}</Td>
                <Td className="m-hide t-hide mono t2">{node.addresses.join(", ")}</Td>
                {sandbox ? (
                  <Td className="end num">
                    {sure === node.name ? (
                      <span className="row fit">
                        <button className="btn s stop" type="button" onClick={() => toggle(node)}>
                          {`Power off ${node.name}`}
                        </button>
                        <button className="btn s ghost" type="button" onClick={() => setSure(null)}>
                          Keep it
                        </button>
                      </span>
                    ) : (
                      <button
                        className="btn s"
                        type="button"
                        disabled={power.isPending}
                        aria-label={node.poweredOff ? `Power on ${node.name}` : `Power off ${node.name}`}
                        onClick={() => (node.poweredOff ? toggle(node) : setSure(node.name))}
                      >
                        <Icon name="power" />
                        {node.poweredOff ? "Power on" : "Power off"}
                      </button>
                    )}
                  </Td>
                ) : null}
              </Tr>
            );
          })}
        </Table>
      )}
    </section>
  );
}
