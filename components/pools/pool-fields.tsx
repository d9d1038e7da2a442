"use client";

import { size } from "#client/format";
import type { PoolForm } from "#client/pool-form";
import { type ApiProblem, fieldMessage } from "#client/problem";
import { useRows } from "#client/queries";
import type { TypedRange } from "#client/range-input";
import { Field, TextField } from "#components/ui/field";
import { Glyph } from "#components/ui/icon";
import { Segment } from "#components/ui/tabs";

interface Props {
  readonly form: PoolForm;
  readonly change: (part: Partial<PoolForm>) => void;
  readonly problem: ApiProblem | null;
}

/** Name, ranges and who may use them. */
export function PoolFields({
  form,
  change,
  problem,
  ranges,
  editing,
}: Props & { readonly ranges: readonly TypedRange[]; readonly editing: boolean }) {
  const advanced = ["priority", "namespaces"].some((path) => fieldMessage(problem, path) !== null);
  return (
    <>
      {editing ? null : (
        <TextField
          label="Name"
          error={fieldMessage(problem, "name")}
          help="Lower case letters, digits and dashes"
          value={form.name}
          onChange={(text) => change({ name: text })}
        />
      )}
      <Field
        label="Addresses"
        error={fieldMessage(problem, "addresses")}
        help="CIDR or first-last, one a line: 192.168.10.0/24 or 192.168.10.10-192.168.10.50"
      >
        {(props) => (
          <textarea
            {...props}
            className="inp mono"
            rows={Math.min(6, Math.max(2, form.ranges.split("\n").length))}
            spellCheck={false}
            value={form.ranges}
            onChange={(event) => change({ ranges: event.target.value })}
          />
        )}
      </Field>
      <RangesLive ranges={ranges} />
      <label className="check">
        <input
          type="checkbox"
          checked={form.autoAssign}
          onChange={(event) => change({ autoAssign: event.target.checked })}
        />
        <span>
          Give out automatically
          <span className="t3 xs block">Otherwise only to Services that ask for this pool by name</span>
        </span>
      </label>
      <details className="adv" open={advanced || undefined}>
        <summary>Advanced</summary>
        <div className="stackv">
          <div className="two-cols">
            <TextField
              label="Priority"
              error={fieldMessage(problem, "priority")}
              help="Lower comes first; empty comes last"
              inputMode="numeric"
              value={form.priority}
              onChange={(text) => change({ priority: text })}
            />
            <TextField
              label="Namespaces"
              error={fieldMessage(problem, "namespaces")}
              help="Empty: every namespace"
              placeholder="shop, web"
              value={form.namespaces}
              onChange={(text) => change({ namespaces: text })}
            />
          </div>
          <label className="check">
            <input
              type="checkbox"
              checked={form.avoidBuggyIPs}
              onChange={(event) => change({ avoidBuggyIPs: event.target.checked })}
            />
            <span>
              Leave out .0 and .255
              <span className="t3 xs block">Some old equipment refuses them</span>
            </span>
          </label>
        </div>
      </details>
    </>
  );
}

/** Each range with its size, judged while it is typed. */
export function RangesLive({ ranges }: { readonly ranges: readonly TypedRange[] }) {
  if (ranges.length === 0) return null;
  return (
    <ul className="ranges-live" aria-label="Ranges as read">
      {ranges.map((range, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same text may stand twice, and the order is what was typed
        <li key={`${index}-${range.text}`}>
          <Glyph name={range.error === null ? "ready" : "failed"} />
          <span className="mono">{range.text}</span>
          {range.error === null ? (
            <span className="t3">{`${range.size === null ? "" : size(range.size)} ${range.family === 6 ? "IPv6 " : ""}${range.size === 1n ? "address" : "addresses"}`}</span>
          ) : (
            <span className="failed">{range.error}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** How the new pool is announced. */
export function PoolAnnounceFields({ form, change, problem }: Props) {
  const nodes = [...(useRows("nodes").data ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  // Named after the pool when nothing is typed: then what is wrong with the name is said there already.
  const derived = form.advertisement.trim() === "" && fieldMessage(problem, "name") !== null;
  const toggle = (name: string, on: boolean) =>
    change({ nodes: on ? [...form.nodes, name] : form.nodes.filter((node) => node !== name) });
  return (
    <>
      <div className="field">
        <span className="lab" aria-hidden="true">
          How it is announced
        </span>
        <Segment
          label="How it is announced"
          name="announce"
          value={form.announce}
          onChange={(announce) => change({ announce })}
          options={[
            { value: "l2", label: "Layer 2 (ARP)" },
            { value: "none", label: "Not yet" },
          ]}
        />
      </div>
      {form.announce === "none" ? null : (
        <>
          <div className="two-cols">
            <TextField
              label="Advertisement"
              error={derived ? null : fieldMessage(problem, "advertise.name")}
              help="Name of the L2Advertisement"
              placeholder={form.name}
              value={form.advertisement}
              onChange={(text) => change({ advertisement: text })}
            />
            <TextField
              label="Interfaces"
              error={fieldMessage(problem, "advertise.interfaces")}
              help="Empty: all of the node"
              mono
              placeholder="eth0, eth1"
              value={form.interfaces}
              onChange={(text) => change({ interfaces: text })}
            />
          </div>
          {nodes.length < 2 ? null : (
            <fieldset className="nodes-pick">
              <legend>Nodes</legend>
              <div className="row">
                {nodes.map((node) => (
                  <label key={node.name} className="check">
                    <input
                      type="checkbox"
                      checked={form.nodes.includes(node.name)}
                      onChange={(event) => toggle(node.name, event.target.checked)}
                    />
                    <span className="mono">{node.name}</span>
                  </label>
                ))}
                <span className="t3 xs">
                  {form.nodes.length === 0
                    ? "None chosen: every node may announce"
                    : `Only these ${form.nodes.length} may announce`}
                </span>
              </div>
            </fieldset>
          )}
        </>
      )}
    </>
  );
}
