import { formatAddress, tryParseAddress } from "#core/address";
import type { NeighbourState } from "../edge/neighbour.ts";
import type { NeighbourRow } from "../edge/neighbour-table.ts";
import { followLines } from "./tools.ts";

const STATES: readonly NeighbourState[] = ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED"];

/** One line of `ip monitor neigh` or `ip neigh`; null for what is not about a neighbour. */
export function readNeighbour(
  line: string,
): { readonly address: string; readonly mac: string | null; readonly state: NeighbourState | "gone" } | null {
  const words = line
    .replace(/^\[NEIGH\]/, "")
    .trim()
    .split(/\s+/);
  const deleted = words[0] === "Deleted" || words[0] === "delete";
  const address = tryParseAddress(words[deleted ? 1 : 0] ?? "");
  if (address === null) return null;
  const mac = words[words.indexOf("lladdr") + 1] ?? null;
  const state = STATES.find((known) => words.includes(known));
  if (!deleted && state === undefined) return null;
  return {
    address: formatAddress(address),
    mac: words.includes("lladdr") && mac !== null ? mac.toLowerCase() : null,
    state: deleted || state === undefined ? "gone" : state,
  };
}

/** The client host's own neighbour table, followed by `ip monitor`. */
export class ClientNeighbours {
  readonly #rows = new Map<string, NeighbourRow>();
  readonly #listeners = new Set<(rows: readonly NeighbourRow[]) => void>();
  readonly #now: () => number;
  readonly #wanted: () => ReadonlySet<string>;
  readonly #stop: () => void;

  /** Only the addresses of `wanted` are kept. */
  constructor(host: string, now: () => number, wanted: () => ReadonlySet<string>) {
    this.#now = now;
    this.#wanted = wanted;
    this.#stop = followLines(
      host,
      ["ip", "-o", "monitor", "neigh"],
      (line) => this.#hear(line),
      () => this.#rows.clear(),
    );
  }

  neighbours(): readonly NeighbourRow[] {
    const wanted = this.#wanted();
    return [...this.#rows.values()]
      .filter(({ address }) => wanted.has(address))
      .sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  onNeighbours(listener: (rows: readonly NeighbourRow[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stop();
    this.#listeners.clear();
  }

  #hear(line: string): void {
    const heard = readNeighbour(line);
    if (heard === null) return;
    const { address, mac, state } = heard;
    if (state === "gone") this.#rows.delete(address);
    else this.#rows.set(address, { address, mac, state, updatedAt: new Date(this.#now()).toISOString() });
    for (const listener of this.#listeners) listener(this.neighbours());
  }
}
