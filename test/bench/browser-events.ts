/** For `browser.ts`: what server and page still hold after many changes of the cluster. */
import { setTimeout as sleep } from "node:timers/promises";
import { EVENTS, SERVICES } from "#api/resources";
import { Fault } from "#core/errors";
import { HOLLOW_NAMESPACE } from "#sandbox/hollow/objects";
import { openPage } from "../support/browser.ts";
import { type BenchStage, balancer, heapOf } from "./browser-stage.ts";

const LANES = 32;

/** Resolves when the watch of Services has brought `count` changes: of fifty writes one makes a Service, one takes one away. */
async function manyEvents({ cluster }: BenchStage, services: number, count: number): Promise<void> {
  const watched = cluster.cache(SERVICES);
  await watched.whenSynced();
  let seen = 0;
  const off = watched.onChange(() => {
    seen += 1;
  });
  const place = (name: string) => ({ namespace: HOLLOW_NAMESPACE, name });
  let turn = 0;
  const write = async () => {
    turn += 1;
    const name = `coming-${turn}`;
    if (turn % 50 === 0) {
      await cluster.create(SERVICES, balancer(name, HOLLOW_NAMESPACE, 80));
      await cluster.remove(SERVICES, place(name));
      return;
    }
    const body = { metadata: { annotations: { "example.com/turn": String(turn) } } };
    const index = ((turn * 7919) % services).toString().padStart(5, "0");
    await cluster.patch(SERVICES, place(`service-${index}`), { kind: "merge", body });
  };
  const lane = async () => {
    while (seen < count) {
      await write().catch((thrown) => {
        // Here everything shares a few cores: a connection may wait for longer than it may.
        if (!Fault.from(thrown).retryable) throw thrown;
        return sleep(100);
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  off();
}

/** `services`: how many hollow ones there are; `count`: changes of Services, as a watch counts them. */
export async function heapAfterEvents(stage: BenchStage, services: number, count: number): Promise<void> {
  const { browser, cluster, server, say, url } = stage;
  const { page, context } = await openPage(browser);
  await page.goto(`${url}/services`);
  await page.locator("tbody tr").first().waitFor();
  const settled = async () => {
    // Events are kept for an hour, not for ever: here the hour is over.
    for (const namespace of [HOLLOW_NAMESPACE, "default"]) {
      const { items } = await cluster.list(EVENTS, { namespace });
      for (let from = 0; from < items.length; from += 100) {
        await Promise.all(
          items
            .slice(from, from + 100)
            .map(({ metadata: { name = "" } }) => cluster.remove(EVENTS, { namespace, name }).catch(() => undefined)),
        );
      }
    }
    await sleep(3000);
    return { server: await server.heapMb(), page: await heapOf(page) };
  };
  await manyEvents(stage, services, Math.min(count / 10, 10_000));
  const before = await settled();
  const from = performance.now();
  await manyEvents(stage, services, count);
  const rate = count / ((performance.now() - from) / 1000);
  const after = await settled();
  const change = (one: number, other: number) =>
    `${one.toFixed(1)} MB, then ${other.toFixed(1)} MB: ${((other / one - 1) * 100).toFixed(1)} %`;
  const what = `${count} events (${rate.toFixed(0)} a second)`;
  say(`server's heap after ${what}`, change(before.server, after.server), "within 10 %");
  say(`page's heap after ${what}`, change(before.page, after.page));
  await context.close();
}
