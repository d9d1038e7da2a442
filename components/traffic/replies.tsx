"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ProbeReply, ProbeRow } from "#api/dashboard/probes";
import { clock, count, latency, podParts } from "#client/format";
import { feedQuery } from "#client/queries";
import { failures, OUTCOME_WORDS } from "#client/traffic";
import { usePodColours } from "#components/traffic/colours";
import { Segment } from "#components/ui/tabs";

const SHOWN = 17;
/** A line of the terminal may take two of the panel. */
const TERMINAL = 12;

/** The newest replies, by pod or as a terminal would show them; and the outcomes of the whole run. */
export function Replies({ probe }: { readonly probe: ProbeRow }) {
  const feed = useQuery(feedQuery(probe.id)).data;
  const colours = usePodColours(probe);
  const [view, setView] = useState<"pods" | "terminal">("pods");
  const [held, setHeld] = useState<readonly ProbeReply[] | null>(null);
  const newest = (feed?.replies ?? []).slice(-SHOWN).reverse();
  const shown = held ?? newest;
  const bad = failures(probe.outcomes);
  return (
    <section className="log" aria-labelledby="log-title">
      <div className="row log-head">
        <h2 id="log-title">Last replies</h2>
        {held === null ? null : <span className="t3 xs">held</span>}
        <span className="push">
          <Segment
            label="Show replies as"
            name="replies"
            value={view}
            onChange={setView}
            options={[
              { value: "pods", label: "Table" },
              { value: "terminal", label: "Terminal" },
            ]}
          />
        </span>
      </div>
      <section
        className="scroll"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
        tabIndex={0}
        aria-label="Replies, newest first"
        onPointerEnter={() => setHeld(newest)}
        onPointerLeave={() => setHeld(null)}
      >
        {shown.length === 0 ? (
          <p className="t3">No reply yet.</p>
        ) : view === "terminal" ? (
          <pre className="term">
            {shown
              .slice(0, TERMINAL)
              .reverse()
              .map((reply) => (
                <span key={reply.seq} className={reply.outcome === "ok" ? undefined : "failed"}>
                  {reply.text}
                </span>
              ))}
          </pre>
        ) : (
          <table className="replies">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Pod</th>
                <th scope="col">Code</th>
                <th scope="col" className="num">
                  Total
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((reply) => (
                <tr key={reply.seq} className={`c${colours.get(reply.pod ?? "") ?? 0}`}>
                  <td className="mono t3">{clock(reply.at, true)}</td>
                  {reply.pod === null ? (
                    <td className={reply.outcome === "ok" ? "t3" : "failed"} title={reply.text}>
                      {reply.outcome === "ok" ? "no pod named" : OUTCOME_WORDS[reply.outcome].toLowerCase()}
                    </td>
                  ) : (
                    <td title={reply.text}>
                      <span className="sw" />
                      <span className="mono">{podParts(reply.pod).suffix}</span>
                    </td>
                  )}
                  <td className="mono t2">{reply.status ?? "none"}</td>
                  <td className="num mono">{latency(reply.totalMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <div className="outcomes">
        <h3>Outcomes, whole run</h3>
        <dl className="kv">
          <dt>{OUTCOME_WORDS.ok}</dt>
          <dd className="num strong">{count(probe.outcomes.ok ?? 0)}</dd>
          {bad.seen.map((entry) => (
            <div key={entry.outcome} className="pair">
              <dt>{OUTCOME_WORDS[entry.outcome]}</dt>
              <dd className="num strong failed">{count(entry.count)}</dd>
            </div>
          ))}
          {bad.unseen === "" ? null : (
            <div className="pair">
              <dt className="none">{bad.unseen}</dt>
              <dd className="num t3">0</dd>
            </div>
          )}
        </dl>
      </div>
    </section>
  );
}
