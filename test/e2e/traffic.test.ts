import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { berthProcesses } from "../support/berth.ts";
import { expectAccessible, region, rowOf, type Stage, startStage } from "./stage.ts";

let stage: Stage;
let page: Page;
let overview: Page;

beforeAll(async () => {
  stage = await startStage();
  page = await stage.open("/traffic");
  overview = await stage.open("/", { theme: "dark" });
}, 120_000);

afterAll(() => stage?.close());

const settings = () => region(page, "Probe settings");
const shares = () => page.getByRole("table", { name: "Share of replies by pod" });
const failures = () => page.getByText(/^failed of [\d,]+$/);
const runs = () => region(page, "Probe runs, table");

describe("a probe", () => {
  it.each([
    ["0.05", "at least 0.1 requests per second"],
    ["51", "at most 50 requests per second"],
    ["fast", "a number such as 5"],
  ])(
    "of rate %s is refused beside the rate",
    async (rate, message) => {
      await settings().getByRole("textbox", { name: "Or any rate" }).fill(rate);
      await settings().getByRole("button", { name: "Start probe" }).click();
      await settings().getByRole("alert").getByText(message).waitFor();
      expect(await runs().count()).toBe(0);
      await expectAccessible(page);
    },
    120_000,
  );

  it("shows the share of each pod against what is expected, and why", async () => {
    await expectAccessible(page);
    expect(await settings().getByLabel("Service").inputValue()).toBe("default/nginx");
    await settings().getByRole("radio", { name: "20" }).check();
    await settings().getByRole("button", { name: "Start probe" }).click();
    await page.getByRole("heading", { level: 1, name: "default/nginx" }).waitFor();
    await page.getByText(/^Expecting 33\.3 % each: L2, policy Cluster, 3 ready pods/).waitFor();
    await expect.poll(() => shares().getByRole("row").count()).toBe(1 + 3);
    for (const node of ["node-01", "node-02", "node-03"]) await shares().getByText(node).waitFor();
    await page
      .getByText(/^(Even, within chance|More even than random)/)
      .first()
      .waitFor();
    await settings().getByText("Seen from this machine").waitFor();
    expect(await settings().getByRole("textbox", { name: "Request" }).inputValue()).toBe("GET http://127.77.10.1/");
  }, 120_000);

  it("draws them over time, one series a pod, as shares and as requests", async () => {
    const chart = page.getByRole("img", { name: /^Share of replies by pod over \d+ seconds: (\S+ [\d.]+ %(, )?){3}$/ });
    await chart.waitFor();
    await expect.poll(() => chart.locator("path.recharts-area-area").count()).toBe(3);
    await page.getByRole("radio", { name: "Requests" }).check();
    await page.getByRole("heading", { name: "Requests over time" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("radio", { name: "Share" }).check();
  }, 120_000);

  it("shows the last replies as a terminal would", async () => {
    await page.getByRole("radio", { name: "Terminal" }).check();
    const replies = region(page, "Replies, newest first");
    await replies
      .getByText(/^POD: nginx-app-\S+\s+NODE: node-0\d$/)
      .first()
      .waitFor();
    await expectAccessible(page);
  }, 120_000);
});

describe("while it runs", () => {
  it("a scale by kubectl is followed, without a failure", async () => {
    await stage.berth.kubectl("scale", "deployment", "nginx-app", "--replicas=5");
    await page.getByText(/^Expecting 20 % each: L2, policy Cluster, 5 ready pods/).waitFor();
    await expect
      .poll(async () => {
        const texts = await shares().getByRole("row").allTextContents();
        return texts.slice(1).filter((text) => !/ 0$|%0$/.test(text)).length;
      })
      .toBe(5);
    await failures().locator("..").getByText("0", { exact: true }).waitFor();
  }, 120_000);

  it("the announcing speaker may be killed: another node takes over in sight, and no request is lost", async () => {
    const quays = region(overview, "Who announces what");
    const node = await quays.getByRole("link", { name: "127.77.10.1" }).evaluate(
      // The column that holds the chip begins with the node's name.
      (chip) => chip.parentElement?.previousElementSibling?.querySelector("b")?.textContent ?? "",
    );
    const [speaker] = berthProcesses(stage.berth.dataDir, "speaker", `METALLB_NODE_NAME=${node}`);
    expect(speaker).toBeDefined();
    process.kill(speaker ?? 0, "SIGKILL");
    const lastMove = () =>
      region(overview, "Summary")
        .getByText(/^node-0\d$/)
        .allTextContents();
    await expect.poll(async () => (await lastMove())[0], { timeout: 15_000, interval: 50 }).toBe(node);
    const moved = await lastMove();
    expect(moved[1]).not.toBe(node);
    await page.getByText(`moved to ${moved[1]}`).first().waitFor();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await failures().locator("..").getByText("0", { exact: true }).waitFor();
    await expectAccessible(page);
    await expectAccessible(overview);
  }, 120_000);

  it("the Overview shows it in small", async () => {
    await overview.getByRole("link", { name: "default/nginx" }).first().waitFor();
    await overview.getByRole("heading", { name: "Live probe" }).waitFor();
    await overview.getByRole("navigation", { name: "Main", exact: true }).getByText("1 live").waitFor();
  });
});

describe("afterwards", () => {
  it("it is stopped, and what was measured stays to be read", async () => {
    await page.getByRole("button", { name: "Stop probe" }).click();
    await page.getByText(/^stopped after \d+/).waitFor();
    await rowOf(runs(), "default/nginx").getByText("Stopped").waitFor();
    await expect.poll(() => shares().getByRole("row").count()).toBeGreaterThanOrEqual(1 + 5);
    await settings().getByRole("button", { name: "Start probe" }).waitFor();
    await expectAccessible(page);
  }, 120_000);

  it("a run is deleted, and the page is as at the start", async () => {
    await runs()
      .getByRole("button", { name: /^Delete the run of default\/nginx/ })
      .click();
    await page.getByText(/^Start a probe: it opens a new connection for each request/).waitFor();
    expect(await runs().count()).toBe(0);
  }, 120_000);
});
