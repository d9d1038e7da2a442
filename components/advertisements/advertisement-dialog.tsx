"use client";

import { useState } from "react";
import type { AdvertisementRow } from "#api/dashboard";
import { problemIn, useCreateAdvertisement, usePatchAdvertisement } from "#client/actions";
import { selectedNodes, selectNodes } from "#client/pool-form";
import { fieldMessage, restMessage } from "#client/problem";
import { useRows } from "#client/queries";
import { splitNames } from "#client/range-input";
import { Dialog } from "#components/ui/dialog";
import { Field, FormProblem } from "#components/ui/field";

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
  const before = row === null ? [] : selectedNodes(row.nodeSelectors);
  const [name, setName] = useState(row?.name ?? "");
  const [pools, setPools] = useState<readonly string[]>(row?.ipAddressPools ?? [pool]);
  const [nodes, setNodes] = useState<readonly string[]>(before ?? []);
  const [interfaces, setInterfaces] = useState(row?.interfaces.join(", ") ?? "");
  const problem = problemIn(row === null ? create : patch);
  const pending = create.isPending || patch.isPending;

  const save = async () => {
    const fields = {
      ipAddressPools: [...pools],
      interfaces: [...splitNames(interfaces)],
      ...(before === null ? {} : { nodeSelectors: selectNodes(nodes) }),
    };
    try {
      if (row === null) await create.mutateAsync({ name: name.trim(), ...fields });
      else await patch.mutateAsync({ name: row.name, patch: { resourceVersion: row.resourceVersion, ...fields } });
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
            <Field label="Name" error={fieldMessage(problem, "name")}>
              {(props) => (
                <input
                  {...props}
                  className="inp"
                  autoComplete="off"
                  spellCheck={false}
                  value={name}
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            </Field>
          )}
          <Choices
            label="Pools"
            none="None chosen: it covers every pool"
            options={allPools.map((entry) => entry.name)}
            chosen={pools}
            onChange={setPools}
            error={fieldMessage(problem, "ipAddressPools")}
          />
          {before === null ? (
            <p className="t2">Its node selector is more than a list of names; change it in YAML.</p>
          ) : (
            <Choices
              label="Nodes"
              none="None chosen: every node may announce"
              options={allNodes.map((entry) => entry.name)}
              chosen={nodes}
              onChange={setNodes}
              error={fieldMessage(problem, "nodeSelectors")}
            />
          )}
          <Field
            label="Interfaces"
            error={fieldMessage(problem, "interfaces")}
            help="Empty: all interfaces of the node"
          >
            {(props) => (
              <input
                {...props}
                className="inp mono"
                spellCheck={false}
                placeholder="eth0, eth1"
                value={interfaces}
                onChange={(event) => setInterfaces(event.target.value)}
              />
            )}
          </Field>
          <FormProblem message={restMessage(problem, ["name", "ipAddressPools", "nodeSelectors", "interfaces"])} />
        </div>
        <div className="dialog-foot">
          <button className="btn" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="btn pri" type="submit" disabled={pending}>
            {pending ? "Saving" : row === null ? "Create advertisement" : "Save changes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
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
