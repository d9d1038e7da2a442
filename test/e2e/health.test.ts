import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/berth.ts";
import { expectAccessible, hop, MODAL, region, rowOf, type Stage, startStage } from "./stage.ts";

let stage: Stage;
let page: Page;

beforeAll(async () => {
  stage = await startStage();
  page = await stage.open("/health");
}, 120_000);

afterAll(() => stage?.close());

const preflight = () => region(page, "Preflight");
const components = () => region(page, "Components, table");
const nodes = () => region(page, "Nodes, table");
const wire = () => region(page, "Belief and wire, table");

async function proxyConfig(): Promise<string> {
  const path = "jsonpath={.data.config\\.conf}";
  return stage.berth.kubectl("get", "configmap", "kube-proxy", "-n", "kube-system", "-o", path);
}

describe("Health", () => {
  it("shows every check passed, every pod ready, and who answers on the wire", async () => {
    await preflight().getByText("10 passed").waitFor();
    for (const node of ["node-01", "node-02", "node-03"]) {
      await rowOf(components(), `speaker ${node}`).getByText("Ready", { exact: true }).waitFor();
      await rowOf(nodes(), node).getByText("3 of 3 speakers").waitFor();
    }
    await rowOf(components(), "controller").getByText("valid").waitFor();
    await rowOf(wire(), "127.77.10.1").getByText("Agrees").waitFor();
    await preflight()
      .getByRole("button", { name: /^Heartbeats between speakers/ })
      .click();
    await preflight()
      .getByText(/UDP 7946/)
      .waitFor();
    await expectAccessible(page);
  }, 120_000);

  it("tails the log of a pod", async () => {
    await rowOf(components(), "speaker node-02")
      .getByRole("button", { name: /^Log of speaker-/ })
      .click();
    const drawer = page.getByRole("complementary", { name: /^Log of speaker-/ });
    await drawer.getByText(/^Last \d+ lines, read every 2 s$/).waitFor();
    await expect
      .poll(() => region(page, /^Lines of speaker-/).textContent())
      .toMatch(/\d\d:\d\d:\d\d\.\d{3} member (heard|changed) .*node=node-02/);
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
  }, 120_000);
});

describe("strictARP turned off by kubectl and the proxies restarted", () => {
  const finding = () => region(page, /^strictARP is false/);

  it("shows as a finding, with three MACs for one address", async () => {
    const { berth } = stage;
    const config = (await proxyConfig()).replace("strictARP: true", "strictARP: false");
    const patch = JSON.stringify({ data: { "config.conf": config } });
    await berth.kubectl("patch", "configmap", "kube-proxy", "-n", "kube-system", "--type", "merge", "-p", patch);
    await berth.kubectl("rollout", "restart", "daemonset", "kube-proxy", "-n", "kube-system");
    await berth.kubectl("rollout", "status", "daemonset", "kube-proxy", "-n", "kube-system", "--timeout=25s");
    await page.getByRole("button", { name: "Run checks again" }).click();
    await finding().waitFor();
    for (const last of ["11", "12", "13"]) await finding().getByText(`02:be:77:00:00:${last}`).last().waitFor();
    await expect.poll(() => finding().getByText("must be silent").count()).toBe(2);
    await expect.poll(() => finding().getByText("expected", { exact: true }).count()).toBe(1);
    await rowOf(wire(), "127.77.10.1").getByText("3 MACs").waitFor();
    await finding().getByRole("button", { name: "Show change" }).click();
    await finding().getByText("+ strictARP: true").waitFor();
    await expectAccessible(page);
    const overview = await stage.open("/", { theme: "dark" });
    await region(overview, "Needs you").getByRole("link", { name: "Fix: kube-proxy: strictARP" }).waitFor();
    await overview.close();
  }, 120_000);

  it("is mended with one click, down to one MAC on the wire", async () => {
    await finding().getByRole("button", { name: "Set strictARP and restart kube-proxy" }).click();
    const hops = page.getByRole("list", { name: "Progress" });
    await hop(hops, "Set strictARP: true");
    await hop(hops, "kube-proxy restarted everywhere");
    // The last step ends the finding, and with it the list of its steps may go before anybody has looked.
    const operations = async () => (await fetch(`${stage.berth.url}/api/operations`)).text();
    await expect.poll(operations, { timeout: 30_000 }).toContain('"One MAC for 1 address","state":"done"');
    await preflight().getByText("10 passed").waitFor();
    await rowOf(wire(), "127.77.10.1").getByText("Agrees").waitFor();
    await finding().waitFor({ state: "detached" });
    expect(await proxyConfig()).toContain("strictARP: true");
  }, 120_000);
});

describe("a component", () => {
  it("is restarted, pod by pod, with its progress", async () => {
    const before = await components()
      .getByRole("button", { name: /^Log of speaker-/ })
      .count();
    await page.getByRole("button", { name: "Restart the speaker" }).click();
    const hops = page.getByRole("list", { name: "speaker, progress" });
    await hop(hops, "Restart DaemonSet speaker");
    await hop(hops, /Speaker: 3 of 3/);
    await expect
      .poll(() =>
        components()
          .getByRole("button", { name: /^Log of speaker-/ })
          .count(),
      )
      .toBe(before);
    await rowOf(wire(), "127.77.10.1").waitFor();
  }, 120_000);

  it("is uninstalled object by object after a warning; pools and addresses stay", async () => {
    await page.getByRole("button", { name: "Uninstall the controller" }).click();
    const ask = page.getByRole("dialog", { name: "Uninstall the controller" });
    await ask.getByText(/^Services keep their addresses/).waitFor();
    await expectAccessible(page, MODAL);
    await ask.getByRole("button", { name: "Uninstall the controller" }).click();
    const hops = page.getByRole("list", { name: "controller, progress" });
    await hop(hops, "Deployment controller deleted");
    await hop(hops, "Every pod ended");
    await hop(hops, "ServiceAccount controller deleted");
    await rowOf(components(), "controller").getByText("Not installed").waitFor();
    expect(await stage.berth.kubectl("get", "service", "nginx")).toContain("127.77.10.1");
    await expectAccessible(page);
  }, 120_000);

  it("is installed again object by object", async () => {
    await page.getByRole("button", { name: "Install controller" }).click();
    const hops = page.getByRole("list", { name: "controller, progress" });
    await hop(hops, "ServiceAccount controller created");
    await hop(hops, "Deployment controller created");
    await hop(hops, /Controller: 1 of 1/);
    await rowOf(components(), "controller").getByText("Ready", { exact: true }).waitFor();
    expect(await stage.berth.kubectl("get", "service", "nginx")).toContain("127.77.10.1");
  }, 120_000);
});

describe("the power drill", () => {
  it("switches a node off: its address goes to another; and on again", async () => {
    /** By the table that follows the cluster at once; what was seen on the wire may be of an earlier look. */
    const announcers = async () => {
      const rows = await rowOf(nodes(), /^node-0/).allTextContents();
      return rows.flatMap((text) => (/speakers1/.test(text) ? (/node-0\d/.exec(text) ?? []) : []));
    };
    const node = await eventually("one node to announce it", 30_000, async () => {
      const found = await announcers();
      return found.length === 1 ? (found[0] ?? null) : null;
    });
    await nodes()
      .getByRole("button", { name: `Power off ${node}` })
      .click();
    await nodes()
      .getByRole("button", { name: `Power off ${node}` })
      .click();
    await rowOf(nodes(), node).getByText("Powered off").waitFor();
    await eventually("another node announces it", 30_000, async () =>
      (await announcers()).some((one) => one !== node) ? true : null,
    );
    const neighbours = region(page, "Neighbours of the edge, table");
    await eventually(`the edge to know another than ${node}`, 30_000, async () => {
      const text = (await rowOf(neighbours, "127.77.10.1").textContent()) ?? "";
      if (text.includes(node)) throw new Error(text);
      return true;
    });
    await expectAccessible(page);
    await nodes()
      .getByRole("button", { name: `Power on ${node}` })
      .click();
    await rowOf(nodes(), node).getByText("Ready", { exact: true }).waitFor();
    await rowOf(components(), `speaker ${node}`).getByText("Ready", { exact: true }).waitFor();
  }, 120_000);
});
