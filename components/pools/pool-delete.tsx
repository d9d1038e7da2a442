"use client";

import { useState } from "react";
import type { PoolRow } from "#api/dashboard";
import { problemIn, useDeletePool } from "#client/actions";
import { plural } from "#client/format";
import { useParams } from "#client/location";
import { useRows } from "#client/queries";
import { Dialog } from "#components/ui/dialog";
import { Field, FormProblem } from "#components/ui/field";
import { Hull } from "#components/ui/hull";

/** Deleting a pool is the most dangerous button here: it lists every Service it touches and wants the name typed. */
export function PoolDelete({ pool, onClose }: { readonly pool: PoolRow; readonly onClose: () => void }) {
  const params = useParams();
  const services = useRows("services").data ?? [];
  const advertisements = useRows("advertisements").data ?? [];
  const remove = useDeletePool();
  const [typed, setTyped] = useState("");
  const hit = services.filter((row) => pool.services.includes(row.key) || row.pool === pool.name);
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
          {hit.length === 0 ? (
            <p>No Service holds an address of it. Nothing else changes.</p>
          ) : (
            <>
              <p>
                <b>{`${plural(hit.length, "Service")} ${hit.length === 1 ? "holds" : "hold"} an address of it.`}</b>{" "}
                Each loses it and gets one from another pool that fits, or waits without an address. Clients that use
                these addresses are cut off.
              </p>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
              <section className="impact-box" tabIndex={0} aria-label="Services it touches">
                <ul className="impact">
                  {hit.slice(0, 12).map((row) => (
                    <li key={row.key}>
                      <span>
                        <span className="t3">{row.namespace}/</span>
                        <b>{row.name}</b>
                      </span>
                      <span className="hulls">
                        {row.addresses.map((address) => (
                          <Hull key={address} address={address} />
                        ))}
                      </span>
                    </li>
                  ))}
                </ul>
              </section>
              {hit.length > 12 ? <p className="t2">{`and ${hit.length - 12} more`}</p> : null}
            </>
          )}
          {alone.length === 0 ? null : (
            <p className="t2">{`Advertisement ${alone.map((row) => row.name).join(", ")} names only this pool and stays without one.`}</p>
          )}
          <Field label={`Type ${pool.name} to delete it`}>
            {(props) => (
              <input
                {...props}
                className="inp mono"
                autoComplete="off"
                spellCheck={false}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
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
