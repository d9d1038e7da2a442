"use client";

import { useQuery } from "@tanstack/react-query";
import { age, compareAddresses, plural } from "#client/format";
import { neighboursQuery, useRows, useSession } from "#client/queries";
import { Hull, NodeName } from "#components/ui/hull";
import { useNow } from "#components/ui/now";
import { Table, Td, Th, Tr } from "#components/ui/table";

/** The neighbour table of the sandbox's edge: what a client's ARP cache or neighbour cache holds, seen from outside the cluster. */
export function Neighbours() {
  const sandbox = useSession()?.sandbox === true;
  const query = useQuery({ ...neighboursQuery, enabled: sandbox });
  const nodes = useRows("nodes").data ?? [];
  const now = useNow(1000);
  if (!sandbox || query.data === undefined || query.data === null || query.data.length === 0) return null;
  const owner = (mac: string | null) =>
    nodes.find((node) => node.speaker?.interfaces.some((entry) => entry.mac === mac))?.name ?? null;
  const rows = [...query.data].sort((a, b) => compareAddresses(a.address, b.address));
  return (
    <section className="card" aria-labelledby="edge-title">
      <header>
        <h2 id="edge-title">Neighbours of the edge</h2>
        <span className="t3 xs">a host beside the cluster, as a client sees it</span>
        <span className="more">{plural(rows.length, "entry", "entries")}</span>
      </header>
      <Table
        label="Neighbours of the edge"
        className="tight"
        head={
          <>
            <Th>Address</Th>
            <Th>MAC</Th>
            <Th>Node</Th>
            <Th>State</Th>
            <Th className="num">Changed</Th>
          </>
        }
      >
        {rows.map((row) => {
          const node = owner(row.mac);
          const at = typeof row.updatedAt === "number" ? row.updatedAt : Date.parse(row.updatedAt);
          return (
            <Tr key={row.address}>
              <Td className="lead">
                <Hull address={row.address} />
              </Td>
              <Td className="full mono">{row.mac ?? "none"}</Td>
              <Td className="end">
                {node === null ? <span className="t3">not a node</span> : <NodeName name={node} />}
              </Td>
              <Td className="m-hide t2">{row.state.toLowerCase()}</Td>
              <Td className="m-hide num t3">{Number.isNaN(at) ? "not reported" : `${age(now - at)} ago`}</Td>
            </Tr>
          );
        })}
      </Table>
    </section>
  );
}
