"use client";

import { useMemo } from "react";
import { changes } from "#client/activity";
import { clock } from "#client/format";
import { useRows } from "#client/queries";

/** The newest changes, as clock time and one line. */
export function RecentChanges({ limit }: { readonly limit: number }) {
  const rows = useRows("activity").data;
  const newest = useMemo(() => changes(rows ?? [], limit), [rows, limit]);
  return (
    <section className="card" aria-labelledby="feed-title">
      <header>
        <h2 id="feed-title">Recent changes</h2>
      </header>
      {newest.length === 0 ? (
        <p className="body t3">Nothing has happened yet.</p>
      ) : (
        <ul className="feed">
          {newest.map((change) => (
            <li key={change.id}>
              <time dateTime={change.at}>{clock(change.at)}</time>
              <span className="feed-text" title={change.original}>
                <b className={change.warning ? "warning" : undefined}>{change.subject}</b> {change.text}
                {change.count > 1 ? <span className="t3">{` ×${change.count}`}</span> : null}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
