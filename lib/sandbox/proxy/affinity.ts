import type { Clock } from "#net/host";
import type { Backend, Frontend } from "./shapes.ts";

/** Clients remembered per node; the one that was away longest is forgotten first. */
const CLIENTS_MAX = 10_000;

/** sessionAffinity ClientIP: which backend each client of each Service port stays with. */
export class Affinity {
  readonly #clock: Clock;
  readonly #clients = new Map<string, { readonly backend: string; readonly usedAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The client's backend, while it is still usable and the time-out has not passed. */
  find(frontend: Frontend, client: string, usable: readonly Backend[]): Backend | null {
    if (frontend.affinityMs === null) return null;
    const known = this.#clients.get(clientKey(frontend, client));
    if (known === undefined || this.#clock.monotonic() - known.usedAt > frontend.affinityMs) return null;
    return usable.find((backend) => backendKey(backend) === known.backend) ?? null;
  }

  /** Each use starts the time-out again. */
  keep(frontend: Frontend, client: string, backend: Backend): void {
    if (frontend.affinityMs === null) return;
    const key = clientKey(frontend, client);
    this.#clients.delete(key);
    this.#clients.set(key, { backend: backendKey(backend), usedAt: this.#clock.monotonic() });
    if (this.#clients.size <= CLIENTS_MAX) return;
    for (const oldest of this.#clients.keys()) {
      this.#clients.delete(oldest);
      break;
    }
  }
}

export function backendKey(backend: Backend): string {
  return `${backend.address}|${backend.port}`;
}

function clientKey(frontend: Frontend, client: string): string {
  return `${frontend.portKey}|${client}`;
}
