"use client";

import type { CheckRow } from "#api/dashboard/preflight";
import { clock, count, plural } from "#client/format";
import { useRows } from "#client/queries";
import { Hull, NodeName } from "#components/ui/hull";
import { Icon } from "#components/ui/icon";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";

type Entry = CheckRow["wire"][number];

/** Belief beside wire for one address. */
export function Wire({ entry }: { readonly entry: Entry }) {
  return (
    <div className="wire">
      <div>
        <p className="lab">{`What Berth believes about ${entry.address}`}</p>
        {entry.believed === null ? (
          <div className="r">
            <NodeName name={null} />
            <span className="t3">nobody announces it</span>
          </div>
        ) : (
          <div className="r">
            <NodeName name={entry.believed.node} />
            <span className="mono">{entry.believed.mac}</span>
            <Announces />
          </div>
        )}
        <p className="xs t3">{`Service ${entry.service}, from ServiceL2Status.`}</p>
      </div>
      <Icon name={agrees(entry) ? "check" : "neq"} />
      <div>
        <p className="lab">{`Who answers on the wire, asked from ${entry.askedFrom} at ${clock(entry.askedAt)}`}</p>
        {entry.answers.length === 0 ? <p className="t3">Nobody answered.</p> : null}
        {entry.answers.map((answer) => (
          <div className="r" key={answer.mac}>
            {answer.node === null ? <span className="warning">no node</span> : <NodeName name={answer.node} />}
            <span>
              <span className="mono">{answer.mac}</span>{" "}
              {answer.rttMs === null ? null : <span className="t3 m-hide">{`${answer.rttMs.toFixed(1)} ms`}</span>}
            </span>
            {answer.expected ? (
              <span className="st chip ready">{glyph("ready")}expected</span>
            ) : (
              <Status tone="failed">{answer.node === null ? "foreign" : "must be silent"}</Status>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

function glyph(name: "ready") {
  return (
    <svg className={`g ${name}`} aria-hidden="true">
      <use href={`#g-${name}`} />
    </svg>
  );
}

function Announces() {
  return <span className="st chip ready">{glyph("ready")}announces</span>;
}

function agrees(entry: Entry): boolean {
  return entry.answers.length === 1 && entry.answers[0]?.expected === true;
}

/** Every address that was asked about. */
export function WireTable({ wire }: { readonly wire: readonly Entry[] }) {
  const services = useRows("services").data ?? [];
  const asked = wire.length;
  const inUse = new Set(services.flatMap((row) => row.addresses.filter((address) => !address.includes(":")))).size;
  return (
    <>
      <header className="inner">
        <h2>Belief and wire</h2>
        <span className="t3 xs">who has, asked by the speakers</span>
        <span className="more">
          {asked < inUse ? `${asked} of ${count(inUse)} addresses` : plural(asked, "address", "addresses")}
        </span>
      </header>
      <Table
        label="Belief and wire"
        className="tight"
        head={
          <>
            <Th>Address</Th>
            <Th>Berth believes</Th>
            <Th>On the wire</Th>
            <Th>Verdict</Th>
          </>
        }
      >
        {wire.map((entry) => (
          <Tr key={entry.address}>
            <Td className="lead rise">
              <Hull address={entry.address} />
            </Td>
            <Td className="m-hide">
              <NodeName name={entry.believed?.node ?? null} />
            </Td>
            <Td className="full">
              <span className="mono t2">
                {entry.answers.length === 0
                  ? "nobody"
                  : entry.answers.map((answer) => answer.node ?? answer.mac).join(", ")}
              </span>
            </Td>
            <Td className="end rise">{verdict(entry)}</Td>
          </Tr>
        ))}
      </Table>
    </>
  );
}

function verdict(entry: Entry) {
  if (entry.answers.length === 0)
    return entry.believed === null ? (
      <Status tone="ready">Silent</Status>
    ) : (
      <Status tone="failed">Nobody answers</Status>
    );
  if (entry.answers.some((answer) => answer.node === null)) return <Status tone="warning">Foreign MAC</Status>;
  if (entry.answers.length > 1) return <Status tone="failed">{`${entry.answers.length} MACs`}</Status>;
  return agrees(entry) ? <Status tone="ready">Agrees</Status> : <Status tone="failed">Another node</Status>;
}
