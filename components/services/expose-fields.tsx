"use client";

import { useState } from "react";
import type { PoolRow } from "#api/dashboard/pools";
import type { ServiceRow } from "#api/dashboard/services";
import { type ExposeForm, hasSpace, nextFree, portsText, preferredPool } from "#client/expose-form";
import { type ApiProblem, fieldMessage } from "#client/problem";
import { Field, TextField } from "#components/ui/field";
import { Segment } from "#components/ui/tabs";

interface ExposeFormState {
  readonly value: ExposeForm;
  readonly typed: boolean;
  change(part: Partial<ExposeForm>): void;
  setTyped(typed: boolean): void;
}

/** The form's values: the defaults of the Service until somebody changes them. */
export function useExposeForm(
  row: ServiceRow | undefined,
  pools: readonly PoolRow[],
  start: Partial<ExposeForm>,
): ExposeFormState {
  const [own, setOwn] = useState<Partial<ExposeForm>>(start);
  const [typed, setTyped] = useState(start.address !== undefined);
  return {
    value: {
      pool: row === undefined ? "" : preferredPool(pools, row.namespace),
      address: "",
      ports: row === undefined ? "" : portsText(row.ports),
      policy: row?.externalTrafficPolicy ?? "Cluster",
      ...own,
    },
    typed,
    change: (part) => setOwn((before) => ({ ...before, ...part })),
    setTyped,
  };
}

export function ExposeFields({
  form,
  row,
  pools,
  disabled,
  problem,
  portError,
  choices,
  onChoose,
}: {
  readonly form: ExposeFormState;
  readonly row: ServiceRow;
  readonly pools: readonly PoolRow[];
  readonly disabled: boolean;
  readonly problem: ApiProblem | null;
  readonly portError: string | null;
  readonly choices: readonly string[] | null;
  readonly onChoose: (key: string) => void;
}) {
  const { value } = form;
  const chosen = pools.find((pool) => pool.name === value.pool);
  const free = nextFree(chosen);
  const unheard = chosen !== undefined && chosen.advertisedBy.length === 0;
  return (
    <fieldset className="form" disabled={disabled}>
      <legend className="vh">What to expose, and where</legend>
      {choices === null ? null : (
        <Field label="Service" wide>
          {(props) => (
            <select {...props} className="inp" value={row.key} onChange={(event) => onChoose(event.target.value)}>
              {choices.map((key) => (
                <option key={key}>{key}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field
        label="Pool"
        error={fieldMessage(problem, "pool")}
        {...(unheard ? { help: "Nobody announces this pool yet" } : {})}
      >
        {(props) => (
          <select
            {...props}
            className="inp"
            value={value.pool}
            onChange={(event) => form.change({ pool: event.target.value })}
          >
            <option value="">Any that fits</option>
            {pools.map((pool) => (
              <option key={pool.name} value={pool.name} disabled={!hasSpace(pool)}>
                {hasSpace(pool) ? pool.name : `${pool.name}, full`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label="Address"
        error={fieldMessage(problem, "address")}
        {...(free === null || form.typed ? {} : { help: `Next free: ${free}` })}
      >
        {(props) =>
          form.typed ? (
            <input
              {...props}
              className="inp mono"
              // biome-ignore lint/a11y/noAutofocus: it stands where the choice was that asked for it; typing goes on here
              autoFocus
              placeholder={free ?? "127.77.10.20"}
              autoComplete="off"
              spellCheck={false}
              value={value.address}
              onChange={(event) => form.change({ address: event.target.value })}
            />
          ) : (
            <select
              {...props}
              className="inp"
              value="first"
              onChange={(event) => {
                if (event.target.value === "type") form.setTyped(true);
              }}
            >
              <option value="first">First free</option>
              <option value="type">Type an address</option>
            </select>
          )
        }
      </Field>
      <TextField
        label="Port"
        error={portError ?? fieldMessage(problem, "ports")}
        mono
        value={value.ports}
        onChange={(text) => form.change({ ports: text })}
      />
      <div className="field">
        <span className="lab" aria-hidden="true">
          Traffic policy
        </span>
        <Segment
          label="Traffic policy"
          name="policy"
          value={value.policy}
          disabled={disabled}
          onChange={(policy) => form.change({ policy })}
          options={[
            { value: "Cluster", label: "Cluster" },
            { value: "Local", label: "Local" },
          ]}
        />
      </div>
      {value.policy === "Local" ? (
        <p className="help wide">
          Local: only nodes with a ready pod announce it, and pods see the client's own address.
        </p>
      ) : null}
      {row.endpoints.ready === 0 ? (
        <p className="help wide">It has no ready pod yet: the address is announced once there is one.</p>
      ) : null}
    </fieldset>
  );
}
