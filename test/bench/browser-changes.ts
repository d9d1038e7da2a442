/** For `browser.ts`: how long a change in the cluster takes to the screen. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { IP_ADDRESS_POOLS, SERVICES } from "#api/resources";
import { openPage } from "../support/browser.ts";
import { type BenchStage, OWN, spread } from "./browser-stage.ts";
import { clockOffset, painted, watch } from "./page-clock.ts";

/** In the page: whether any row of a table says so. */
const rowSays = (wanted: string) =>
  [...document.querySelectorAll("tbody tr")].some((row) => (row.textContent ?? "").includes(wanted));

interface Times {
  /** From before the request was sent to the frame that shows the change. */
  readonly shown: number[];
  /** Of that, until the API server had answered: the webhooks and the store. */
  readonly answered: number[];
}

async function untilPainted(
  page: Page,
  count: number,
  wanted: (turn: number) => string,
  change: (turn: number) => Promise<unknown>,
): Promise<Times> {
  const times: Times = { shown: [], answered: [] };
  const offset = await clockOffset(page);
  for (let turn = 0; turn < count; turn++) {
    await watch(page, rowSays, wanted(turn));
    // Changes come when they come, not in step with the batches.
    await sleep((turn * 37) % 100);
    const sent = performance.timeOrigin + performance.now();
    await change(turn);
    times.answered.push(performance.timeOrigin + performance.now() - sent);
    times.shown.push((await painted(page)).at - offset - sent);
  }
  return times;
}

/** A Service and a pool, both called "pixels", are changed through the API server `count` times each. */
export async function changesToPixels(stage: BenchStage, count: number, where: string): Promise<void> {
  const { browser, cluster, url } = stage;
  const tell = (what: string, { shown, answered }: Times) => {
    stage.say(`change of a ${what} to pixels, ${where}`, spread(shown), "p95 ≤ 250 ms");
    stage.say("  of that, until the API server answered", spread(answered));
  };
  const services = await openPage(browser);
  await services.page.goto(`${url}/services`);
  await services.page.getByPlaceholder("Filter by name").fill("pixels");
  await services.page.getByText("pixels").first().waitFor();
  const base = 10_000 + (Date.now() % 20_000);
  const ports = await untilPainted(
    services.page,
    count,
    (turn) => String(base + turn),
    (turn) => {
      const body = { spec: { ports: [{ port: base + turn, targetPort: 80 }] } };
      return cluster.patch(SERVICES, { namespace: "default", name: "pixels" }, { kind: "merge", body });
    },
  );
  tell("Service", ports);
  await services.context.close();

  const pools = await openPage(browser);
  await pools.page.goto(`${url}/pools`);
  await pools.page.getByText("pixels").first().waitFor();
  const range = (turn: number) => `127.79.${turn >> 7}.1-127.79.${turn >> 7}.${100 + (turn & 127)}`;
  const ranges = await untilPainted(pools.page, count, range, (turn) => {
    const body = { spec: { addresses: [range(turn)] } };
    return cluster.patch(IP_ADDRESS_POOLS, { namespace: OWN, name: "pixels" }, { kind: "merge", body });
  });
  tell("pool", ranges);
  await pools.context.close();
}
