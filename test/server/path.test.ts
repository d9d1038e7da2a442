import { afterEach, describe, expect, it } from "vitest";
import { ServicePath } from "#api/dashboard/diagnosis";
import { ENDPOINT_SLICES, SERVICE_L2_STATUSES, SERVICES } from "#api/resources";
import { pathOf } from "#server/path";
import { makeView } from "#server/view";
import { GET } from "../../app/api/services/[namespace]/[name]/path/route.ts";
import { call, start, stop, WEB } from "./calls.ts";
import { facts, healthyCluster, l2Status, node, request, service, speakerState, threePods } from "./fixtures.ts";

afterEach(stop);

const IP = "127.77.10.1";
const path = (name: string) => request("GET", `/api/services/default/${name}/path`);

describe("the path of a Service", () => {
  it("leads over the API from its address and pool by the announcing node to every pod, with its share", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, service("web", { ip: IP }));
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    cluster.seed(SERVICE_L2_STATUSES, l2Status("web", "node-02"));
    await start(cluster);
    const { status, body } = await call(GET, path("web"), WEB);
    const found = ServicePath.parse(body);
    expect(status).toBe(200);
    expect(found.assignment.addresses).toEqual([{ address: IP, pool: "production" }]);
    expect(found.nodes.filter(({ announces }) => announces).map((one) => one.node)).toEqual(["node-02"]);
    expect(found.nodes.every(({ reason, sentence }) => reason.length > 0 && sentence.endsWith("."))).toBe(true);
    expect(found.endpoints.map(({ pod, share }) => [pod, share?.toFixed(2)])).toEqual([
      ["web-0", "0.33"],
      ["web-1", "0.33"],
      ["web-2", "0.33"],
    ]);
    expect(found.model).toBe("Expecting 33.3 % each: L2, policy Cluster, 3 ready pods");
  });

  it("is not there for a Service that is not", async () => {
    await start();
    expect(await call(GET, path("gone"), { namespace: "default", name: "gone" })).toMatchObject({ status: 404 });
  });

  it("names per node why it does not announce, and what is wrong on the wire", () => {
    const web = service("web", { ip: IP, spec: { externalTrafficPolicy: "Local" } });
    const excluded = { ...node("node-01"), metadata: { name: "node-01", labels: { [EXCLUDE]: "" } } };
    const finding = { address: IP, kind: "split_brain", claimants: [], since: "2026-01-01T00:00:00Z", message: "two" };
    const found = pathOf(
      web,
      makeView(
        facts({
          services: [web],
          slices: [threePods("web")],
          nodes: [excluded, node("node-02"), node("node-03")],
          speakerStates: [
            speakerState("node-01"),
            speakerState("node-02", { heartbeatAt: "2026-01-01T00:00:20Z", findings: [finding] }),
            speakerState("node-03", { interfaces: [] }),
          ],
          l2Statuses: [l2Status("web", "node-02")],
        }),
      ),
    );
    expect(Object.fromEntries(found.nodes.map((one) => [one.node, one.reason]))).toEqual({
      "node-01": "excluded_by_label",
      "node-02": "announced",
      "node-03": "no_usable_interface",
    });
    expect(found.wire).toEqual([{ address: IP, kind: "split_brain", message: "two" }]);
    expect(found.endpoints.map(({ node: on, share }) => [on, share])).toEqual([
      ["node-01", 0],
      ["node-02", 1],
      ["node-03", 0],
    ]);
  });

  it("without an address says which pools refused it, and expects nothing of its pods yet", () => {
    const web = service("web", { annotations: { "metallb.io/address-pool": "nowhere" } });
    const found = pathOf(web, makeView(facts({ services: [web], slices: [threePods("web")] })));
    expect(found.assignment).toMatchObject({ reason: "pool_not_found", addresses: [] });
    expect(found.nodes.map(({ announces }) => announces)).toEqual([false, false, false]);
  });
});

const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
