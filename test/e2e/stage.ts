import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { stringify } from "yaml";
import { type Berth, removeDir, scratchDir, startBerth } from "../support/berth.ts";
import { axeFindings, launchBrowser, openPage, type Theme, WIDE } from "../support/browser.ts";

/** One Berth in a directory of its own and one browser, for one file of tests. */
export interface Stage {
  readonly berth: Berth;
  readonly browser: Browser;
  /** Opens a path of the dashboard; what the browser complains about is checked by `close`. */
  open(path: string, options?: { readonly theme?: Theme; readonly origin?: string }): Promise<Page>;
  /** Where this machine reaches a Service over HTTP: its address, or what it was mapped to without root. */
  reachable(name: string): Promise<string>;
  /** `kubectl apply` of one or more objects. */
  apply(...objects: readonly object[]): Promise<void>;
  close(): Promise<void>;
}

/** Locators give up after this long: far above what is promised, so that a busy machine fails no test by itself. */
const PATIENCE_MS = 30_000;

export async function startStage(options: { readonly args?: readonly string[] } = {}): Promise<Stage> {
  const dataDir = scratchDir();
  const [berth, browser] = await Promise.all([startBerth({ dataDir, args: options.args ?? [] }), launchBrowser()]);
  const complaints: (readonly string[])[] = [];
  return {
    berth,
    browser,
    async open(path, { theme = "light", origin = berth.url } = {}) {
      const opened = await openPage(browser, { theme, viewport: WIDE });
      opened.page.setDefaultTimeout(PATIENCE_MS);
      complaints.push(opened.complaints);
      await opened.page.goto(`${origin}${path}`);
      return opened.page;
    },
    async reachable(name) {
      const path = "{.status.loadBalancer.ingress[0].ip} {.metadata.annotations.berth\\.dev/reachable-at}";
      const [ip, mapped] = (await berth.kubectl("get", "service", name, "-o", `jsonpath=${path}`)).split(" ");
      return `http://${mapped ? mapped.split(/[=,]/)[1] : ip}/`;
    },
    async apply(...objects) {
      const file = join(dataDir, `${randomUUID()}.yaml`);
      writeFileSync(file, objects.map((object) => stringify(object)).join("---\n"));
      await berth.kubectl("apply", "-f", file);
      rmSync(file);
    },
    async close() {
      await browser.close();
      await berth.stop();
      removeDir(dataDir);
      expect(complaints.flat().filter((line) => !isRefusal(line))).toEqual([]);
    },
  };
}

/** Chromium logs every 4xx and 5xx answer as an error, also those that a test provokes. */
function isRefusal(complaint: string): boolean {
  return /^Failed to load resource: (the server responded with a status of|net::ERR_)/.test(complaint);
}

export async function expectAccessible(page: Page, within?: string): Promise<void> {
  expect(await axeFindings(page, within)).toEqual([]);
}

/** What an open modal dialog covers is inert and was looked at before. */
export const MODAL = "dialog[open]";

/** A part of the page by its accessible name. */
export function region(page: Page, name: string | RegExp): Locator {
  return page.getByRole("region", { name });
}

/** The row of a table in which this text stands. */
export function rowOf(page: Page | Locator, text: string | RegExp): Locator {
  return page.getByRole("row").filter({ hasText: text });
}

/** Waits until one element with this text is in view of its own step list: "Announced by", "Reachable". */
export async function hop(list: Locator, text: string | RegExp): Promise<string> {
  const item = list.getByRole("listitem").filter({ hasText: text }).filter({ hasText: ", done" });
  await item.first().waitFor();
  return ((await item.first().textContent()) ?? "").replaceAll(/\s+/g, " ");
}

export interface ServiceWish {
  readonly name: string;
  readonly type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** A Service of the demo's pods. */
export function service({ name, type = "ClusterIP", annotations = {}, spec = {} }: ServiceWish): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", annotations },
    spec: { type, selector: { app: "my-cool-application" }, ports: [{ port: 80, targetPort: 80 }], ...spec },
  };
}

export function pool(name: string, addresses: readonly string[], spec: object = {}): object {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: "metallb-system" },
    spec: { addresses, ...spec },
  };
}

export function advertisement(name: string, pools: readonly string[]): object {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "L2Advertisement",
    metadata: { name, namespace: "metallb-system" },
    spec: { ipAddressPools: pools },
  };
}
