// biome-ignore-all lint/a11y/useSemanticElements: one grid, so that bars and figures line up; the roles keep it a table
// biome-ignore-all lint/a11y/useFocusableInteractive: nothing in that table takes the focus
"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useMemo, useState } from "react";
import type { ProbeRow } from "#api/dashboard/probes";
import { count, elapsed, latency, percent, plural, podParts } from "#client/format";
import { points, windowFor } from "#client/probe-feed";
import { feedQuery, useRows } from "#client/queries";
import { chartRows, failures, flags, scaleMax, series, verdictTone } from "#client/traffic";
import { usePodColours } from "#components/traffic/colours";
import { Strips } from "#components/traffic/strips";
import { NodeName } from "#components/ui/hull";
import { Glyph } from "#components/ui/icon";
import { Segment } from "#components/ui/tabs";
import { jainExpected } from "#core/fairness";

const ShareChart = dynamic(() => import("#components/traffic/share-chart").then((module) => module.ShareChart), {
  ssr: false,
  loading: () => <div className="chart-wait" role="status" aria-label="Loading the chart" />,
});

/** Verdict, bars per pod, share over time, outcome and latency. */
export function Results({ probe }: { readonly probe: ProbeRow }) {
  const [mode, setMode] = useState<"share" | "requests">("share");
  const feed = useQuery(feedQuery(probe.id)).data;
  const activity = useRows("activity").data;
  const colours = usePodColours(probe);
  const ticks = feed?.ticks ?? [];
  const to = (ticks.at(-1)?.at ?? Date.parse(probe.startedAt)) + 1000;
  const oldest = ticks[0]?.at ?? to;
  const { spanMs, bucketMs } = windowFor(to - oldest);
  const from = to - spanMs;
  const drawn = useMemo(() => points(ticks, to, spanMs, bucketMs), [ticks, to, spanMs, bucketMs]);
  const list = useMemo(() => series(probe, drawn, colours), [probe, drawn, colours]);
  const rows = useMemo(() => chartRows(drawn, list, mode), [drawn, list, mode]);
  const marked = useMemo(() => flags(probe, ticks, activity ?? [], from, to), [probe, ticks, activity, from, to]);
  return (
    <div className="res">
      <Verdict probe={probe} />
      <Shares probe={probe} colours={colours} />
      <p className="xs t3 model">
        {probe.model}
        {probe.window === 0 ? "" : `. Tick: expected share; dots: 95 % range for ${count(probe.window)} requests.`}
      </p>
      <figure className="chart">
        <figcaption>
          <h2>{mode === "share" ? "Share over time" : "Requests over time"}</h2>
          <span className="xs t3">{`${spanMs < 120_000 ? `${spanMs / 1000} seconds` : `${spanMs / 60_000} minutes`}, ${bucketMs / 1000} s each${mode === "share" ? ". Dotted: expected" : ""}`}</span>
          <Segment
            label="Scale"
            name="scale"
            value={mode}
            onChange={setMode}
            options={[
              { value: "share", label: "Share" },
              { value: "requests", label: "Requests" },
            ]}
          />
        </figcaption>
        <ShareChart rows={rows} series={list} mode={mode} bucketMs={bucketMs} flags={marked} from={from} to={to} />
        <Strips ticks={ticks} points={drawn} from={from} to={to} latency={probe.latency} />
      </figure>
    </div>
  );
}

function Verdict({ probe }: { readonly probe: ProbeRow }) {
  const bad = failures(probe.outcomes);
  return (
    <div className="verdict">
      <Glyph name={verdictTone(probe)} />
      <div>
        <p>{probe.verdict.sentence}</p>
        <p className="t2 xs">{jainWords(probe)}</p>
      </div>
      <div className="lat">
        <div>
          <b>{count(bad.total)}</b>
          <span>{`failed of ${count(probe.sent)}`}</span>
        </div>
        <div>
          <b>{elapsed(probe.longestOutageMs)}</b>
          <span>longest outage</span>
        </div>
        <div>
          <b>{latency(probe.latency.p95)}</b>
          <span>p95</span>
        </div>
      </div>
    </div>
  );
}

/** Jain's index says little alone: chance never makes it quite 1. */
function jainWords(probe: ProbeRow): string {
  if (probe.window === 0) return "No reply yet.";
  const pods = probe.pods.filter((pod) => (pod.expected ?? 0) > 0).length;
  const { jain } = probe.verdict;
  if (jain === null || pods < 2) return `Last ${plural(probe.window, "reply", "replies")}.`;
  return `Jain index ${jain.toFixed(3)}; a fair spread makes about ${jainExpected(pods, probe.window).toFixed(3)}.`;
}

function Shares({ probe, colours }: { readonly probe: ProbeRow; readonly colours: ReadonlyMap<string, number> }) {
  const max = scaleMax(probe.pods);
  const pods = [...probe.pods].sort((a, b) => (a.pod < b.pod ? -1 : 1));
  const at = (share: number) => (share / max) * 100;
  if (pods.length === 0) return <p className="t3 no-pods">No pod has answered yet.</p>;
  return (
    <div className="shares" role="table" aria-label="Share of replies by pod">
      <div role="row" className="sr hdr">
        <span role="columnheader" className="hd first">
          Pod
        </span>
        <span role="columnheader" className="hd">
          Node
        </span>
        <span role="columnheader" className="hd scale">
          <i>0</i>
          <i>{(max * 50).toFixed(max < 0.25 ? 0 : max === 0.25 ? 1 : 0)}</i>
          <i>{`${max * 100} %`}</i>
          <span className="vh">Share, drawn</span>
        </span>
        <span role="columnheader" className="hd num">
          Share
        </span>
        <span role="columnheader" className="hd num">
          Replies
        </span>
      </div>
      {pods.map((pod) => {
        const { prefix, suffix } = podParts(pod.pod);
        return (
          <div key={pod.pod} role="row" className={`sr c${colours.get(pod.pod) ?? 0}`}>
            <span aria-hidden="true" className={pod.gone ? "sw gone" : "sw"} />
            <span role="cell" className={pod.gone ? "mono nowrap gone" : "mono nowrap"} title={pod.pod}>
              <span className="t3 pfx">{prefix}</span>
              {suffix}
            </span>
            <span role="cell">{pod.gone ? <span className="t3">gone</span> : <NodeName name={pod.node} />}</span>
            <span role="cell" className="bar-cell">
              <span
                className="track"
                style={
                  {
                    "--v": at(pod.share),
                    "--e": at(pod.expected ?? 0),
                    "--w": at(Math.min(pod.halfWidth ?? 0, pod.expected ?? 0)),
                  } as React.CSSProperties
                }
              >
                {pod.count === 0 ? null : <i />}
                {pod.expected === null ? null : (
                  <>
                    <u />
                    <b />
                  </>
                )}
              </span>
            </span>
            <span role="cell" className={pod.gone ? "num t3" : "num strong"}>
              {percent(pod.share)}
            </span>
            <span role="cell" className="num t3">
              {count(pod.count)}
            </span>
          </div>
        );
      })}
    </div>
  );
}
