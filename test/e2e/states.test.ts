import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { berthProcesses } from "../support/berth.ts";
import { freePort } from "../support/traffic.ts";
import { expectAccessible, MODAL, pool, region, rowOf, type Stage, service, startStage } from "./stage.ts";

let stage: Stage;
let viewer: { readonly url: string; readonly pid: number | undefined; stop(): void };

beforeAll(async () => {
  stage = await startStage();
  viewer = await startViewer(stage.berth.kubeconfig);
}, 120_000);

afterAll(async () => {
  viewer?.stop();
  await stage?.close();
});

/** A second dashboard, as somebody would run it against a real cluster with an account that may only look. */
async function startViewer(kubeconfig: string): Promise<typeof viewer> {
  const port = await freePort();
  const context = ["--kubeconfig", kubeconfig, "--context", "berth-sandbox-viewer"];
  const child: ChildProcess = spawn(
    process.execPath,
    ["bin/berth.mjs", "dashboard", ...context, "--port", String(port)],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
  );
  const ready = new Promise<void>((resolve, reject) => {
    let text = "";
    child.once("exit", (code) => reject(new Error(`the dashboard ended with ${code}:\n${text}`)));
    if (child.stdout === null) return reject(new Error("no output"));
    createInterface({ input: child.stdout }).on("line", (line) => {
      text += `${line}\n`;
      if (line.includes('"msg":"ready"')) resolve();
    });
    setTimeout(() => reject(new Error(`the dashboard was not ready within 60 s:\n${text}`)), 60_000).unref();
  });
  await ready.catch((thrown: unknown) => {
    child.kill("SIGKILL");
    throw thrown;
  });
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, stop: () => child.kill("SIGTERM") };
}

function kill(verb: string): void {
  const pid = berthProcesses(stage.berth.dataDir, verb).find((one) => one !== viewer.pid);
  if (pid === undefined) throw new Error(`no process runs berth ${verb}`);
  process.kill(pid, "SIGKILL");
}

/** Back within half a second it may not have been missed: so it is killed again, and is away longer each time. */
async function killUntil(verb: string, noticed: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 75; look++) {
    if (await noticed()) return;
    const [pid] = berthProcesses(stage.berth.dataDir, verb);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    await sleep(200);
  }
  expect.fail(`nobody noticed that ${verb} was gone`);
}

const live = (page: Page) => page.getByRole("banner").getByRole("status");

describe("when the API server is killed", () => {
  it("the page says so and keeps its data; everything acknowledged is there when it is back", async () => {
    const page = await stage.open("/services");
    const row = rowOf(region(page, "Services table"), "default/nginx");
    await row.getByText("127.77.10.1").waitFor();
    await stage.apply(pool("spare", ["127.77.60.0/30"]), service({ name: "kept" }));
    await page.evaluate(() => {
      // Whether the row left the table for a moment is not to be seen by looking now and then.
      const seen = { gone: false, said: [] as string[] };
      const look = () => {
        if (!document.body.textContent.includes("127.77.10.1")) seen.gone = true;
        const said = document.querySelector("header [role=status]")?.textContent ?? "";
        if (seen.said.at(-1) !== said) seen.said.push(said);
      };
      Object.assign(window, { seen });
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    const alert = page.getByRole("main").getByRole("alert");
    const said = alert.getByText(/^The API server at https:\/\/127\.0\.0\.1:\d+ does not answer/);
    const notConnected = live(page).getByText("Not connected");
    await killUntil("sandbox", async () => (await said.isVisible()) && (await notConnected.isVisible()));
    await expectAccessible(page, "header, [role=alert]");
    await live(page).getByText("Live").waitFor();
    await alert.waitFor({ state: "detached" });
    const seen = await page.evaluate(() => Reflect.get(window, "seen") as { gone: boolean; said: string[] });
    expect(seen).toEqual({ gone: false, said: expect.arrayContaining(["Not connected", "Live"]) });
    await page.getByRole("navigation", { name: "Service lists" }).getByRole("button", { name: "Not exposed" }).click();
    await rowOf(region(page, "Services table"), "default/kept").waitFor();
    expect(await stage.berth.kubectl("get", "ipaddresspools", "-n", "metallb-system", "-o", "name")).toContain("spare");
    expect(await stage.berth.kubectl("get", "service", "nginx")).toContain("127.77.10.1");
  }, 120_000);
});

describe("when the dashboard's own server is killed", () => {
  it("the page reconnects by itself, keeps what it showed meanwhile, and is live again", async () => {
    const page = await stage.open("/pools");
    const table = region(page, "Pools table");
    await rowOf(table, "production").waitFor();
    await live(page).getByText("Live").waitFor();
    kill("dashboard");
    await live(page).getByText("Reconnecting").waitFor();
    await rowOf(table, "production").getByText("127.77.10.2", { exact: true }).waitFor();
    await live(page).getByText("Live").waitFor({ timeout: 30_000 });
    await stage.apply(pool("afterwards", ["127.77.61.0/30"]));
    await rowOf(table, "afterwards").waitFor();
  }, 120_000);
});

describe("an account that may only look, on a cluster that is no sandbox", () => {
  it("sees everything, and is refused a write with the verb and the kind that are missing", async () => {
    const page = await stage.open("/pools", { origin: viewer.url });
    await rowOf(region(page, "Pools table"), "production").waitFor();
    await page.getByRole("button", { name: "New pool" }).click();
    const form = page.getByRole("dialog", { name: "New pool" });
    await form.getByRole("textbox", { name: "Name" }).fill("mine");
    await form.getByRole("textbox", { name: "Addresses" }).fill("127.77.70.0/30");
    await form.getByRole("button", { name: "Create pool and advertisement" }).click();
    const problem = form.getByRole("alert");
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/create.*ipaddresspools/i);
    expect(await form.getByRole("textbox", { name: "Name" }).inputValue()).toBe("mine");
    await expectAccessible(page, MODAL);
  }, 120_000);

  it("cannot install anything, and reads why", async () => {
    const page = await stage.open("/health", { origin: viewer.url, theme: "dark" });
    const reason = page.getByText(/^Installing on real clusters comes later/);
    await reason.first().waitFor();
    for (const name of ["Restart the speaker", "Uninstall the controller"])
      expect(await page.getByRole("button", { name }).isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: /^Power off/ }).count()).toBe(0);
    expect(await page.getByText("Sandbox.", { exact: true }).count()).toBe(0);
    await expectAccessible(page);
  }, 120_000);

  it("is refused by the API as well, with a problem and nothing half done", async () => {
    const response = await fetch(`${viewer.url}/api/services/default/nginx/expose`, { method: "DELETE" });
    const operation = response.status === 202 ? await operationOf(response) : await response.json();
    expect(JSON.stringify(operation)).toMatch(/patch.*services/i);
    expect(await stage.berth.kubectl("get", "service", "nginx")).toContain("127.77.10.1");
  }, 120_000);

  async function operationOf(response: Response): Promise<unknown> {
    const { operation } = (await response.json()) as { operation: string };
    for (let turn = 0; turn < 300; turn += 1) {
      const row = (await (await fetch(`${viewer.url}/api/operations/${operation}`)).json()) as { state: string };
      if (row.state !== "running") return row;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the operation did not end");
  }
});

describe("finding one's way", () => {
  it("Ctrl K finds an address and goes to its Service", async () => {
    const page = await stage.open("/");
    await region(page, "Who announces what").getByRole("link", { name: "127.77.10.1" }).waitFor();
    await page.keyboard.press("Control+k");
    const box = page.getByRole("dialog", { name: "Find" });
    await box.getByRole("combobox").fill("10.1");
    await box.getByRole("option", { name: /^127\.77\.10\.1 default\/nginx$/ }).waitFor();
    await expectAccessible(page, MODAL);
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Service default/nginx" }).waitFor();
    expect(new URL(page.url()).search).toBe("?service=default/nginx");
    await page.keyboard.press("Control+k");
    await box.getByRole("combobox").fill("no such thing");
    await box.getByText("Nothing here is called “no such thing”").waitFor();
    await page.keyboard.press("Escape");
    await box.waitFor({ state: "detached" });
  }, 120_000);

  it("a page that does not exist says so and leads back", async () => {
    const page = await stage.open("/nowhere");
    await page.getByRole("heading", { level: 1, name: "There is no such page" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  }, 120_000);

  it("the theme follows the system until it is chosen, and the choice is kept", async () => {
    const page = await stage.open("/services", { theme: "dark" });
    const isDark = () => page.evaluate(() => document.documentElement.classList.contains("dark"));
    expect(await isDark()).toBe(true);
    await page.getByRole("button", { name: "Theme: system. Switch to light" }).click();
    await expect.poll(isDark).toBe(false);
    await page.reload();
    await page.getByRole("button", { name: "Theme: light. Switch to dark" }).waitFor();
    expect(await isDark()).toBe(false);
  }, 120_000);
});
