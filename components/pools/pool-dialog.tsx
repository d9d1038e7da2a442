"use client";

import { useState } from "react";
import type { PoolRow } from "#api/dashboard";
import { problemIn, useCreatePool, usePatchPool } from "#client/actions";
import { createBody, EMPTY_FORM, formOf, inWords, type PoolForm, patchBody, SANDBOX_POOL } from "#client/pool-form";
import { restMessage } from "#client/problem";
import { useSession } from "#client/queries";
import { judgeRanges } from "#client/range-input";
import { PoolAnnounceFields, PoolFields } from "#components/pools/pool-fields";
import { Dialog } from "#components/ui/dialog";
import { FormProblem } from "#components/ui/field";

const PATHS = ["name", "addresses", "priority", "namespaces", "advertise.name", "advertise.interfaces", "advertise"];

/** One form makes a pool and its advertisement; the same form edits a pool. */
export function PoolDialog({
  pools,
  pool,
  onClose,
  onSaved,
}: {
  readonly pools: readonly PoolRow[];
  /** Null: a new one. */
  readonly pool: PoolRow | null;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}) {
  const session = useSession();
  const first =
    pool !== null ? formOf(pool) : session?.sandbox === true && pools.length === 0 ? SANDBOX_POOL : EMPTY_FORM;
  const [form, setForm] = useState<PoolForm>(first);
  const create = useCreatePool();
  const patch = usePatchPool();
  const saving = create.isPending || patch.isPending;
  const problem = problemIn(pool === null ? create : patch);
  const ranges = judgeRanges(form.ranges, pools, pool?.name ?? null);
  const change = (part: Partial<PoolForm>) => setForm((before) => ({ ...before, ...part }));

  const save = async () => {
    try {
      if (pool === null) await create.mutateAsync(createBody(form));
      else await patch.mutateAsync({ name: pool.name, patch: patchBody(form, pool) });
      onSaved(form.name.trim());
    } catch {
      // The refusal stands beside its input.
    }
  };

  return (
    <Dialog title={pool === null ? "New pool" : `Edit pool ${pool.name}`} onClose={onClose} wide>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="pool-form">
          <div className="dialog-body">
            <PoolFields form={form} change={change} ranges={ranges} editing={pool !== null} problem={problem} />
            {pool === null ? <PoolAnnounceFields form={form} change={change} problem={problem} /> : null}
            <FormProblem message={restMessage(problem, PATHS)} />
          </div>
          <div className="will">
            <h3>What will happen</h3>
            <ul className="stackv">
              {inWords(form, pool !== null).map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {pool !== null && pool.services.length > 0 ? (
              <p className="t2">{`${pool.services.length} Services hold an address of it now. A Service whose address is no longer in the ranges keeps it until somebody moves it.`}</p>
            ) : null}
          </div>
        </div>
        <div className="dialog-foot">
          <button className="btn" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="btn pri" type="submit" disabled={saving}>
            {saving
              ? "Saving"
              : pool === null
                ? form.announce === "none"
                  ? "Create pool"
                  : "Create pool and advertisement"
                : "Save changes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
