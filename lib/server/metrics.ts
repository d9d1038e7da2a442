import type { ServerContext } from "./context.ts";
import type { Hub } from "./hub.ts";
import type { Operations } from "./operations.ts";
import type { Probes } from "./probes.ts";
import type { World } from "./world.ts";

interface Parts {
  readonly context: ServerContext;
  readonly world: World;
  readonly hub: Hub;
  readonly probes: Probes;
  readonly operations: Operations;
}

/** The dashboard's own numbers in Prometheus' text format 0.0.4. */
export function renderMetrics({ context, world, hub, probes, operations }: Parts): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, samples: readonly (readonly [labels: string, value: number])[]) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`);
  };
  gauge("berth_dashboard_info", "Always 1; the label says which version runs.", [
    [`{version="${context.version}"}`, 1],
  ]);
  gauge("berth_dashboard_stream_subscribers", "Open live streams.", [["", hub.listeners]]);
  gauge("berth_dashboard_prober_up", "1 while the prober's process runs.", [["", context.prober.alive ? 1 : 0]]);
  gauge("berth_dashboard_probes_running", "Probe runs under way.", [
    ["", probes.list().filter((run) => run.state === "running").length],
  ]);
  gauge("berth_dashboard_operations_running", "Operations under way.", [
    ["", operations.list().filter((row) => row.state === "running").length],
  ]);
  const watches = world.all.map((watch) => ({ label: `{kind="${watch.resource.plural}"}`, watch }));
  gauge(
    "berth_dashboard_watch_connected",
    "1 while the watch of a kind is connected.",
    watches.map(({ label, watch }) => [label, watch.health.connected ? 1 : 0] as const),
  );
  gauge(
    "berth_dashboard_watch_objects",
    "Objects held per kind.",
    watches.map(({ label, watch }) => [label, watch.list().length] as const),
  );
  return `${lines.join("\n")}\n`;
}
