/** The inspector of a Node process that this one may signal: its heap, and where its time goes. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Environment of a Berth whose processes can be inspected: any free port instead of the one that every Node shares. */
export const INSPECTABLE = { NODE_OPTIONS: "--inspect-port=127.0.0.1:0" };

export interface Inspector {
  /** MB of objects in use after a forced collection. */
  heapMb(): Promise<number>;
  /** The functions that took most of the CPU while `work` ran: share of the busy time, and where they are. */
  hottest(work: () => Promise<void>, count?: number): Promise<readonly string[]>;
  close(): void;
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[];
}

/** `logFile`: where the process's standard error goes; that is where Node says on which port it listens. */
export async function inspect(pid: number, logFile: string): Promise<Inspector> {
  process.kill(pid, "SIGUSR1");
  let url: string | undefined;
  for (let look = 0; look < 100 && url === undefined; look++) {
    await sleep(100);
    url = /Debugger listening on (ws:\S+)/.exec(readFileSync(logFile, "utf8"))?.[1];
  }
  if (url === undefined) throw new Error(`process ${pid} has no inspector`);
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`no connection to ${url}`)));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  let asked = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  const call = <T>(method: string, params: object = {}): Promise<T> =>
    new Promise((resolve) => {
      asked += 1;
      waiting.set(asked, (result) => resolve(result as T));
      socket.send(JSON.stringify({ id: asked, method, params }));
    });
  return {
    async heapMb() {
      // What a collection finalises is free only after the next one.
      for (let turn = 0; turn < 3; turn++) {
        await call("HeapProfiler.collectGarbage");
        await sleep(100);
      }
      const { usedSize } = await call<{ readonly usedSize: number }>("Runtime.getHeapUsage");
      return usedSize / 1e6;
    },
    async hottest(work, count = 25) {
      await call("Profiler.enable");
      await call("Profiler.start");
      await work();
      const { profile } = await call<{ readonly profile: CpuProfile }>("Profiler.stop");
      return selfTimes(profile, count);
    },
    close: () => socket.close(),
  };
}

function selfTimes({ nodes, samples = [] }: CpuProfile, count: number): readonly string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"} ${url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "")}:${lineNumber + 1}`,
    ]),
  );
  const hits = new Map<string, number>();
  let busy = 0;
  for (const id of samples) {
    const name = names.get(id) ?? "";
    if (name.startsWith("(idle)") || name.startsWith("(program)")) continue;
    busy += 1;
    hits.set(name, (hits.get(name) ?? 0) + 1);
  }
  return [...hits]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, hit]) => `${((hit / busy) * 100).toFixed(1).padStart(5)} % ${name}`)
    .concat(`busy ${((busy / Math.max(1, samples.length)) * 100).toFixed(0)} % of the time`);
}
