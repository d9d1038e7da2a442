import { afterEach, beforeEach, expect, it } from "vitest";
import { unsolicitedAdvertisement } from "#core/ndp";
import type { Link } from "#net/port";
import { openVirtualLink } from "#net/virtual-link";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { NeighbourTable } from "#sandbox/edge/neighbour-table";
import { type Lan, startLan } from "#sandbox/lan/start";

const VIP = "2001:db8::10:201";
const MAC = (n: number) => `02:be:77:00:00:1${n}`;

let lan: Lan;
let table: NeighbourTable;
let links: readonly Link[];

/** Speakers' links on a virtual LAN, as in a sandbox: they answer by themselves for what they are told to. */
beforeEach(async () => {
  lan = await startLan({ log: silentLog });
  links = await Promise.all(
    [1, 2].map(async (n) => {
      lan.addHost({ node: `node-0${n}`, mac: MAC(n), address: `127.77.0.1${n}` });
      return openVirtualLink(lan.linkUrl(`node-0${n}`), { log: silentLog });
    }),
  );
  const port = lan.attach("02:be:77:00:00:01");
  table = new NeighbourTable({ port, address: "127.77.0.1", clock: systemClock, random: () => 0.5 });
});

afterEach(async () => {
  table.close();
  for (const link of links) await link.close();
  await lan.close();
});

const resolved = () => new Promise<string | null>((resolve) => table.wait(VIP, resolve));
const mac = () => table.rows()[0]?.mac;

it("an IPv6 address is asked for by NDP, and found at the node that answers for it", async () => {
  links[1]?.answer(VIP, null);
  expect(table.use(VIP)).toBe(null);
  expect(await resolved()).toBe(MAC(2));
  expect(table.rows()).toMatchObject([{ address: VIP, mac: MAC(2), state: "REACHABLE" }]);
});

it("an IPv6 address moves with the announcement of its new node, at once", async () => {
  links[0]?.answer(VIP, null);
  table.use(VIP);
  expect(await resolved()).toBe(MAC(1));
  links[1]?.send("eth0", unsolicitedAdvertisement(MAC(2), VIP));
  await expect.poll(mac).toBe(MAC(2));
  expect(table.rows()).toMatchObject([{ state: "STALE" }]);
});

it("an IPv6 address that nobody answers for fails after three seconds", async () => {
  table.use(VIP);
  expect(await resolved()).toBe(null);
});
