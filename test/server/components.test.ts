import { afterEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, IP_ADDRESS_POOLS, NODES, PODS } from "#api/resources";
import { dashboard } from "#server/context";
import * as installing from "../../app/api/components/[component]/install/route.ts";
import * as logging from "../../app/api/components/[component]/logs/route.ts";
import * as restarting from "../../app/api/components/[component]/restart/route.ts";
import * as uninstalling from "../../app/api/components/[component]/uninstall/route.ts";
import * as components from "../../app/api/components/route.ts";
import * as power from "../../app/api/nodes/[name]/power/route.ts";
import * as neighbours from "../../app/api/nodes/neighbours/route.ts";
import { soon } from "../support/soon.ts";
import { call, operation, start, stop } from "./calls.ts";
import { healthyCluster, request } from "./fixtures.ts";

afterEach(stop);

describe("components", () => {
  it("are installed object by object, then awaited", async () => {
    const cluster = healthyCluster();
    cluster.drop(DEPLOYMENTS, "metallb-system/controller");
    await start(cluster);
    const { body } = await call(installing.POST, request("POST", "/x"), { component: "controller" });
    await soon(() => expect(cluster.held(DEPLOYMENTS, "metallb-system/controller")).toBeDefined());
    cluster.change(DEPLOYMENTS, "metallb-system/controller", (one) => ({
      ...one,
      spec: { replicas: 1 },
      status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1 },
    }));
    const done = await operation(body);
    expect(done.steps.map((step) => step.label)).toEqual([
      "Namespace metallb-system created",
      "CustomResourceDefinition ipaddresspools.metallb.io unchanged",
      "ServiceAccount controller created",
      "Deployment controller created",
      "Controller: 1 of 1 ready",
    ]);
  });

  it("are restarted by annotation and awaited", async () => {
    const cluster = await start();
    const { body } = await call(restarting.POST, request("POST", "/x"), { component: "speaker" });
    const template = () =>
      cluster.held(DAEMON_SETS, "metallb-system/speaker")?.spec?.template?.metadata?.annotations ?? {};
    await soon(() => expect(Object.keys(template())).toEqual(["kubectl.kubernetes.io/restartedAt"]));
    expect(dashboard().operations.read((body as { operation: string }).operation).state).toBe("running");
    cluster.change(DAEMON_SETS, "metallb-system/speaker", (one) => ({
      ...one,
      status: { ...one.status, observedGeneration: one.metadata.generation },
    }));
    expect((await operation(body)).state).toBe("done");
  });

  it("are uninstalled in reverse, and pools stay", async () => {
    const cluster = await start();
    cluster.before = (verb, resource) => {
      if (verb === "remove" && resource.plural === "daemonsets")
        for (const pod of ["speaker-01", "speaker-02", "speaker-03"]) cluster.drop(PODS, `metallb-system/${pod}`);
    };
    const done = await operation((await call(uninstalling.POST, request("POST", "/x"), { component: "speaker" })).body);
    expect(done.steps.map((step) => step.label)).toEqual([
      "DaemonSet speaker deleted",
      "Every pod ended",
      "ServiceAccount speaker not there",
    ]);
    expect(cluster.held(IP_ADDRESS_POOLS, "metallb-system/production")).toBeDefined();
    expect((await call(uninstalling.POST, request("POST", "/x?purge=true"), { component: "speaker" })).status).toBe(
      409,
    );
  });

  it("are not touched on a cluster that is not the sandbox, and say why", async () => {
    const cluster = await start(healthyCluster(), { sandbox: false });
    const { body } = await call(components.GET, request("GET", "/x"));
    expect(body).toMatchObject([
      { actionsBlockedBy: expect.stringMatching(/comes later/) },
      { actionsBlockedBy: expect.anything() },
    ]);
    for (const handler of [installing.POST, restarting.POST, uninstalling.POST]) {
      expect(await call(handler, request("POST", "/x"), { component: "speaker" })).toMatchObject({
        status: 403,
        body: { detail: expect.stringMatching(/comes later/) },
      });
    }
    expect((await call(power.POST, request("POST", "/x", { power: "off" }), { name: "node-01" })).status).toBe(403);
    expect(cluster.writes).toEqual([]);
  });

  it("show the log of their own pods and of no others", async () => {
    await start();
    const values = { component: "speaker" };
    expect((await call(logging.GET, request("GET", "/x?pod=speaker-02"), values)).body).toEqual({
      pod: "speaker-02",
      lines: ["one", "two"],
    });
    expect((await call(logging.GET, request("GET", "/x?pod=controller-5c-abc"), values)).status).toBe(404);
  });
});

describe("nodes of the sandbox", () => {
  it("are switched by annotation", async () => {
    const cluster = await start();
    const { body } = await call(power.POST, request("POST", "/x", { power: "off" }), { name: "node-01" });
    expect(body).toMatchObject({ poweredOff: true, eligibility: "speaker_not_ready" });
    expect(cluster.held(NODES, "node-01")?.metadata.annotations).toEqual({ "sandbox.berth.dev/power": "off" });
    expect((await call(power.POST, request("POST", "/x", { power: "off" }), { name: "node-99" })).status).toBe(404);
  });

  it("the edge's neighbours are read, and 404 where there is no edge", async () => {
    const cluster = await start();
    expect((await call(neighbours.GET, request("GET", "/x"))).status).toBe(404);
    cluster.seed(CONFIG_MAPS, {
      metadata: { name: "berth-sandbox-edge", namespace: "kube-system" },
      data: { neighbours: '[{"address":"127.77.10.1","mac":"02:be:77:00:00:12","state":"REACHABLE","updatedAt":1}]' },
    });
    expect((await call(neighbours.GET, request("GET", "/x"))).body).toMatchObject([{ mac: "02:be:77:00:00:12" }]);
  });
});
