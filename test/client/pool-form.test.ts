import { describe, expect, it } from "vitest";
import type { AddressRow } from "#api/dashboard/addresses";
import { PoolCreate, type PoolRow } from "#api/dashboard/pools";
import { cellName, goTo, gridRows, move } from "#client/address-grid";
import {
  createBody,
  EMPTY_FORM,
  formOf,
  patchBody,
  rebase,
  SANDBOX_POOL,
  sandboxPool,
  selectedNodes,
  selectNodes,
} from "#client/pool-form";
import { fieldMessage, problemOf, restMessage } from "#client/problem";
import { judgeRanges, splitRanges } from "#client/range-input";

describe("ranges as typed", () => {
  it("may be pasted in any mixture", () => {
    expect(splitRanges("10.0.0.0/24, 10.0.1.1 – 10.0.1.9\n\n10.0.2.1-10.0.2.2;")).toEqual([
      "10.0.0.0/24",
      "10.0.1.1-10.0.1.9",
      "10.0.2.1-10.0.2.2",
    ]);
  });
  const pools = [{ name: "lab", addresses: ["10.0.1.0/24"] }];
  it.each([
    ["a range has its size", "10.0.0.1-10.0.0.10", 10n, null],
    ["a CIDR has its size", "10.0.0.0/24", 256n, null],
    ["an inverted range says so", "10.0.0.9-10.0.0.1", null, /./],
    ["what is no address says so", "ten", null, /./],
    ["an overlap names the other pool", "10.0.1.5-10.0.1.9", 5n, /pool lab/],
  ])("%s", (_what, text, size, error) => {
    const [range] = judgeRanges(text, pools, null);
    expect(range?.size ?? null).toBe(size);
    if (error === null) expect(range?.error).toBeNull();
    else expect(range?.error).toMatch(error);
  });
  it("a pool being edited does not overlap itself, but two of its lines may overlap each other", () => {
    const judged = judgeRanges("10.0.1.0/25\n10.0.1.64-10.0.1.70", pools, "lab");
    expect(judged.map((range) => range.error === null)).toEqual([true, false]);
  });
});

describe("the pool form", () => {
  const pool = {
    name: "lab",
    addresses: ["10.0.1.0/24"],
    autoAssign: true,
    avoidBuggyIPs: false,
    priority: null,
    namespaces: [],
    resourceVersion: "7",
  } as unknown as PoolRow;
  it("makes a body that the contract accepts", () => {
    const body = createBody(SANDBOX_POOL);
    expect(PoolCreate.parse(body)).toMatchObject({
      name: "production",
      advertise: { name: "external", interfaces: [], nodeSelectors: [] },
    });
  });
  it.each([
    ["loopback", "127.77.0.11", "127.77.10.1-127.77.10.254"],
    ["netns", "10.77.0.11", "10.77.10.1-10.77.10.254"],
  ])("suggests the sandbox's own range on its network %s", (_network, address, ranges) => {
    expect(sandboxPool([{ addresses: [address] }]).ranges).toBe(ranges);
  });
  it("names the advertisement after the pool when nothing else is typed", () => {
    expect(createBody({ ...EMPTY_FORM, name: "lab", ranges: "10.0.0.0/24" }).advertise?.name).toBe("lab");
  });
  it("asks for no advertisement when it is not to be announced yet", () => {
    expect(createBody({ ...EMPTY_FORM, name: "lab", announce: "none" }).advertise).toBeNull();
  });
  it("keeps what was typed and follows the rest when somebody else edited the pool meanwhile", () => {
    const now = { ...pool, autoAssign: false, addresses: ["10.0.2.0/24"], resourceVersion: "8" };
    const typed = { ...formOf(pool), priority: "5" };
    expect(patchBody(rebase(typed, pool, now), now)).toEqual({ resourceVersion: "8", priority: 5 });
    expect(rebase(typed, pool, now)).toEqual({ ...formOf(now), priority: "5" });
  });
  it("sends only what was edited, with the version it was read at", () => {
    expect(patchBody({ ...formOf(pool), priority: "5" }, pool)).toEqual({ resourceVersion: "7", priority: 5 });
  });
  it("reads its own node selectors back, and admits when one is of another form", () => {
    expect(selectedNodes(selectNodes(["node-01", "node-02"]))).toEqual(["node-01", "node-02"]);
    expect(selectedNodes([])).toEqual([]);
    expect(selectedNodes([{ matchLabels: { "kubernetes.io/hostname": "node-03" } }])).toEqual(["node-03"]);
    expect(selectedNodes([{ matchLabels: { zone: "a" } }])).toBeNull();
  });
});

describe("problems", () => {
  const problem = problemOf(422, {
    title: "Invalid",
    detail: "Not valid.",
    code: "invalid",
    fields: { "addresses.0": "ends before it begins", other: "x" },
  });
  it("lands at the input it belongs to", () => {
    expect(fieldMessage(problem, "addresses")).toBe("ends before it begins");
    expect(fieldMessage(problem, "name")).toBeNull();
  });
  it("says above the form what belongs to no input", () => {
    expect(restMessage(problem, ["addresses"])).toBe("Not valid. other: x");
    expect(restMessage(problem, ["addresses", "other"])).toBeNull();
  });
  it.each([
    ["HTML of a proxy", 502, "<html>", "The server answered 502."],
    ["nothing", 500, undefined, "The server answered 500."],
    ["only a title", 404, { title: "Not found" }, "Not found"],
  ])("turns %s into one sentence", (_what, status, body, sentence) => {
    expect(problemOf(status, body).message).toBe(sentence);
  });
});

describe("the address grid", () => {
  const rows = gridRows(
    Array.from(
      { length: 254 },
      (_, n): AddressRow => ({ address: `10.0.0.${n + 1}`, state: "free", services: [], announcedBy: null }),
    ),
  );
  it("is 16 wide, with holes where the pool has no address", () => {
    expect(rows).toHaveLength(16);
    expect(rows[0]?.cells[0]).toBeNull();
    expect(rows[1]).toMatchObject({ label: ".16", prefix: "10.0.0" });
    expect(rows[15]?.cells[15]).toBeNull();
  });
  it.each([
    ["right", 1, "ArrowRight", 2],
    ["right at the end of a row goes on to the next", 15, "ArrowRight", 16],
    ["down", 1, "ArrowDown", 17],
    ["left stops at the first address", 1, "ArrowLeft", 1],
    ["up stops at the top", 5, "ArrowUp", 5],
    ["Home goes to the first of the row", 9, "Home", 1],
    ["End goes to the last of the row", 250, "End", 254],
  ] as const)("%s", (_what, from, key, to) => expect(move(rows, from, key)).toBe(to));
  it.each([
    ["an octet", "20", 20],
    ["an octet with its dot", ".20", 20],
    ["a whole address", "10.0.0.200", 200],
    ["what is not there", "300", -1],
  ])("goes to %s", (_what, text, index) => expect(goTo(rows, text)).toBe(index));
  it("reads a cell out with its Service and node", () => {
    const row: AddressRow = { address: "10.0.0.20", state: "assigned", services: ["shop/web"], announcedBy: "node-02" };
    expect(cellName(row, false)).toBe("10.0.0.20, assigned to shop/web, announced by node-02");
  });
  it("labels IPv6 by the last hextet", () => {
    const [only] = gridRows([{ address: "fd77::1f", state: "free", services: [], announcedBy: null }]);
    expect(only).toMatchObject({ label: ":10" });
    expect(only?.cells[15]?.address).toBe("fd77::1f");
  });
});
