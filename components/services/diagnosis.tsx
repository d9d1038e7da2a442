import type { Diagnosis } from "#api/dashboard/diagnosis";
import type { Refusal } from "#api/dashboard/services";
import { podParts } from "#client/format";
import { NodeName } from "#components/ui/hull";
import { Glyph } from "#components/ui/icon";
import { Status } from "#components/ui/status";

/** Why each pool did not serve the Service. */
export function Refusals({
  refusals,
  assigned,
}: {
  readonly refusals: readonly Refusal[];
  readonly assigned: boolean;
}) {
  if (assigned || refusals.length === 0) return null;
  return (
    <div className="stackv">
      <h3>Why no address</h3>
      <ul className="reasons">
        {refusals.map((refusal) => (
          <li key={`${refusal.pool}-${refusal.reason}`}>
            <Glyph name="failed" />
            <span>
              {refusal.pool === null ? null : <b>{`Pool ${refusal.pool}: `}</b>}
              {refusal.sentence.replace(`${refusal.pool}: `, "")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Every node: announces it, is next in line, or why not. */
export function NodeReasons({
  diagnosis,
  isLoadBalancer,
}: {
  readonly diagnosis: Diagnosis;
  readonly isLoadBalancer: boolean;
}) {
  if (!isLoadBalancer) return <p className="t2">No node announces it: it is not a load balancer.</p>;
  if (diagnosis.nodes.length > 0 && diagnosis.nodes.every((entry) => entry.reason === "no_address"))
    return <p className="t2">No node announces it: it has no address yet.</p>;
  const next = diagnosis.order.find((node) => !diagnosis.nodes.some((entry) => entry.node === node && entry.announces));
  return (
    <div className="stackv">
      <h3>Nodes</h3>
      <ul className="reasons">
        {diagnosis.nodes.map((entry) => (
          <li key={entry.node}>
            <Glyph name={entry.announces ? "ready" : entry.reason === "not_elected" ? "skip" : "failed"} />
            <span>
              <NodeName name={entry.node} />{" "}
              <span className={entry.announces || entry.reason === "not_elected" ? "t2" : "failed"}>
                {said(entry, entry.node === next)}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {diagnosis.nodes.length === 0 ? <p className="t2">No node reported yet.</p> : null}
    </div>
  );
}

/** The node's name stands in front already, so the sentence goes on from there. */
function said(entry: Diagnosis["nodes"][number], next: boolean): string {
  if (entry.announces) return "announces it";
  if (entry.reason === "not_elected") return next ? "stands by, next in line" : "stands by";
  const clause = entry.sentence.replace(/\.$/, "");
  return clause.startsWith(`${entry.node} `) ? clause.slice(entry.node.length + 1) : clause;
}

/** The pods behind it, by readiness. */
export function Endpoints({
  diagnosis,
  announcing,
}: {
  readonly diagnosis: Diagnosis;
  readonly announcing: readonly string[];
}) {
  if (diagnosis.endpoints.length === 0) return <p className="t2">No pod matches its selector.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section className="scroll" tabIndex={0} aria-label="Endpoints">
      <table className="tight plain">
        <thead>
          <tr>
            <th scope="col">Pod</th>
            <th scope="col">Address</th>
            <th scope="col">Node</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {diagnosis.endpoints.map((endpoint) => (
            <tr key={endpoint.address}>
              <td className="mono" title={endpoint.pod ?? undefined}>
                {endpoint.pod === null ? "not reported" : `…${podParts(endpoint.pod).suffix}`}
              </td>
              <td className="mono">{endpoint.address}</td>
              <td>
                <NodeName name={endpoint.node} />
                {endpoint.node !== null && announcing.includes(endpoint.node) ? (
                  <span className="t3 xs"> announces</span>
                ) : null}
              </td>
              <td>
                {endpoint.terminating ? (
                  <Status tone="pending">Terminating</Status>
                ) : endpoint.ready ? (
                  <Status tone="ready">Ready</Status>
                ) : (
                  <Status tone="warning">Not ready</Status>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
