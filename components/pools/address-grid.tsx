// biome-ignore-all lint/a11y/useSemanticElements: a grid of places, not a table of data; arrows move in it
// biome-ignore-all lint/a11y/useFocusableInteractive: one cell is the tab stop, the rest are reached by arrows
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid handles the keys of all its cells
"use client";

import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { AddressRow } from "#api/dashboard/addresses";
import { type CellState, cellName, cellText, goTo, gridRows, move } from "#client/address-grid";
import { Glyph, type GlyphName } from "#components/ui/icon";

const LOOK: Record<CellState, { readonly css: string; readonly word: string; readonly mark?: GlyphName }> = {
  assigned: { css: "as", word: "Assigned" },
  shared: { css: "sh", word: "Shared" },
  held: { css: "he", word: "Held", mark: "lock" },
  conflict: { css: "co", word: "Conflict", mark: "bang" },
  requested: { css: "rq", word: "Requested", mark: "ask" },
  free: { css: "", word: "Free" },
  stale: { css: "sl", word: "Stale", mark: "clock" },
  excluded: { css: "ex", word: "Left out" },
};
const ORDER = Object.keys(LOOK) as CellState[];

/** The grid, 16 wide: one tab stop, arrows move, the legend filters, an octet can be typed to go to. */
export function AddressGrid({
  label,
  addresses,
  nextFree,
  selected,
  onSelect,
}: {
  readonly label: string;
  readonly addresses: readonly AddressRow[];
  readonly nextFree: string | null;
  readonly selected: string | null;
  readonly onSelect: (row: AddressRow) => void;
}) {
  const rows = useMemo(() => gridRows(addresses), [addresses]);
  const flat = useMemo(() => rows.flatMap((row) => row.cells), [rows]);
  const [only, setOnly] = useState<CellState | null>(null);
  const [typed, setTyped] = useState("");
  const grid = useRef<HTMLDivElement>(null);
  const counts = useMemo(() => {
    const map = new Map<CellState, number>();
    for (const row of addresses) map.set(row.state, (map.get(row.state) ?? 0) + 1);
    return map;
  }, [addresses]);
  const current = Math.max(
    flat.findIndex((cell) => cell?.address === selected),
    selected === null ? flat.findIndex((cell) => cell !== null) : -1,
  );

  const pick = (index: number, focus: boolean) => {
    const cell = flat[index];
    if (cell === null || cell === undefined) return;
    onSelect(cell);
    if (focus)
      requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    const at = Number(event.target instanceof HTMLElement ? event.target.dataset.index : Number.NaN);
    if (Number.isNaN(at)) return;
    const next = move(rows, at, event.key);
    if (next === at && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pick(next, true);
  };

  return (
    <>
      <div className="keysbar">
        <fieldset className="keys">
          <legend className="vh">Show only</legend>
          {ORDER.filter((state) => (counts.get(state) ?? 0) > 0 || state === "free").map((state) => {
            const look = LOOK[state];
            return (
              <button
                key={state}
                type="button"
                aria-pressed={only === state}
                onClick={() => setOnly(only === state ? null : state)}
              >
                <span className={`cell ${look.css}`} aria-hidden="true">
                  {look.mark === undefined ? null : <Glyph name={look.mark} className="m" />}
                </span>
                {look.word} <b>{counts.get(state) ?? 0}</b>
              </button>
            );
          })}
        </fieldset>
        <form
          className="goto"
          onSubmit={(event) => {
            event.preventDefault();
            pick(goTo(rows, typed), true);
          }}
        >
          <label>
            <span className="vh">Go to an address or its last part</span>
            <input
              className="inp s mono"
              placeholder="Go to"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          </label>
        </form>
      </div>
      <div
        ref={grid}
        className="grid"
        role="grid"
        aria-label={`Addresses of pool ${label}, 16 per row`}
        onKeyDown={onKey}
      >
        {rows.map((row, at) => (
          <div role="row" key={`${row.prefix}${row.label}`}>
            <span className="rh" role="rowheader">
              <span className="vh">{row.prefix}</span>
              {row.label}
            </span>
            {row.cells.map((cell, column) => {
              const index = at * 16 + column;
              return (
                <Cell
                  key={index}
                  cell={cell}
                  index={index}
                  next={cell?.address === nextFree}
                  current={index === current}
                  selected={cell !== null && cell.address === selected}
                  dim={only !== null && cell?.state !== only}
                  onPick={pick}
                />
              );
            })}
          </div>
        ))}
      </div>
    </>
  );
}

function Cell({
  cell,
  index,
  next,
  current,
  selected,
  dim,
  onPick,
}: {
  readonly cell: AddressRow | null;
  readonly index: number;
  readonly next: boolean;
  readonly current: boolean;
  readonly selected: boolean;
  readonly dim: boolean;
  readonly onPick: (index: number, focus: boolean) => void;
}) {
  if (cell === null) return <span className="cell out" role="gridcell" aria-label="outside the pool" />;
  const look = LOOK[cell.state];
  const name = cellName(cell, next);
  return (
    <span
      className={`cell ${look.css} ${next && cell.state === "free" ? "nx" : ""} ${selected ? "cur" : ""} ${dim ? "dim" : ""}`}
      role="gridcell"
      tabIndex={current ? 0 : -1}
      aria-label={name}
      aria-selected={selected}
      title={name}
      data-index={index}
      onClick={() => onPick(index, true)}
    >
      <span>{cellText(cell.address)}</span>
      {look.mark === undefined ? null : <Glyph name={look.mark} className="m" />}
    </span>
  );
}
