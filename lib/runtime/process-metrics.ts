import type { Metrics } from "./metrics.ts";

/** Adds the usual figures of the process itself: memory, CPU time, start time. */
export function addProcessMetrics(metrics: Metrics): void {
  const resident = metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const heap = metrics.gauge("nodejs_heap_size_used_bytes", "Heap in use in bytes.");
  const total = metrics.gauge("nodejs_heap_size_total_bytes", "Heap taken from the system in bytes.");
  const external = metrics.gauge("nodejs_external_memory_bytes", "Memory outside the heap that objects hold in bytes.");
  const cpu = metrics.gauge("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  const start = metrics.gauge("process_start_time_seconds", "Start time of the process since the epoch in seconds.");
  start.set({}, Math.round(performance.timeOrigin) / 1000);
  metrics.onRender(() => {
    const memory = process.memoryUsage();
    resident.set({}, memory.rss);
    heap.set({}, memory.heapUsed);
    total.set({}, memory.heapTotal);
    external.set({}, memory.external);
    const { user, system } = process.cpuUsage();
    cpu.set({}, (user + system) / 1e6);
  });
}
