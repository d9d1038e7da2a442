"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { PoolPatch, PoolRow } from "#api/dashboard/pools";
import { problemIn, useCreatePool, usePatchPool } from "#client/actions";
import { plural } from "#client/format";
import {
  createBody,
  EMPTY_FORM,
  formOf,
  inWords,
  type PoolForm,
  patchBody,
  rebase,
  sandboxPool,
} from "#client/pool-form";
import { restMessage } from "#client/problem";
import { previewQuery, useRows, useSession } from "#client/queries";
import { judgeRanges } from "#client/range-input";
import { Impact } from "#components/pools/impact";
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
  const nodes = useRows("nodes").data ?? [];
  const isFirst = session?.sandbox === true && pools.length === 0;
  const first = pool !== null ? formOf(pool) : isFirst ? sandboxPool(nodes) : EMPTY_FORM;
  const [form, setForm] = useState<PoolForm>(first);
  const create = useCreatePool();
  const patch = usePatchPool();
  const saving = create.isPending || patch.isPending;
  const problem = problemIn(pool === null ? create : patch);
  // The pool as it was when the form was filled from it: what guards against overwriting somebody else's edit.
  const [base, setBase] = useState(pool);
  const conflict = base !== null && problem?.status === 409;
  useEffect(() => {
    if (!conflict || pool === null || pool.resourceVersion === base.resourceVersion) return;
    setForm((typed) => rebase(typed, base, pool));
    setBase(pool);
  }, [conflict, pool, base]);
  const ranges = judgeRanges(form.ranges, pools, pool?.name ?? null);
  const patched = base === null ? null : patchBody(form, base);
  const changed = patched !== null && Object.keys(patched).length > 1;
  const preview = useQuery({
    ...previewQuery({
      name: pool?.name ?? "",
      ...withoutVersion(patched),
      addresses: [...(patched?.addresses ?? pool?.addresses ?? [])],
    }),
    enabled: changed && ranges.every((range) => range.error === null),
    placeholderData: (old) => old,
  });
  const touched = preview.data?.services.filter((entry) => entry.effect === "loses" || entry.effect === "gains");
  const change = (part: Partial<PoolForm>) => setForm((before) => ({ ...before, ...part }));

  const save = async () => {
    try {
      if (base === null) await create.mutateAsync(createBody(form));
      else await patch.mutateAsync({ name: base.name, patch: patchBody(form, base) });
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
            <FormProblem
              message={
                conflict
                  ? `${problem.message} What you typed is kept; the rest now shows the pool as it is.`
                  : restMessage(problem, PATHS)
              }
            />
          </div>
          <div className="will">
            <h3>What will happen</h3>
            <ul className="stackv">
              {inWords(form, pool !== null).map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {pool === null || !changed || touched === undefined ? null : touched.length === 0 ? (
              <p className="t2">No Service changes its address.</p>
            ) : (
              <>
                <p>
                  <b>{`${plural(touched.length, "Service")} ${touched.length === 1 ? "changes" : "change"}`}</b>
                </p>
                <Impact rows={touched} />
              </>
            )}
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
                : conflict
                  ? "Save on top of it"
                  : "Save changes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function withoutVersion(patch: PoolPatch | null): Omit<PoolPatch, "resourceVersion" | "addresses"> {
  const { resourceVersion: _version, addresses: _addresses, ...rest } = patch ?? {};
  return rest;
}
