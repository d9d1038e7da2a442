import { expect, it } from "vitest";
import type { ServiceL2Status } from "#api/metallb";
import { keyOf, SERVICE_L2_STATUSES } from "#api/resources";
import type { Cluster, ObjectCache } from "#kube/port";
import { silentLog } from "#runtime/log";
import { L2StatusWriter } from "#speaker/status";
import { settle, VirtualClock } from "../support/virtual-clock.ts";
import { NS } from "./lab.ts";
import { SmallCluster } from "./small-cluster.ts";

it("a ServiceL2Status that another speaker removed before its maker's watch had shown it is made again", async () => {
  const server = new SmallCluster();
  const client = server.client();
  // A watch that is late: what happens on the server is shown when the test says so.
  let show: Parameters<ObjectCache<ServiceL2Status>["onChange"]>[0] = () => undefined;
  const late = {
    get: () => undefined,
    list: () => [],
    onChange(listener: typeof show) {
      show = listener;
    },
  };
  const cluster = { ...client, cache: () => ({ ...client.cache(SERVICE_L2_STATUSES), ...late }) } as unknown as Cluster;
  const clock = new VirtualClock();
  const ending = new AbortController();
  const writer = new L2StatusWriter({
    cluster,
    namespace: NS,
    node: "node-01",
    log: silentLog,
    signal: ending.signal,
    owners: () => [],
    announced: () => ({ interfaces: null }),
    queue: { clock },
  });
  const running = writer.run();
  writer.touch("default/nginx");
  await settle();
  const [made] = server.list<ServiceL2Status>(SERVICE_L2_STATUSES);
  expect(made?.status?.node).toBe("node-01");
  if (made === undefined) return;
  server.remove(SERVICE_L2_STATUSES, { namespace: NS, name: made.metadata.name ?? "" });
  show(keyOf(made), made, undefined);
  show(keyOf(made), undefined, made);
  await clock.run(500, 50);
  expect(server.list<ServiceL2Status>(SERVICE_L2_STATUSES).map(({ status }) => status?.node)).toEqual(["node-01"]);
  ending.abort();
  await running;
});
