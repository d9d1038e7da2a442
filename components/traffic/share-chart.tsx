"use client";

import { Area, AreaChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { clock, count, percent } from "#client/format";
import { type ChartRow, FAR, type Flag, lanes, type Series } from "#client/traffic";
import { cssColour } from "#components/traffic/colours";

interface Props {
  readonly rows: readonly ChartRow[];
  readonly series: readonly Series[];
  readonly mode: "share" | "requests";
  readonly bucketMs: number;
  readonly flags: readonly Flag[];
  readonly from: number;
  readonly to: number;
}

/** Stacked areas per pod: 100 % of replies, or replies per second. Redrawn at most once a second, at most 120 points. */
export function ShareChart({ rows, series, mode, bucketMs, flags, from, to }: Props) {
  const peak = Math.max(1, ...rows.map((row) => row.values.reduce<number>((sum, value) => sum + (value ?? 0), 0)));
  const top = mode === "share" ? 1 : Math.ceil(peak);
  const lines = mode === "share" ? expectedLines(series) : [];
  const place = (at: number) => `${to === from ? 0 : ((at - from) / (to - from)) * 100}%`;
  const data = rows.map((row) => ({ ...row }));
  const lane = lanes(flags.map((flag) => place2(flag.at, from, to)));
  return (
    <>
      <div className={lane.includes(1) ? "plot first tall" : "plot first"}>
        <div className="y area-h" aria-hidden="true">
          {mode === "share" ? (
            <>
              <span style={{ insetBlockStart: 0 }}>100 %</span>
              {lines.map((line) => (
                <span key={line} style={{ insetBlockStart: `${(1 - line) * 100}%` }}>
                  {(line * 100).toFixed(1)}
                </span>
              ))}
            </>
          ) : (
            <>
              <span style={{ insetBlockStart: 0 }}>{`${top} /s`}</span>
              <span style={{ insetBlockStart: "50%" }}>{top / 2}</span>
            </>
          )}
          <span style={{ insetBlockStart: "100%" }}>0</span>
        </div>
        <div className="area area-h" role="img" aria-label={describe(rows, series, bucketMs)}>
          <div className="area-in" aria-hidden="true">
            <Hatches series={series} />
            <ResponsiveContainer
              width="100%"
              height="100%"
              minWidth={10}
              minHeight={10}
              initialDimension={{ width: 600, height: 200 }}
            >
              <AreaChart data={data} margin={{ top: 0, right: 0, bottom: 0, left: 0 }} accessibilityLayer={false}>
                <XAxis dataKey="x" type="number" domain={[from, to]} hide allowDataOverflow />
                <YAxis domain={[0, top]} hide allowDataOverflow />
                <Tooltip
                  isAnimationActive={false}
                  cursor={{ stroke: "var(--text-1)", strokeOpacity: 0.6 }}
                  content={({ active, label }) =>
                    active ? (
                      <Tip row={rows.find((row) => row.x === Number(label))} series={series} bucketMs={bucketMs} />
                    ) : null
                  }
                />
                {series.map((entry, index) => (
                  <Area
                    key={entry.key}
                    dataKey={(row: ChartRow) => row.values[index] ?? null}
                    name={entry.label}
                    stackId="pods"
                    type="linear"
                    stroke={cssColour(entry.colour)}
                    strokeWidth={1.75}
                    fill={entry.gone ? `url(#gone-${entry.colour})` : cssColour(entry.colour)}
                    fillOpacity={entry.gone ? 1 : 0.26}
                    isAnimationActive={false}
                    activeDot={false}
                    dot={false}
                  />
                ))}
              </AreaChart>
            </ResponsiveContainer>
            {lines.map((line) => (
              <i key={line} className="exp" style={{ insetBlockStart: `${(1 - line) * 100}%` }} />
            ))}
            {flags.map((flag, index) => (
              <div
                key={`${flag.at}${flag.text}`}
                className={place2(flag.at, from, to) > FAR ? "flag far" : "flag"}
                style={{ insetInlineStart: place(flag.at), insetBlockStart: lane[index] === 1 ? -36 : undefined }}
              >
                <span>{flag.text}</span>
              </div>
            ))}
            <Labels row={rows.findLast((row) => row.total > 0)} series={series} top={top} />
          </div>
        </div>
      </div>
      <Twin rows={rows} series={series} bucketMs={bucketMs} />
    </>
  );
}

function place2(at: number, from: number, to: number): number {
  return to === from ? 0 : (at - from) / (to - from);
}

/** Pods that are gone are hatched in their colour. */
function Hatches({ series }: { readonly series: readonly Series[] }) {
  return (
    <svg className="defs" aria-hidden="true">
      <title>Hatches</title>
      <defs>
        {series
          .filter((entry) => entry.gone)
          .map((entry) => (
            <pattern
              key={entry.key}
              id={`gone-${entry.colour}`}
              width="6"
              height="6"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="6" height="6" fill={cssColour(entry.colour)} opacity=".18" />
              <rect width="1.5" height="6" fill={cssColour(entry.colour)} opacity=".8" />
            </pattern>
          ))}
      </defs>
    </svg>
  );
}

/** Where the expected shares add up, from the bottom; none when the model does not know them all. */
function expectedLines(series: readonly Series[]): readonly number[] {
  const known = series.filter((entry) => !entry.gone);
  if (known.length < 2 || known.some((entry) => entry.expected === null)) return [];
  const lines: number[] = [];
  let sum = 0;
  for (const entry of known.slice(0, -1)) {
    sum += entry.expected ?? 0;
    if (sum > 0.001 && sum < 0.999) lines.push(sum);
  }
  return [...new Set(lines)];
}

/** The names, in place at the right edge. */
function Labels({
  row,
  series,
  top,
}: {
  readonly row: ChartRow | undefined;
  readonly series: readonly Series[];
  readonly top: number;
}) {
  if (row === undefined) return null;
  let below = 0;
  return series.map((entry, index) => {
    const value = (row.values[index] ?? 0) / top;
    const middle = below + value / 2;
    below += value;
    if (value < 0.07) return null;
    return (
      <span key={entry.key} className="who-l" style={{ insetBlockStart: `${(1 - middle) * 100}%` }}>
        {entry.label}
      </span>
    );
  });
}

function Tip({
  row,
  series,
  bucketMs,
}: {
  readonly row: ChartRow | undefined;
  readonly series: readonly Series[];
  readonly bucketMs: number;
}) {
  if (row === undefined) return null;
  return (
    <div className="tip inflow">
      <span className="w">{`${clock(row.at)} to ${clock(row.at + bucketMs)}`}</span>
      {series
        .map((entry, index) => ({ entry, n: row.counts[index] ?? 0 }))
        .reverse()
        .map(({ entry, n }) => (
          <span key={entry.key} className={`tip-row c${entry.colour}`}>
            <span className="sw" />
            <span className="mono">{entry.label}</span>
            <span className="num">{count(n)}</span>
            <span className="num t3">{row.total === 0 ? "no reply" : `${Math.round((n / row.total) * 100)} %`}</span>
          </span>
        ))}
    </div>
  );
}

function describe(rows: readonly ChartRow[], series: readonly Series[], bucketMs: number): string {
  const totals = series.map((entry, index) => ({
    label: entry.label,
    n: rows.reduce((sum, row) => sum + (row.counts[index] ?? 0), 0),
  }));
  const all = totals.reduce((sum, entry) => sum + entry.n, 0);
  if (all === 0) return "Share of replies by pod over time: no reply yet";
  return `Share of replies by pod over ${Math.round((rows.length * bucketMs) / 1000)} seconds: ${totals.map((entry) => `${entry.label} ${percent(entry.n / all)}`).join(", ")}`;
}

/** The same figures as a table, for those who cannot see the areas. */
function Twin({
  rows,
  series,
  bucketMs,
}: {
  readonly rows: readonly ChartRow[];
  readonly series: readonly Series[];
  readonly bucketMs: number;
}) {
  return (
    <div className="vh">
      <table>
        <caption>Replies by pod, newest first</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map((entry) => (
              <th key={entry.key} scope="col">
                {entry.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows
            .slice(-12)
            .reverse()
            .map((row) => (
              <tr key={row.x}>
                <th scope="row">{`${clock(row.at)}, ${bucketMs / 1000} s`}</th>
                {series.map((entry, index) => (
                  <td key={entry.key}>{row.total === 0 ? "no reply" : row.counts[index]}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
