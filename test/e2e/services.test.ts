import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, podOf } from "../support/hammer.ts";
import {
  advertisement,
  expectAccessible,
  hop,
  pool,
  region,
  rowOf,
  type ServiceWish,
  type Stage,
  service,
  startStage,
} from "./stage.ts";

let stage: Stage;
let page: Page;

beforeAll(async () => {
  stage = await startStage();
  await stage.apply(
    pool("staging", ["127.77.20.0/28"], { autoAssign: false }),
    pool("tiny", ["127.77.30.1/32"], { autoAssign: false }),
    advertisement("others", ["staging", "tiny"]),
    service({ name: "web" }),
    service({ name: "port", type: "NodePort" }),
    service({ name: "none", spec: { clusterIP: "None" } }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "elsewhere", namespace: "default" },
      spec: { type: "ExternalName", externalName: "example.org" },
    },
  );
  page = await stage.open("/services");
}, 120_000);

afterAll(() => stage?.close());

const table = () => region(page, "Services table");
const drawer = (name: string) => page.getByRole("complementary", { name: `Service default/${name}` });
const lists = () => page.getByRole("navigation", { name: "Service lists" });

async function typeOf(name: string): Promise<string> {
  return stage.berth.kubectl("get", "service", name, "-o", "jsonpath={.spec.type}");
}

describe("Services of every type", () => {
  it("are shown for what they are, with the reason where exposing makes no sense", async () => {
    await rowOf(table(), "default/nginx").getByText("Ready", { exact: true }).waitFor();
    await lists().getByRole("button", { name: "Not exposed" }).click();
    const rows: readonly [name: string, type: string, canBe: string][] = [
      ["default/web", "ClusterIP", "Yes"],
      ["default/port", "NodePort", "Yes"],
      ["default/none", "ClusterIP, headless", "No: A headless Service has no cluster IP"],
      ["default/elsewhere", "ExternalName", "No: An ExternalName Service is only a DNS name"],
      ["default/kubernetes", "ClusterIP", "No: This is the API server's own Service"],
    ];
    for (const [name, type, canBe] of rows) {
      const row = rowOf(table(), name);
      await row.getByRole("cell", { name: type, exact: true }).waitFor();
      await row.getByRole("cell").filter({ hasText: canBe }).waitFor();
    }
    await expectAccessible(page);
  }, 120_000);
});

describe("exposing", () => {
  it("is one click: the hops follow one another, timed, until a pod has answered at the address", async () => {
    await table().getByRole("button", { name: "Expose default/web" }).click();
    const popover = page.getByRole("dialog", { name: "Expose default/web" });
    await popover.getByText("Next free: 127.77.10.2").waitFor();
    expect(await popover.getByLabel("Pool").inputValue()).toBe("production");
    await expectAccessible(page);
    await popover.getByRole("button", { name: "Expose", exact: true }).click();
    const hops = popover.getByRole("list", { name: "Progress" });
    expect(await hop(hops, "Type LoadBalancer, pool production")).toMatch(/\d (ms|s)$/);
    expect(await hop(hops, "Assigned 127.77.10.2")).toMatch(/\d (ms|s)$/);
    expect(await hop(hops, /Announced by node-0\d/)).toMatch(/\d (ms|s)$/);
    expect(await hop(hops, "Reachable")).toMatch(/Pod nginx-app-\S+ answered in \d+ ms.*\d (ms|s)$/);
    await expectAccessible(page);
    expect(podOf((await ask(await stage.reachable("web"))).text)).toMatch(/^nginx-app-/);
    await popover.getByRole("button", { name: "Done" }).click();
    await rowOf(table(), "default/web").getByText("Ready", { exact: true }).waitFor();
  }, 120_000);

  it("is taken back in the drawer: the address is released and the type is as before", async () => {
    await table().getByRole("button", { name: "default/web", exact: true }).click();
    await drawer("web").getByRole("button", { name: "Un-expose" }).click();
    await drawer("web").getByRole("button", { name: "Release 127.77.10.2" }).click();
    const hops = drawer("web").getByRole("list", { name: "Un-expose" });
    await hop(hops, "Type ClusterIP");
    await hop(hops, "Released 127.77.10.2");
    expect(await typeOf("web")).toBe("ClusterIP");
    await drawer("web").getByText("Reachable inside the cluster only.").waitFor();
    await page.keyboard.press("Escape");
    await drawer("web").waitFor({ state: "detached" });
  }, 120_000);

  it("takes the pool and the address that were chosen, after refusing ones that make no sense", async () => {
    await page.getByRole("button", { name: "Expose a Service" }).click();
    const popover = page.getByRole("dialog", { name: /^Expose/ });
    await popover.getByLabel("Service").selectOption("default/web");
    await popover.getByLabel("Pool").selectOption("staging");
    await popover.getByText("Next free: 127.77.20.0").waitFor();
    await popover.getByLabel("Address").selectOption("Type an address");
    const address = popover.getByRole("textbox", { name: "Address" });
    expect(await address.evaluate((input) => input === document.activeElement)).toBe(true);
    await address.fill("127.77.20.300");
    await popover.getByLabel("Port").fill("80000");
    await popover.getByRole("button", { name: "Expose", exact: true }).click();
    await popover.getByRole("alert").getByText("80000 is no port: 1 to 65535").waitFor();
    await popover.getByLabel("Port").fill("80");
    await popover.getByRole("button", { name: "Expose", exact: true }).click();
    await popover.getByRole("alert").getByText('"127.77.20.300" is no IP address').waitFor();
    expect(await address.getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await address.fill("127.77.20.7");
    await popover.getByRole("button", { name: "Expose", exact: true }).click();
    await hop(popover.getByRole("list", { name: "Progress" }), "Assigned 127.77.20.7");
    await hop(popover.getByRole("list", { name: "Progress" }), "Reachable");
    await popover.getByRole("button", { name: "Done" }).click();
    const row = rowOf(table(), "default/web");
    await row.getByRole("cell", { name: "staging" }).waitFor();
  }, 120_000);

  it("can be undone at once", async () => {
    await lists().getByRole("button", { name: "Not exposed" }).click();
    await table().getByRole("button", { name: "Expose default/port" }).click();
    const popover = page.getByRole("dialog", { name: "Expose default/port" });
    await popover.getByRole("button", { name: "Expose", exact: true }).click();
    await hop(popover.getByRole("list", { name: "Progress" }), "Reachable");
    await popover.getByRole("button", { name: "Undo" }).click();
    await hop(popover.getByRole("list", { name: "Progress" }), "Released 127.77.10.2");
    await popover.getByRole("button", { name: "Done" }).click();
    expect(await typeOf("port")).toBe("NodePort");
  }, 120_000);
});

interface Pending extends ServiceWish {
  readonly cause: string;
  readonly sentence: RegExp;
}

const PENDING: readonly [what: string, wish: Pending][] = [
  [
    "a pool that does not exist",
    {
      name: "lost",
      annotations: { "metallb.io/address-pool": "nowhere" },
      cause: "Unknown pool",
      sentence: /no pool named nowhere/,
    },
  ],
  [
    "a pool that is full",
    {
      name: "late",
      annotations: { "metallb.io/address-pool": "tiny" },
      cause: "Pool full",
      sentence: /tiny: exhausted \(1 of 1 in use\)/,
    },
  ],
  [
    "an address outside every pool",
    {
      name: "outside",
      annotations: { "metallb.io/loadBalancerIPs": "127.77.99.9" },
      cause: "Address outside pools",
      sentence: /127\.77\.99\.9 is outside every pool/,
    },
  ],
  [
    "an address that is taken",
    {
      name: "second",
      annotations: { "metallb.io/loadBalancerIPs": "127.77.10.1" },
      cause: "Address taken",
      sentence: /127\.77\.10\.1 is already assigned to default\/nginx/,
    },
  ],
];

describe("a Service that kubectl made and that asks for", () => {
  beforeAll(async () => {
    const tiny = { "metallb.io/address-pool": "tiny" };
    await stage.apply(service({ name: "first", type: "LoadBalancer", annotations: tiny }));
    await page.goto(`${stage.berth.url}/services`);
    await rowOf(table(), "default/first").getByText("127.77.30.1").waitFor();
  }, 120_000);

  it.each(PENDING)(
    "%s is pending, with a sentence that names both",
    async (_what, { cause, sentence, ...wish }) => {
      await stage.apply(service({ ...wish, type: "LoadBalancer" }));
      const row = rowOf(table(), `default/${wish.name}`);
      await row.getByText("Pending", { exact: true }).waitFor();
      await row.getByText(cause).waitFor();
      await row.getByRole("button", { name: `default/${wish.name}` }).click();
      const panel = drawer(wish.name);
      await panel.getByText(/^Waiting for an address: /).waitFor();
      expect(await panel.getByText(/^Waiting for an address: /).textContent()).toMatch(sentence);
      await panel.getByRole("heading", { name: "Why no address" }).waitFor();
      expect((await panel.getByRole("listitem").allTextContents()).join("\n")).toMatch(sentence);
      await page.keyboard.press("Escape");
    },
    120_000,
  );

  it("such things is counted, found by the filter and listed on the Overview", async () => {
    await page.getByRole("button", { name: /^Pending 4/ }).click();
    await expect.poll(() => table().getByRole("row").count()).toBe(1 + 4);
    await page.getByRole("textbox", { name: /^Filter by name/ }).fill("late");
    await expect.poll(() => table().getByRole("row").count()).toBe(1 + 1);
    await page.goto(`${stage.berth.url}/`);
    const needs = region(page, "Needs you");
    await needs.getByRole("link", { name: /default\/late is pending: Pool full/ }).waitFor();
    await needs.getByRole("link", { name: "Choose a pool: default/late" }).click();
    await drawer("late").getByRole("button", { name: "Choose a pool" }).waitFor();
    await expectAccessible(page);
  }, 120_000);

  it("a full pool gets its address once somebody gives one back", async () => {
    await stage.berth.kubectl("delete", "service", "first");
    await drawer("late").getByText("127.77.30.1 from pool tiny").waitFor();
  }, 120_000);
});
