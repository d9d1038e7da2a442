"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { problemIn, useHold, useReleaseHold } from "#client/actions";
import { HOLD_TIMES, holdOf } from "#client/hold-form";
import { holdQuery } from "#client/queries";
import { Dialog } from "#components/ui/dialog";
import { Field, FormProblem, TextField } from "#components/ui/field";

/** Keeps a free address, or a range that begins with it, from being given out. */
export function HoldAddress({ address }: { readonly address: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button className="btn s" type="button" onClick={() => setOpen(true)}>
        Hold it
      </button>
      {open ? <HoldDialog address={address} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function HoldDialog({ address, onClose }: { readonly address: string; readonly onClose: () => void }) {
  const hold = useHold();
  const [form, setForm] = useState({ addresses: address, note: "", time: 0 });
  const problem = problemIn(hold);
  const act = async () => {
    try {
      await hold.mutateAsync(holdOf(form, Date.now()));
      onClose();
    } catch {
      // Shown at its field, or above the buttons.
    }
  };
  const wrong = Object.entries(problem?.fields ?? {}).find(([field]) => field.startsWith("addresses"));
  return (
    <Dialog title={`Hold ${address}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act();
        }}
      >
        <div className="dialog-body">
          <p className="t2">
            No Service is given a held address, nor may one ask for it. A Service that has it already keeps it.
          </p>
          <TextField
            label="Address or range"
            error={wrong?.[1] ?? null}
            mono
            value={form.addresses}
            onChange={(text) => setForm({ ...form, addresses: text })}
          />
          <TextField
            label="Why"
            help="Whoever meets the hold reads this: a ticket, a machine, a name."
            spellCheck
            maxLength={200}
            value={form.note}
            onChange={(text) => setForm({ ...form, note: text })}
          />
          <Field label="How long">
            {(props) => (
              <select
                {...props}
                className="inp"
                value={form.time}
                onChange={(event) => setForm({ ...form, time: Number(event.target.value) })}
              >
                {HOLD_TIMES.map(({ label }, index) => (
                  <option key={label} value={index}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <FormProblem message={wrong === undefined ? (problem?.message ?? null) : null} />
        </div>
        <div className="dialog-foot">
          <button className="btn" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="btn pri" type="submit" disabled={hold.isPending}>
            Hold
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Who holds an address and until when, with the way to release it. */
export function HeldBy({ name }: { readonly name: string }) {
  const { data } = useQuery(holdQuery(name));
  const release = useReleaseHold();
  const others = (data?.addresses ?? []).join(", ");
  return (
    <>
      {data === undefined ? null : (
        <dl className="kv">
          <dt>Hold</dt>
          <dd className="mono">{name}</dd>
          <dt>Addresses</dt>
          <dd className="mono">{others}</dd>
          {data.note === "" ? null : (
            <>
              <dt>Why</dt>
              <dd>{data.note}</dd>
            </>
          )}
          <dt>Until</dt>
          <dd>{data.expiry === null ? "it is released" : new Date(data.expiry).toLocaleString()}</dd>
        </dl>
      )}
      <FormProblem message={problemIn(release)?.message ?? null} />
      <p className="act-line">
        <button className="btn s" type="button" disabled={release.isPending} onClick={() => release.mutate(name)}>
          {`Release ${others === "" ? name : others}`}
        </button>
      </p>
    </>
  );
}
