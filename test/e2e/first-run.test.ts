import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, podOf } from "../support/hammer.ts";
import { expectAccessible, hop, region, type Stage, startStage } from "./stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ args: ["--from-scratch"] });
}, 120_000);

afterAll(() => stage?.close());

describe("the first run on an empty cluster", () => {
  it("leads from nothing to watched traffic in the browser alone, in under two minutes", async () => {
    const startedAt = performance.now();
    const page = await stage.open("/");
    const checklist = region(page, "From an empty cluster to balanced traffic");
    const progress = checklist.getByRole("list", { name: "Progress" });
    const step = (title: string) => checklist.getByRole("button", { name: new RegExp(`^\\d?\\s*${title}`) });
    const done = (title: string) => checklist.getByRole("button", { name: new RegExp(`${title}.*, done$`) });
    await checklist.getByText("0 of 6 done").waitFor();
    await expectAccessible(page);

    // 1. The change is shown before it is made; the steps of the fix report as they end.
    await checklist.getByText("+ strictARP: true").waitFor();
    expect(await step("Let only one node answer").getAttribute("aria-expanded")).toBe("true");
    await checklist.getByRole("button", { name: "Set strictARP and restart kube-proxy" }).click();
    await hop(progress, "Set strictARP: true");
    await done("Let only one node answer").waitFor();

    // 2. Both components, object by object.
    await checklist.getByRole("button", { name: "Install both" }).click();
    await hop(checklist.getByRole("list", { name: "Install controller" }), "Deployment controller created");
    await hop(checklist.getByRole("list", { name: "Install speaker" }), "DaemonSet speaker created");
    await done("Install controller and speakers").waitFor();

    // 3. One form, filled in already.
    await expect.poll(() => checklist.getByLabel("Addresses").inputValue()).toBe("127.77.10.1-127.77.10.254");
    expect(await checklist.getByLabel("Pool", { exact: true }).inputValue()).toBe("production");
    expect(await checklist.getByLabel("Advertisement").inputValue()).toBe("external");
    await expectAccessible(page);
    await checklist.getByRole("button", { name: "Create pool and advertisement" }).click();
    await done("Make a pool and announce it").waitFor();

    // 4. The workload, until its pods are ready.
    await checklist.getByRole("button", { name: "Apply the demo" }).click();
    await hop(progress, "Deployment nginx-app created");
    await done("Run the demo workload").waitFor();

    // 5. Exposed in one click: the address it will get is said before.
    await checklist.getByText("It gets 127.77.10.1").waitFor();
    await checklist.getByRole("button", { name: "Expose default/nginx" }).click();
    await hop(progress, "Assigned 127.77.10.1");
    await done("Expose the Service").waitFor();
    expect(await done("Expose the Service").textContent()).toMatch(/Reachable: Pod nginx-app-\S+ answered in \d+ ms/);

    await region(page, "Needs you").getByText("Nothing needs you").waitFor();

    // 6. The probe.
    await checklist.getByRole("button", { name: "Probe default/nginx" }).click();
    await page.getByRole("heading", { level: 1, name: "default/nginx" }).waitFor();
    const shares = page.getByRole("table", { name: "Share of replies by pod" });
    await expect.poll(() => shares.getByRole("row").count()).toBe(1 + 3);
    await page.getByText("Expecting 33.3 % each: L2, policy Cluster, 3 ready pods").waitFor();
    expect(performance.now() - startedAt).toBeLessThan(120_000);
  }, 150_000);

  it("leaves what kubectl and curl show as well: the first address of production, and three pods", async () => {
    const wide = await stage.berth.kubectl("get", "service", "nginx");
    expect(wide).toMatch(/nginx\s+LoadBalancer\s+\S+\s+127\.77\.10\.1\s+80:\d+\/TCP/);
    const url = await stage.reachable("nginx");
    const pods = new Set<string | null>();
    for (let turn = 0; turn < 60 && pods.size < 3; turn += 1) pods.add(podOf((await ask(url)).text));
    expect([...pods].filter((pod) => pod !== null)).toHaveLength(3);
  }, 120_000);

  it("is over once the probe has an answer: the Overview shows the cluster, no checklist", async () => {
    const page = await stage.open("/", { theme: "dark" });
    await region(page, "Who announces what").getByRole("link", { name: "127.77.10.1" }).waitFor();
    await region(page, "Needs you").getByText("Nothing needs you").waitFor();
    expect(await region(page, "From an empty cluster to balanced traffic").count()).toBe(0);
    await expectAccessible(page);
  }, 120_000);
});
