"use client";

import { useEffect, useState } from "react";
import type { AdvertisementRow } from "#api/dashboard/advertisements";
import { problemIn, useCreateAdvertisement, usePatchAdvertisement } from "#client/actions";
import { selectedNodes, selectNodes } from "#client/pool-form";
import { fieldMessage, restMessage } from "#client/problem";
import { useRows } from "#client/queries";
import { splitNames } from "#client/range-input";
import { Dialog } from "#components/ui/dialog";
import { FormProblem, TextField } from "#components/ui/field";

/** Makes or edits an L2Advertisement: which pools, which nodes, which interfaces. */
export function AdvertisementDialog({
  row,
  pool,
  onClose,
}: {
  /** Null: a new one. */
  readonly row: AdvertisementRow | null;
  /** The pool it starts with. */
  readonly pool: string;
  readonly onClose: () => void;
}) {
  const allPools = useRows("pools").data ?? [];
  const allNodes = useRows("nodes").data ?? [];
  const create = useCreateAdvertisement();
  const patch = usePatchAdvertisement();
  const now = useRows("advertisements").data?.find((entry) => entry.name === row?.name);
  // As it was when the form was filled from it: what guards against overwriting somebody else's edit.
  const [base, setBase] = useState(row);
  const [name, setName] = useState("");
  const [own, setOwn] = useState<Partial<Form>>({});
  const before = base === null ? [] : selectedNodes(base.nodeSelectors);
  const { pools, nodes, interfaces } = { ...formOf(base, pool), ...own };
  const problem = problemIn(row === null ? create : patch);
  const conflict = row !== null && problem?.status === 409;
  const pending = create.isPending || patch.isPending;
  useEffect(() => {
    if (conflict && now !== undefined) setBase(now);
  }, [conflict, now]);

  const save = async () => {
    const changed = base === null ? { ...formOf(null, pool), ...own } : own;
    const fields = {
      ...(changed.pools === undefined ? {} : { ipAddressPools: [...changed.pools] }),
      ...(changed.interfaces === undefined ? {} : { interfaces: [...splitNames(changed.interfaces)] }),
      ...(changed.nodes === undefined ? {} : { nodeSelectors: selectNodes(changed.nodes) }),
    };
    try {
      if (base === null) await create.mutateAsync({ name: name.trim(), ...fields });
      else await patch.mutateAsync({ name: base.name, patch: { resourceVersion: base.resourceVersion, ...fields } });
      onClose();
    } catch {
      // The refusal stands beside its input.
    }
  };

  return (
    <Dialog title={row === null ? "New advertisement" : `Edit advertisement ${row.name}`} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="dialog-body">
          {row !== null ? null : (
            <TextField label="Name" error={fieldMessage(problem, "name")} value={name} onChange={setName} />
          )}
          <Choices
            label="Pools"
            none="None chosen: it covers every pool"
            options={allPools.map((entry) => entry.name).sort()}
            chosen={pools}
            onChange={(chosen) => setOwn({ ...own, pools: chosen })}
            error={fieldMessage(problem, "ipAddressPools")}
          />
          {before === null ? (
            <p className="t2">Its node selector is more than a list of names; change it in YAML.</p>
          ) : (
            <Choices
              label="Nodes"
              none="None chosen: every node may announce"
              options={allNodes.map((entry) => entry.name).sort()}
              chosen={nodes}
              onChange={(chosen) => setOwn({ ...own, nodes: chosen })}
              error={fieldMessage(problem, "nodeSelectors")}
            />
          )}
          <TextField
            label="Interfaces"
            error={fieldMessage(problem, "interfaces")}
            help="Empty: all interfaces of the node"
            mono
            placeholder="eth0, eth1"
            value={interfaces}
            onChange={(text) => setOwn({ ...own, interfaces: text })}
          />
          <FormProblem
            message={
              conflict
                ? `${problem.message} What you changed is kept; the rest now shows it as it is.`
                : restMessage(problem, ["name", "ipAddressPools", "nodeSelectors", "interfaces"])
            }
          />
        </div>
        <div className="dialog-foot">
          <button className="btn" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="btn pri" type="submit" disabled={pending}>
            {pending
              ? "Saving"
              : row === null
                ? "Create advertisement"
                : conflict
                  ? "Save on top of it"
                  : "Save changes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface Form {
  readonly pools: readonly string[];
  readonly nodes: readonly string[];
  readonly interfaces: string;
}

function formOf(row: AdvertisementRow | null, pool: string): Form {
  return {
    pools: row?.ipAddressPools ?? [pool],
    nodes: row === null ? [] : (selectedNodes(row.nodeSelectors) ?? []),
    interfaces: row?.interfaces.join(", ") ?? "",
  };
}

function Choices({
  label,
  none,
  options,
  chosen,
  onChange,
  error,
}: {
  readonly label: string;
  readonly none: string;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
  readonly error: string | null;
}) {
  // A name that no longer exists stays visible, so that it can be taken out.
  const shown = [...options, ...chosen.filter((name) => !options.includes(name))];
  return (
    <fieldset className="nodes-pick">
      <legend>{label}</legend>
      <div className="row">
        {shown.map((name) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, name] : chosen.filter((other) => other !== name))
              }
            />
            <span className="mono">{options.includes(name) ? name : `${name} (missing)`}</span>
          </label>
        ))}
      </div>
      {error !== null ? <FormProblem message={error} /> : chosen.length === 0 ? <p className="t3 xs">{none}</p> : null}
    </fieldset>
  );
}
