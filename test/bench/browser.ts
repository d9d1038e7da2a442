/**
 * The dashboard as its users meet it: `node test/bench/browser.ts [flags]`, after `npm run build`. A whole Berth and a
 * real Chromium: time from a change in the cluster to the frame that shows it, filter and sort over thousands of
 * Services, memory of page and server, and what the server's heap holds after many events. Not a timed test.
 *
 *   --services 5000    Services of the large cluster, every second a load balancer, beside 200 nodes and as many pods
 *   --changes 200      changes per page whose way to the screen is timed
 *   --events 100000    changes of Services after which both heaps are looked at (a million: `server-events.ts`)
 *   --shots <folder>   pictures of the large list, light and dark
 *   --profile          what the server did meanwhile
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, SERVICES } from "#api/resources";
import { systemClock } from "#runtime/clock";
import { silentLog } from "#runtime/log";
import { HOLLOW_NAMESPACE } from "#sandbox/hollow/objects";
import { startHollow } from "#sandbox/hollow/start";
import { eventually } from "../support/berth.ts";
import { changesToPixels } from "./browser-changes.ts";
import { heapAfterEvents } from "./browser-events.ts";
import { largeList, shots } from "./browser-list.ts";
import { balancer, OWN, pool, startBenchStage } from "./browser-stage.ts";

const { values: flags } = parseArgs({
  options: {
    services: { type: "string", default: "5000" },
    changes: { type: "string", default: "200" },
    events: { type: "string", default: "100000" },
    shots: { type: "string" },
    profile: { type: "boolean", default: false },
  },
});
const services = Number(flags.services);
const changes = Number(flags.changes);
const events = Number(flags.events);

const stage = await startBenchStage();
const { cluster, memory, say, server } = stage;

async function profiled(what: string, work: () => Promise<void>): Promise<void> {
  if (!flags.profile) return work();
  console.log(`server during ${what}:\n${(await server.hottest(work)).join("\n")}`);
}

/** What is resident as the server left it, then what is in use. */
async function memoryOf(what: string, bar = ""): Promise<void> {
  const { rss, peak } = memory();
  say(
    what,
    `${rss.toFixed(0)} MB resident (at most ${peak.toFixed(0)}), heap ${(await server.heapMb()).toFixed(1)} MB`,
    bar,
  );
}

await cluster.create(IP_ADDRESS_POOLS, pool("pixels", "127.79.0.1-127.79.0.9"));
await cluster.create(SERVICES, balancer("pixels", "default", 8080));
await memoryOf("server at rest");
await profiled("changes in the demo", () => changesToPixels(stage, changes, "demo"));

await cluster.create(IP_ADDRESS_POOLS, pool("large", "127.78.0.0/19"));
await cluster.create(L2_ADVERTISEMENTS, {
  apiVersion: "metallb.io/v1beta1",
  kind: "L2Advertisement",
  metadata: { name: "large", namespace: OWN },
  spec: { ipAddressPools: ["large"] },
});
const size = { nodes: 200, pods: services, services };
const hollow = startHollow({ objects: cluster, clock: systemClock, log: silentLog }, size);
await profiled("seeding", async () => {
  await hollow.seeded;
  await eventually("every Service that asked has an address", 300_000, async () => {
    const rows = (await stage.balancers()).filter((row) => row.namespace === HOLLOW_NAMESPACE);
    await sleep(2000);
    return rows.length >= services / 2 && rows.every((row) => row.addresses.length > 0) ? true : null;
  });
});
// What only the burst needed is given back once the server finds itself idle.
await sleep(30_000);
await memoryOf(`server with ${services} Services and 200 nodes`, "≤ 400 MB");
if (flags.shots !== undefined) await shots(stage, flags.shots);
await profiled("the large list", () => largeList(stage));
await profiled("changes in the large cluster", () => changesToPixels(stage, changes, `${services} Services`));
if (events > 0) await profiled("many events", () => heapAfterEvents(stage, services, events));
await memoryOf("server at the end", "≤ 400 MB");
stage.table();

await hollow.close();
await stage.close();
process.exit(0);
