"use client";

import { clock } from "#client/format";
import { useRows } from "#client/queries";

/** The newest Events, as clock time and one line. */
export function RecentChanges({ limit }: { readonly limit: number }) {
  const rows = useRows("activity").data ?? [];
  const newest = [...rows].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit);
  return (
    <section className="card" aria-labelledby="feed-title">
      <header>
        <h2 id="feed-title">Recent changes</h2>
      </header>
      {newest.length === 0 ? (
        <p className="body t3">Nothing has happened yet.</p>
      ) : (
        <ul className="feed">
          {newest.map((row) => (
            <li key={row.id}>
              <time dateTime={row.at}>{clock(row.at)}</time>
              <span className="feed-text" title={`${row.reason}: ${row.message}`}>
                <b className={row.type === "Warning" ? "warning" : undefined}>{short(row.object)}</b> {row.message}
                {row.count > 1 ? <span className="t3">{` ×${row.count}`}</span> : null}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** "Service default/nginx" → "default/nginx"; "Pod x/nginx-app-6c9f7d8b5-h7vjd" → "nginx-app…h7vjd". */
function short(object: string): string {
  const [kind = "", name = ""] = object.split(" ");
  if (kind !== "Pod") return name === "" ? kind : name;
  const bare = name.slice(name.indexOf("/") + 1);
  const match = /^(.*?)-[a-z0-9]{8,10}-([a-z0-9]{5})$/.exec(bare);
  return match === null ? bare : `${match[1]}…${match[2]}`;
}
