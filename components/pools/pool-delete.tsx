"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { PoolRow } from "#api/dashboard/pools";
import { problemIn, useDeletePool } from "#client/actions";
import { plural } from "#client/format";
import { useParams } from "#client/location";
import { previewQuery, useRows } from "#client/queries";
import { type Effect, Impact } from "#components/pools/impact";
import { Loading } from "#components/states/states";
import { Dialog } from "#components/ui/dialog";
import { FormProblem, TextField } from "#components/ui/field";

/** Deleting a pool is the most dangerous button here: it lists every Service it touches and wants the name typed. */
export function PoolDelete({ pool, onClose }: { readonly pool: PoolRow; readonly onClose: () => void }) {
  const params = useParams();
  const services = useRows("services").data ?? [];
  // What the caches know, should the server not be able to say more.
  const held: readonly Effect[] = services
    .filter((row) => pool.services.includes(row.key) || row.pool === pool.name)
    .map((row) => ({ service: row.key, addresses: row.addresses, effect: "loses", sentence: "Loses its address" }));
  const advertisements = useRows("advertisements").data ?? [];
  const remove = useDeletePool();
  const [typed, setTyped] = useState("");
  const preview = useQuery(previewQuery({ name: pool.name, remove: true }));
  const hit = (preview.data?.services ?? held).filter((entry) => entry.effect !== "keeps" && entry.effect !== "waits");
  const alone = advertisements.filter((row) => row.ipAddressPools.length === 1 && row.ipAddressPools[0] === pool.name);
  const act = async () => {
    try {
      await remove.mutateAsync(pool.name);
      params.set({ pool: null, tab: null });
      onClose();
    } catch {
      // Shown above the buttons.
    }
  };
  return (
    <Dialog title={`Delete pool ${pool.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === pool.name) void act();
        }}
      >
        <div className="dialog-body">
          {preview.isPending ? (
            <Loading rows={3} label="Reading what it would do" />
          ) : hit.length === 0 ? (
            <p>No Service holds an address of it. Nothing else changes.</p>
          ) : (
            <>
              <p>
                <b>{`${plural(hit.length, "Service")} ${hit.length === 1 ? "is" : "are"} touched.`}</b> Clients that use
                their addresses are cut off.
              </p>
              <Impact rows={hit} />
            </>
          )}
          {alone.length === 0 ? null : (
            <p className="t2">{`Advertisement ${alone.map((row) => row.name).join(", ")} names only this pool and stays without one.`}</p>
          )}
          <TextField label={`Type ${pool.name} to delete it`} mono value={typed} onChange={setTyped} />
          <FormProblem message={problemIn(remove)?.message ?? null} />
        </div>
        <div className="dialog-foot">
          <button className="btn" type="button" onClick={onClose}>
            Keep it
          </button>
          <button className="btn stop" type="submit" disabled={typed !== pool.name || remove.isPending}>
            {`Delete ${pool.name}`}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
