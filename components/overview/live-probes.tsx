"use client";

import Link from "next/link";
import type { ProbeRow } from "#api/dashboard/probes";
import { percent, podParts } from "#client/format";
import { useRows } from "#client/queries";
import { usePodColours } from "#components/traffic/colours";

/** The running probe as small bars. */
export function LiveProbes() {
  const probe = (useRows("probes").data ?? []).find((row) => row.state === "running");
  if (probe === undefined)
    return (
      <div className="body probe-mini">
        <h3>Live probe</h3>
        <p className="t3 xs">
          None is running.{" "}
          <Link className="link" href="/traffic">
            Start one
          </Link>
        </p>
      </div>
    );
  return <Bars probe={probe} />;
}

function Bars({ probe }: { readonly probe: ProbeRow }) {
  const pods = probe.pods.filter((pod) => !pod.gone).slice(0, 5);
  const colours = usePodColours(probe);
  const top = Math.max(0.5, ...pods.map((pod) => pod.share), ...pods.map((pod) => pod.expected ?? 0));
  return (
    <div className="body probe-mini">
      <div className="row">
        <h3>Live probe</h3>
        <Link className="link xs" href={`/traffic?probe=${encodeURIComponent(probe.id)}`}>
          {probe.service}
        </Link>
        <span className="t3 xs push">{probe.verdict.sentence}</span>
      </div>
      <div className="mini">
        {pods.map((pod) => (
          <div key={pod.pod} className={`row c${colours.get(pod.pod) ?? 0}`}>
            <span className="sw" />
            <span className="mono" title={pod.pod}>
              {podParts(pod.pod).suffix}
            </span>
            <span
              className="track"
              style={
                {
                  "--v": (pod.share / top) * 100,
                  "--e": ((pod.expected ?? 0) / top) * 100,
                  "--w": ((pod.halfWidth ?? 0) / top) * 100,
                } as React.CSSProperties
              }
            >
              <i />
              {pod.expected === null ? null : <b />}
            </span>
            <span className="num">{percent(pod.share)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
