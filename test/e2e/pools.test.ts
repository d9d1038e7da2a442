import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, MODAL, pool, region, rowOf, type Stage, startStage } from "./stage.ts";

let stage: Stage;
let page: Page;

beforeAll(async () => {
  stage = await startStage();
  page = await stage.open("/pools");
  await rowOf(table(), "production").waitFor();
}, 120_000);

afterAll(() => stage?.close());

const table = () => region(page, "Pools table");
const dialog = (name: string | RegExp) => page.getByRole("dialog", { name });
const tab = (name: string | RegExp) => page.getByRole("navigation", { name: /^Pool / }).getByRole("button", { name });

async function read(kind: string, name: string, path: string): Promise<string> {
  return stage.berth.kubectl("get", kind, name, "-n", "metallb-system", "-o", `jsonpath=${path}`);
}

/** What the API says to a body, sent as the page would send it. */
async function post(url: string, body: object): Promise<{ status: number; type: string | null; body: unknown }> {
  const response = await fetch(`${stage.berth.url}${url}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, type: response.headers.get("content-type"), body: await response.json() };
}

describe("a new pool", () => {
  const form = () => dialog("New pool");
  const addresses = () => form().getByRole("textbox", { name: "Addresses" });
  const create = () => form().getByRole("button", { name: "Create pool and advertisement" });

  /** Waits for the message that belongs to an input, by the input's own description. */
  async function refused(label: string, message: RegExp): Promise<void> {
    const input = form().getByRole("textbox", { name: label });
    const said = async () => {
      if ((await input.getAttribute("aria-invalid")) !== "true") return "";
      const id = await input.getAttribute("aria-describedby");
      return form().locator(`[id="${id}"]`).textContent();
    };
    await expect.poll(said).toMatch(message);
  }

  it("without a name is refused beside the name", async () => {
    await page.getByRole("button", { name: "New pool" }).click();
    await addresses().fill("127.77.40.0/29");
    await create().click();
    await refused("Name", /a name is needed/);
    await expectAccessible(page, MODAL);
  }, 120_000);

  it.each([
    ["an inverted range", "127.77.40.9-127.77.40.1", /is inverted/],
    ["a range that overlaps another pool, naming it", "127.77.10.200-127.77.11.3", /pool production/],
    ["what is no range", "127.77.40.0/33", /no valid prefix length/],
  ])(
    "with %s is refused beside the addresses, by page and API",
    async (_what, text, message) => {
      await form().getByRole("textbox", { name: "Name" }).fill("staging");
      await addresses().fill(text);
      await form().getByRole("list", { name: "Ranges as read" }).getByText(message).waitFor();
      await create().click();
      await refused("Addresses", message);
      expect(await post("/api/pools", { name: "staging", addresses: [text] })).toMatchObject({
        status: 422,
        type: "application/problem+json",
        body: { code: "invalid", fields: { "addresses.0": expect.stringMatching(message) } },
      });
    },
    120_000,
  );

  it("is made together with its advertisement in one form", async () => {
    await addresses().fill("127.77.40.1-127.77.40.6\n127.77.41.0/30");
    await form().getByText("4 addresses").waitFor();
    await form().getByRole("textbox", { name: "Advertisement" }).fill("lab");
    await form().getByRole("checkbox", { name: "node-02" }).check();
    await form().getByText("Two objects are made: IPAddressPool staging and L2Advertisement lab.").waitFor();
    await expectAccessible(page, MODAL);
    await create().click();
    await form().waitFor({ state: "detached" });
    const row = rowOf(table(), "staging");
    await row.getByText("0 of 10").waitFor();
    await row.getByText("127.77.40.1", { exact: true }).waitFor();
    await row.getByText("lab").waitFor();
    expect(await read("l2advertisement", "lab", "{.spec.ipAddressPools}")).toBe('["staging"]');
    expect(await read("l2advertisement", "lab", "{.spec.nodeSelectors}")).toContain("node-02");
  }, 120_000);
});

describe("the addresses of a pool", () => {
  it("say who has each, which is next, and follow the arrow keys", async () => {
    await page.getByRole("button", { name: "production", exact: true }).click();
    const grid = page.getByRole("grid", { name: "Addresses of pool production, 16 per row" });
    const first = grid.getByRole("gridcell", {
      name: /^127\.77\.10\.1, assigned to default\/nginx, announced by node-0\d$/,
    });
    await first.waitFor();
    await grid.getByRole("gridcell", { name: "127.77.10.2, free, next to be assigned" }).waitFor();
    await first.click();
    await page.keyboard.press("ArrowRight");
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    await expect.poll(focused).toBe("127.77.10.2, free, next to be assigned");
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("127.77.10.18, free");
    await page.keyboard.press("End");
    await expect.poll(focused).toBe("127.77.10.31, free");
    await page.getByRole("link", { name: "Expose a Service here" }).waitFor();
    await page.getByRole("textbox", { name: /^Go to an address/ }).fill("1");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toMatch(/^127\.77\.10\.1, assigned/);
    await page.getByRole("link", { name: "default/nginx" }).waitFor();
    await expectAccessible(page);
  }, 120_000);

  it("are counted, and the Services that hold them listed", async () => {
    await tab(/^Services/).click();
    const row = rowOf(region(page, "Services of pool production, table"), "default/nginx");
    await row.getByText("Ready", { exact: true }).waitFor();
    await expectAccessible(page);
  }, 120_000);

  it("stand in the YAML, as the cluster has it", async () => {
    await tab("YAML").click();
    const yaml = region(page, "YAML of pool production");
    await yaml.getByText("kind: IPAddressPool").waitFor();
    expect(await yaml.textContent()).toContain("- 127.77.10.1-127.77.10.254");
    await expectAccessible(page);
  }, 120_000);
});

describe("editing a pool", () => {
  const form = () => dialog("Edit pool staging");
  it("changes what was changed and nothing else", async () => {
    await page.getByRole("button", { name: "staging", exact: true }).click();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await form()
      .getByRole("checkbox", { name: /^Give out automatically/ })
      .uncheck();
    await form().getByText("Advanced").click();
    await form().getByRole("textbox", { name: "Priority" }).fill("7");
    await expectAccessible(page, MODAL);
    await form().getByRole("button", { name: "Save changes" }).click();
    await form().waitFor({ state: "detached" });
    await rowOf(table(), "staging").getByText("only on request").waitFor();
    expect(await read("ipaddresspool", "staging", "{.spec}")).toBe(
      '{"addresses":["127.77.40.1-127.77.40.6","127.77.41.0/30"],"autoAssign":false,"avoidBuggyIPs":false,"serviceAllocation":{"priority":7}}',
    );
  }, 120_000);

  it("that somebody else edited meanwhile is a conflict: neither edit is lost", async () => {
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    const addresses = form().getByRole("textbox", { name: "Addresses" });
    await addresses.fill("127.77.40.1-127.77.40.5");
    const patch = JSON.stringify({ spec: { avoidBuggyIPs: true } });
    await stage.berth.kubectl(
      "patch",
      "ipaddresspool",
      "staging",
      "-n",
      "metallb-system",
      "--type",
      "merge",
      "-p",
      patch,
    );
    await form().getByRole("button", { name: "Save changes" }).click();
    await form()
      .getByRole("alert")
      .getByText(/^staging was changed by somebody else meanwhile/)
      .waitFor();
    expect(await addresses.inputValue()).toBe("127.77.40.1-127.77.40.5");
    expect(await read("ipaddresspool", "staging", "{.spec.addresses}")).toContain("127.77.41.0/30");
    expect(await read("ipaddresspool", "staging", "{.spec.avoidBuggyIPs}")).toBe("true");
    await expectAccessible(page, MODAL);
    await form().getByRole("button", { name: "Save on top of it" }).click();
    await form().waitFor({ state: "detached" });
    await rowOf(table(), "staging").getByText("0 of 5").waitFor();
    expect(await read("ipaddresspool", "staging", "{.spec.avoidBuggyIPs}")).toBe("true");
  }, 120_000);
});

describe("a pool that nobody announces", () => {
  it("is red, in the table and on the Overview, and advertised with one click", async () => {
    await stage.apply(pool("quiet", ["127.77.50.0/30"]));
    await rowOf(table(), "quiet").getByText("Nobody", { exact: true }).waitFor();
    const overview = await stage.open("/");
    await region(overview, "Needs you")
      .getByRole("link", { name: /Pool quiet is announced by nobody/ })
      .waitFor();
    await overview.close();
    await page.getByRole("button", { name: "quiet", exact: true }).click();
    await tab(/^Advertisements/).click();
    await page.getByText(/^Nobody announces quiet/).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Advertise on every node" }).click();
    await rowOf(table(), "quiet").getByText("Nobody", { exact: true }).waitFor({ state: "detached" });
    expect(await read("l2advertisement", "quiet", "{.spec.ipAddressPools}")).toBe('["quiet"]');
  }, 120_000);
});

describe("advertisements beside the pool", () => {
  const ads = () => region(page, "L2 advertisements, table");
  it("are made", async () => {
    await page.getByRole("button", { name: "New advertisement" }).click();
    const form = dialog("New advertisement");
    await form.getByRole("textbox", { name: "Name" }).fill("spare");
    await form.getByRole("checkbox", { name: "quiet" }).check();
    await form.getByRole("checkbox", { name: "node-03" }).check();
    await expectAccessible(page, MODAL);
    await form.getByRole("button", { name: "Create advertisement" }).click();
    await form.waitFor({ state: "detached" });
    await rowOf(ads(), "spare").getByText("node-03").waitFor();
  }, 120_000);

  it("are edited, and refused beside the input where they make no sense", async () => {
    await ads().getByRole("button", { name: "Edit spare" }).click();
    const form = dialog("Edit advertisement spare");
    await form.getByRole("textbox", { name: "Interfaces" }).fill("eth0");
    await form.getByRole("checkbox", { name: "node-03" }).uncheck();
    await form.getByRole("checkbox", { name: "node-01" }).check();
    await form.getByRole("button", { name: "Save changes" }).click();
    await form.waitFor({ state: "detached" });
    await rowOf(ads(), "spare").getByText("node-01").waitFor();
    expect(await read("l2advertisement", "spare", "{.spec.interfaces}")).toBe('["eth0"]');
    expect(await post("/api/l2advertisements", { name: "bad name", ipAddressPools: ["nowhere"] })).toMatchObject({
      status: 422,
      body: { fields: { name: expect.any(String) } },
    });
  }, 120_000);

  it("show their YAML", async () => {
    await ads().getByRole("button", { name: "YAML of spare" }).click();
    await dialog("L2Advertisement spare").getByText("kind: L2Advertisement").waitFor();
    await expectAccessible(page, MODAL);
    await page.keyboard.press("Escape");
  }, 120_000);

  it("are deleted, with what that silences said before", async () => {
    await ads().getByRole("button", { name: "Delete spare" }).click();
    const ask = dialog("Delete advertisement spare");
    await ask.getByText("Every pool it covers is covered by another advertisement too.").waitFor();
    await expectAccessible(page, MODAL);
    await ask.getByRole("button", { name: "Delete spare" }).click();
    await rowOf(ads(), "spare").waitFor({ state: "detached" });
    await ads().getByRole("button", { name: "Delete quiet" }).click();
    await dialog("Delete advertisement quiet")
      .getByText(/^Nobody would announce quiet any more/)
      .waitFor();
    await page.keyboard.press("Escape");
  }, 120_000);
});

describe("a free address", () => {
  const cell = (name: RegExp) => page.getByRole("gridcell", { name });

  it("is held from its place in the grid, refused beside the input when it is no range, and released", async () => {
    await page.getByRole("button", { name: "production", exact: true }).click();
    await cell(/^127\.77\.10\.20,/).click();
    await page.getByRole("button", { name: "Hold it" }).click();
    const form = dialog("Hold 127.77.10.20");
    const addresses = form.getByRole("textbox", { name: "Address or range" });
    const hold = form.getByRole("button", { name: "Hold", exact: true });
    await addresses.fill("127.77.10.20-127.77.10.300");
    await hold.click();
    await form.getByText(/"127\.77\.10\.300" is not an IP address/).waitFor();
    await expectAccessible(page, MODAL);
    await addresses.fill("127.77.10.20-127.77.10.22");
    await form.getByRole("textbox", { name: "Why" }).fill("printers");
    await hold.click();
    await form.waitFor({ state: "detached" });
    await page.getByText("printers", { exact: true }).waitFor();
    await cell(/^127\.77\.10\.22 is reserved by AddressHold hold-127-77-10-20 \(printers\)/).waitFor();
    expect(await read("addresshold", "hold-127-77-10-20", "{.spec.reason}")).toBe("reserved");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Release 127.77.10.20-127.77.10.22" }).click();
    await cell(/^127\.77\.10\.20, free/).waitFor();
    await expect(read("addresshold", "hold-127-77-10-20", "{.metadata.name}")).rejects.toThrow(/NotFound/);
  }, 120_000);
});

describe("deleting a pool", () => {
  it("names the Services it touches and wants the pool's name typed", async () => {
    await page.getByRole("button", { name: "production", exact: true }).click();
    await page.getByRole("button", { name: "Delete pool production" }).click();
    const ask = dialog("Delete pool production");
    await ask.getByText("default/nginx", { exact: true }).waitFor();
    expect(await ask.getByRole("button", { name: "Delete production" }).isDisabled()).toBe(true);
    await expectAccessible(page, MODAL);
    await ask.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "quiet", exact: true }).click();
    await page.getByRole("button", { name: "Delete pool quiet" }).click();
    await dialog("Delete pool quiet").getByRole("textbox", { name: "Type quiet to delete it" }).fill("quiet");
    await dialog("Delete pool quiet").getByRole("button", { name: "Delete quiet" }).click();
    await rowOf(table(), "quiet").waitFor({ state: "detached" });
    await expect(read("ipaddresspool", "quiet", "{.metadata.name}")).rejects.toThrow(/NotFound/);
  }, 120_000);
});
