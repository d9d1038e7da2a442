import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Berth, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { axeFindings, launchBrowser, openPage, overflows, PHONE, type Theme, WIDE } from "../support/browser.ts";

const dataDir = scratchDir();
let berth: Berth;
let browser: Browser;

beforeAll(async () => {
  [berth, browser] = await Promise.all([startBerth({ dataDir }), launchBrowser()]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await berth?.stop();
  removeDir(dataDir);
});

/** What a page shows once its data has arrived. */
const PAGES: readonly { readonly path: string; readonly title: string; readonly shows: string }[] = [
  { path: "/", title: "Overview", shows: "Who announces what" },
  { path: "/services", title: "Services", shows: "127.77.10.1" },
  { path: "/services?service=default/nginx", title: "Services", shows: "127.77.10.1" },
  { path: "/pools", title: "Pools", shows: "127.77.10.1-127.77.10.254" },
  { path: "/traffic", title: "Traffic", shows: "default/nginx" },
  { path: "/health", title: "Health", shows: "node-02" },
];
const LOOKS: readonly { readonly theme: Theme; readonly viewport: typeof WIDE | typeof PHONE }[] = [
  { theme: "light", viewport: WIDE },
  { theme: "dark", viewport: WIDE },
  { theme: "light", viewport: PHONE },
  { theme: "dark", viewport: PHONE },
];

describe.each(PAGES)("$path", ({ path, title, shows }) => {
  it.each(LOOKS)(
    "has no accessibility finding and no error, $theme at $viewport.width px",
    async ({ theme, viewport }) => {
      const { page, context, complaints } = await openPage(browser, { theme, viewport });
      await page.goto(`${berth.url}${path}`);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await page.getByText(shows).first().waitFor({ state: "attached" });
      expect(await axeFindings(page)).toEqual([]);
      expect(await overflows(page)).toBe(false);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );
});
