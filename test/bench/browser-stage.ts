/** What the parts of `browser.ts` share: one Berth in a directory of its own, its cluster, its server's memory, the table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { ServiceRow } from "#api/dashboard/services";
import type { Service } from "#api/kubernetes/services";
import type { IPAddressPool } from "#api/metallb";
import { tabOf } from "#client/service-list";
import type { HttpCluster } from "#kube/http-cluster";
import { adminCluster, berthProcesses, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { launchBrowser } from "../support/browser.ts";
import { INSPECTABLE, type Inspector, inspect } from "./inspect.ts";

export const OWN = "metallb-system";

export interface BenchStage {
  readonly url: string;
  readonly cluster: HttpCluster;
  readonly browser: Browser;
  readonly server: Inspector;
  /** Of the dashboard's process, MB. */
  memory(): { readonly rss: number; readonly peak: number };
  /** The load balancers, as the dashboard's own list has them. */
  balancers(): Promise<readonly ServiceRow[]>;
  /** One line of the table, said at once. */
  say(what: string, value: string, bar?: string): void;
  table(): void;
  close(): Promise<void>;
}

export async function startBenchStage(): Promise<BenchStage> {
  Object.assign(process.env, INSPECTABLE);
  const dataDir = scratchDir();
  const [berth, browser] = await Promise.all([startBerth({ dataDir }), launchBrowser()]);
  const cluster = adminCluster(berth.kubeconfig);
  const pid = berthProcesses(dataDir, "dashboard")[0];
  if (pid === undefined) throw new Error("no dashboard runs");
  const server = await inspect(pid, join(dataDir, "logs", "dashboard.log"));
  const lines: { readonly what: string; readonly value: string; readonly bar: string }[] = [];
  return {
    url: berth.url,
    cluster,
    browser,
    server,
    memory() {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const mb = (field: string) => (Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6;
      return { rss: mb("VmRSS"), peak: mb("VmHWM") };
    },
    async balancers() {
      const rows = (await (await fetch(`${berth.url}/api/services`)).json()) as readonly ServiceRow[];
      return rows.filter((row) => tabOf(row) === "balancers");
    },
    say(what, value, bar = "") {
      lines.push({ what, value, bar });
      console.log(`${what}: ${value}`);
    },
    table: () => console.table(lines),
    async close() {
      await browser.close();
      server.close();
      await cluster.close();
      await berth.stop();
      removeDir(dataDir);
    },
  };
}

export const ms = (value: number) => `${value.toFixed(0)} ms`;

export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    ms(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`;
}

/** MB of a page's objects after a forced collection. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 1e6;
}

/** A Service of the demo's pods. */
export function balancer(name: string, namespace: string, port: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      selector: { app: "my-cool-application" },
      ports: [{ port, targetPort: 80 }],
    },
  };
}

export function pool(name: string, addresses: string): IPAddressPool {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: OWN },
    spec: { addresses: [addresses], autoAssign: true, avoidBuggyIPs: false },
  };
}
