import { OperationRow } from "#api/dashboard/operations";
import { dashboard } from "#server/context";
import type { Handler } from "#server/route";
import { startDashboard } from "#server/start";
import { contextFor, healthyCluster, params } from "./fixtures.ts";
import type { MemoryCluster } from "./memory-cluster.ts";

let closing: (() => void) | undefined;

/** For afterEach: ends the dashboard that `start` began. */
export function stop(): void {
  closing?.();
  closing = undefined;
}

export async function start(cluster: MemoryCluster = healthyCluster(), more: Parameters<typeof contextFor>[1] = {}) {
  const started = await startDashboard(contextFor(cluster, more));
  closing = () => started.close();
  return cluster;
}

export async function call(handler: Handler, sent: Request, values: Record<string, string> = {}) {
  const response = await handler(sent, params(values));
  return {
    status: response.status,
    body: (await response.json()) as never,
    type: response.headers.get("content-type"),
  };
}

export async function operation(body: { operation: string }): Promise<OperationRow> {
  for (let turn = 0; turn < 3000; turn += 1) {
    const row = dashboard().operations.read(body.operation);
    if (row.state !== "running") return OperationRow.parse(row);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("operation does not end");
}

export const WEB = { namespace: "default", name: "web" };
