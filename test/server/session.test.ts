import { afterEach, describe, expect, it } from "vitest";
import { ServiceRow } from "#api/dashboard/services";
import { Session } from "#api/dashboard/session";
import {
  CONFIG_MAPS,
  CRDS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { dashboard } from "#server/context";
import * as activity from "../../app/api/activity/route.ts";
import * as demo from "../../app/api/demo/route.ts";
import * as pools from "../../app/api/pools/route.ts";
import * as probes from "../../app/api/probes/route.ts";
import * as services from "../../app/api/services/route.ts";
import * as session from "../../app/api/session/route.ts";
import * as stream from "../../app/api/stream/route.ts";
import * as metrics from "../../app/metrics/route.ts";
import * as ready from "../../app/readyz/route.ts";
import { soon } from "../support/soon.ts";
import { call, operation, start, stop } from "./calls.ts";
import { healthyCluster, request, service, threePods } from "./fixtures.ts";
import { MemoryCluster } from "./memory-cluster.ts";

afterEach(stop);

describe("probes", () => {
  it("only ever ask addresses of LoadBalancer Services", async () => {
    const cluster = healthyCluster();
    cluster.seed(
      SERVICES,
      service("web", { ip: "127.77.10.1" }),
      service("inner", { type: "ClusterIP" }),
      service("fresh"),
    );
    await start(cluster);
    const create = (body: unknown) => call(probes.POST, request("POST", "/x", body));
    expect(await create({ service: "default/web" })).toMatchObject({
      status: 201,
      body: { url: "http://127.77.10.1/", rate: 5 },
    });
    expect(await create({ service: "default/inner" })).toMatchObject({
      status: 422,
      body: { fields: { service: expect.stringMatching(/not a LoadBalancer/) } },
    });
    expect(await create({ service: "default/fresh" })).toMatchObject({
      status: 422,
      body: { fields: { service: expect.stringMatching(/no address yet/) } },
    });
    expect(await create({ service: "default/none" })).toMatchObject({ status: 422 });
    expect(await create({ service: "default/web", port: 81 })).toMatchObject({
      status: 422,
      body: { fields: { port: expect.stringMatching(/but 80/) } },
    });
    expect(await create({ service: "default/web", rate: 500 })).toMatchObject({
      status: 422,
      body: { fields: { rate: expect.stringMatching(/at most 50/) } },
    });
  });
});

describe("the rest", () => {
  it("the demo is applied into the default namespace and removed again", async () => {
    const cluster = await start();
    const { body } = await call(demo.POST, request("POST", "/x"));
    await soon(() => expect(cluster.held(DEPLOYMENTS, "default/nginx-app")).toBeDefined());
    cluster.change(DEPLOYMENTS, "default/nginx-app", (one) => ({
      ...one,
      spec: { replicas: 3 },
      status: { observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3 },
    }));
    expect((await operation(body)).steps.at(-1)?.label).toBe("Pods: 3 of 3 ready");
    await operation((await call(demo.DELETE, request("DELETE", "/x"))).body);
    expect(cluster.held(SERVICES, "default/nginx")).toBeUndefined();
  });

  it("activity is filtered by object", async () => {
    const cluster = await start();
    cluster.seed(EVENTS, {
      metadata: { name: "e", namespace: "default" },
      involvedObject: { kind: "Service", namespace: "default", name: "web" },
      reason: "IPAllocated",
      message: "m",
    });
    expect((await call(activity.GET, request("GET", "/x?object=Service%20default/web"))).body).toHaveLength(1);
    expect((await call(activity.GET, request("GET", "/x?object=Service%20default/other"))).body).toHaveLength(0);
  });

  it("the session derives the first steps from the cluster", async () => {
    const cluster = new MemoryCluster();
    for (const kind of [IP_ADDRESS_POOLS, L2_ADVERTISEMENTS, SERVICE_L2_STATUSES, SPEAKER_STATES])
      cluster.absent.add(kind.plural);
    cluster.seed(CONFIG_MAPS, {
      metadata: { name: "kube-proxy", namespace: "kube-system" },
      data: { "config.conf": "mode: ipvs\nipvs:\n  strictARP: false\n" },
    });
    await start(cluster);
    const read = async () => Session.parse((await call(session.GET, request("GET", "/x"))).body);
    expect((await read()).checklist).toEqual({
      preflight: false,
      install: false,
      pool: false,
      workload: false,
      expose: false,
      probe: false,
    });
    cluster.connected = false;
    expect(await read()).toMatchObject({ connected: false, problem: expect.stringMatching(/does not answer/) });
    expect((await ready.GET(request("GET", "/readyz"))).status).toBe(503);
  });

  it("takes Berth's own webhook Service, ready as it is, for no workload", async () => {
    const cluster = healthyCluster();
    const name = "metallb-webhook-service";
    const namespace = "metallb-system";
    const [ours, slice] = [service(name, { type: "ClusterIP" }), threePods(name)];
    cluster.seed(SERVICES, { ...ours, metadata: { ...ours.metadata, namespace } });
    cluster.seed(ENDPOINT_SLICES, { ...slice, metadata: { ...slice.metadata, namespace } });
    await start(cluster);
    const workload = async () => Session.parse((await call(session.GET, request("GET", "/x"))).body).checklist.workload;
    expect(await workload()).toBe(false);
    cluster.seed(SERVICES, service("web", { type: "ClusterIP" }));
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    await expect.poll(workload).toBe(true);
  });

  it("a kind comes alive when its CRD does, and breaks nothing before", async () => {
    const cluster = healthyCluster();
    cluster.absent.add(IP_ADDRESS_POOLS.plural);
    cluster.drop(CRDS, "ipaddresspools.metallb.io");
    await start(cluster);
    expect((await call(pools.GET, request("GET", "/x"))).body).toEqual([]);
    cluster.define(IP_ADDRESS_POOLS);
    expect((await call(pools.GET, request("GET", "/x"))).body).toHaveLength(1);
  });

  it("a change in the cluster is on the stream within 50 ms, and only what changed", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, service("web"), service("other", { type: "ClusterIP" }));
    await start(cluster);
    const abort = new AbortController();
    const sent = new Request("http://127.0.0.1:3000/api/stream", {
      headers: { host: "127.0.0.1:3000" },
      signal: abort.signal,
    });
    const response = await stream.GET(sent);
    expect(response.headers.get("content-type")).toMatch(/event-stream/);
    const reader = response.body?.getReader();
    if (reader === undefined) throw new Error("no body");
    let text = "";
    const until = async (part: string) => {
      while (!text.includes(part)) text += new TextDecoder().decode((await reader.read()).value);
    };
    await until('"hello"');
    text = "";
    cluster.change(SERVICES, "default/web", (one) => ({
      ...one,
      status: { loadBalancer: { ingress: [{ ip: "127.77.10.1" }] } },
    }));
    await until('"topic":"services"');
    const messages = text
      .split("\n\n")
      .flatMap((line) => (line.startsWith("data: ") ? [JSON.parse(line.slice(6))] : []));
    const delta = messages.find((one) => one.topic === "services") as { upserts: unknown[] };
    expect(delta.upserts.map((row) => ServiceRow.parse(row).key)).toEqual(["default/web"]);
    abort.abort();
    expect(dashboard().hub.listeners).toBe(0);
  });

  it("services of every type are listed, and metrics are text", async () => {
    const cluster = healthyCluster();
    cluster.seed(
      SERVICES,
      service("a", { type: "ClusterIP" }),
      service("b", { type: "NodePort" }),
      service("c", { type: "ExternalName" }),
      service("d"),
    );
    await start(cluster);
    expect(((await call(services.GET, request("GET", "/x"))).body as ServiceRow[]).map((row) => row.type)).toEqual([
      "ClusterIP",
      "NodePort",
      "ExternalName",
      "LoadBalancer",
    ]);
    expect(await (await metrics.GET(request("GET", "/metrics"))).text()).toMatch(
      /^berth_dashboard_watch_objects\{kind="services"\} 4$/m,
    );
  });
});
