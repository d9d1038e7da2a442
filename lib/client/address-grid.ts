import type { AddressRow } from "#api/dashboard/addresses";

export type CellState = AddressRow["state"];

interface GridRow {
  /** What the row header prints: ".16". */
  readonly label: string;
  /** The part all its addresses share, for screen readers: "127.77.10". */
  readonly prefix: string;
  /** 16 places; null where the pool has no address. */
  readonly cells: readonly (AddressRow | null)[];
}

const WIDE = 16;

/** Where an address sits: its block and its number in it. IPv6 by its last hextet. */
function place(address: string): { readonly prefix: string; readonly n: number; readonly six: boolean } {
  const six = address.includes(":");
  const at = address.lastIndexOf(six ? ":" : ".");
  const last = address.slice(at + 1);
  return { prefix: address.slice(0, at), n: six ? Number.parseInt(last === "" ? "0" : last, 16) : Number(last), six };
}

/** Addresses as rows of 16, in the order given; rows without any address are left out. */
export function gridRows(addresses: readonly AddressRow[]): readonly GridRow[] {
  const rows = new Map<string, { prefix: string; start: number; six: boolean; cells: (AddressRow | null)[] }>();
  for (const row of addresses) {
    const { prefix, n, six } = place(row.address);
    const start = n - (n % WIDE);
    const key = `${prefix}/${start}`;
    let found = rows.get(key);
    if (found === undefined) {
      found = { prefix, start, six, cells: new Array<AddressRow | null>(WIDE).fill(null) };
      rows.set(key, found);
    }
    found.cells[n % WIDE] = row;
  }
  return [...rows.values()].map(({ prefix, start, six, cells }) => ({
    prefix,
    label: six ? `:${start.toString(16)}` : `.${start}`,
    cells,
  }));
}

/** The octet or hextet a cell prints. */
export function cellText(address: string): string {
  return address.slice(address.lastIndexOf(address.includes(":") ? ":" : ".") + 1);
}

/** Where an arrow key leads from `index` in the flat list of 16-wide rows; it skips places outside the pool. */
export function move(rows: readonly GridRow[], index: number, key: string): number {
  const flat = rows.flatMap((row) => row.cells);
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -WIDE, ArrowDown: WIDE }[key];
  if (key === "Home" || key === "End") {
    const start = index - (index % WIDE);
    const row = flat.slice(start, start + WIDE);
    const at = key === "Home" ? row.findIndex((cell) => cell !== null) : row.findLastIndex((cell) => cell !== null);
    return at < 0 ? index : start + at;
  }
  if (step === undefined) return index;
  for (let at = index + step; at >= 0 && at < flat.length; at += step) if (flat[at] !== null) return at;
  return index;
}

/** The cell that a typed octet or address means; -1 when none. */
export function goTo(rows: readonly GridRow[], text: string): number {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return -1;
  const flat = rows.flatMap((row) => row.cells);
  const exact = flat.findIndex((cell) => cell?.address === wanted);
  return exact >= 0
    ? exact
    : flat.findIndex(
        (cell) => cell !== null && cell !== undefined && cellText(cell.address) === wanted.replace(/^[.:]/, ""),
      );
}

const STATE_WORDS: Record<CellState, string> = {
  free: "free",
  assigned: "assigned",
  shared: "shared",
  requested: "requested",
  excluded: "left out: ends in .0 or .255",
  stale: "stale: assigned, but no pool covers it now",
  held: "held",
  conflict: "in conflict: a foreign MAC answers",
};

/** What a cell is called: "127.77.10.20, used by shop/web, announced by node-02". */
export function cellName(row: AddressRow, next: boolean): string {
  const who =
    row.services.length === 0
      ? ""
      : row.state === "requested"
        ? ` by ${row.services.join(", ")}`
        : ` to ${row.services.join(", ")}`;
  const node = row.announcedBy === null ? "" : `, announced by ${row.announcedBy}`;
  const state = row.note ?? `${row.address}, ${STATE_WORDS[row.state]}${who}`;
  return `${state}${node}${next ? ", next to be assigned" : ""}`;
}
