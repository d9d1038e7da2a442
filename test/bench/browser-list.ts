/** For `browser.ts`: the list of thousands of Services under a user's hands. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { matches } from "#client/service-list";
import { openPage } from "../support/browser.ts";
import { type BenchStage, heapOf, ms, spread } from "./browser-stage.ts";
import { longestFrame, painted, watch } from "./page-clock.ts";

export async function largeList(stage: BenchStage): Promise<void> {
  const { browser, say, url } = stage;
  const { page, context } = await openPage(browser);
  await page.goto(`${url}/services`);
  await page.locator("tbody tr").first().waitFor();
  say("services page, first visit to first rows", spread(await firstVisits(stage, 5)));
  say("keystroke in the filter to the next frame", spread(await keystrokes(stage, page)), "≤ 100 ms");
  say("click on a column head to the next frame", spread(await sorts(page)), "≤ 100 ms");
  await page.mouse.move(720, 500);
  say("scrolling the list, longest frame", ms(await longestFrame(page, 120)));
  say("JS heap of the page", `${(await heapOf(page)).toFixed(1)} MB`);
  await context.close();
}

async function firstVisits({ browser, url }: BenchStage, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < count; turn++) {
    const { page, context } = await openPage(browser);
    await page.goto(`${url}/services`, { waitUntil: "commit" });
    await page.waitForFunction(() => document.body !== null);
    await watch(page, () => document.querySelector("tbody tr") !== null, "");
    const { at } = await painted(page);
    times.push(at - (await page.evaluate(() => performance.timeOrigin)));
    await context.close();
  }
  return times;
}

async function keystrokes(stage: BenchStage, page: Page): Promise<readonly number[]> {
  const rows = await stage.balancers();
  const filter = page.getByPlaceholder("Filter by name");
  await filter.click();
  const times: number[] = [];
  for (const word of ["service-0123", "hollow 80", "127.78", "service-04", "nothing"]) {
    for (const [index, key] of [...word].entries()) {
      const typed = word.slice(0, index + 1);
      // A frame that still shows the rows of before does not count.
      const expected = rows.filter((row) => matches(row, typed)).length;
      await watch(page, isFiltered, JSON.stringify({ typed, expected }));
      await filter.press(key === " " ? "Space" : key);
      const { at, inputAt } = await painted(page);
      times.push(at - inputAt);
    }
    await filter.fill("");
    await page.waitForTimeout(100);
  }
  return times;
}

/** In the page: the text is in the box, and the foot says the expected number of rows. */
function isFiltered(wanted: string): boolean {
  const { typed, expected } = JSON.parse(wanted) as { typed: string; expected: number };
  const input = document.querySelector<HTMLInputElement>("fieldset.facets input");
  if (input?.value !== typed) return false;
  const foot = document.querySelector(".tfoot span")?.textContent ?? "";
  return expected === 0 ? foot === "" : foot.endsWith(` of ${expected.toLocaleString("en-US")}`);
}

async function sorts(page: Page): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const label = ["Service", "Address", "Age", "Status"][turn % 4] ?? "";
    await watch(page, isSortedBy, label);
    await page.locator("thead button", { hasText: label }).click();
    const { at, inputAt } = await painted(page);
    times.push(at - inputAt);
  }
  return times;
}

/** In the page; the rows are drawn in the same frame as the head. */
function isSortedBy(wanted: string): boolean {
  return document.querySelector("thead th[aria-sort=ascending]")?.textContent === wanted;
}

/** Pictures of the pages that grow with the cluster, in both themes. */
export async function shots({ browser, url }: BenchStage, folder: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    const { page, context } = await openPage(browser, { theme });
    await page.goto(`${url}/services`);
    await page.locator("tbody tr").first().waitFor();
    await sleep(1000);
    await page.screenshot({ path: join(folder, `services-large-${theme}.png`), fullPage: true });
    await page.goto(`${url}/`);
    await sleep(1500);
    await page.screenshot({ path: join(folder, `overview-large-${theme}.png`), fullPage: true });
    await page.goto(`${url}/health`);
    await sleep(1500);
    await page.screenshot({ path: join(folder, `health-large-${theme}.png`), fullPage: false });
    await context.close();
  }
}
