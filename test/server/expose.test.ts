import { afterEach, describe, expect, it } from "vitest";
import { Problem } from "#api/dashboard/problem";
import { ENDPOINT_SLICES, L2_ADVERTISEMENTS, SERVICES } from "#api/resources";
import { type Clock, systemClock } from "#runtime/clock";
import * as diagnosing from "../../app/api/services/[namespace]/[name]/diagnosis/route.ts";
import * as exposing from "../../app/api/services/[namespace]/[name]/expose/route.ts";
import { call, operation, start, stop, WEB } from "./calls.ts";
import { FakeProber, healthyCluster, playController, request, service, slice, threePods } from "./fixtures.ts";

afterEach(stop);

describe("exposing", () => {
  const answering = () => {
    const prober = new FakeProber();
    prober.answer = (command) => {
      if (command.kind === "start") prober.second(command.id, 0, ["web-0"]);
    };
    return prober;
  };
  const clusterIp = service("web", { type: "ClusterIP", spec: { externalTrafficPolicy: undefined } });

  it("goes through every step, and back again", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, clusterIp);
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    playController(cluster);
    await start(cluster, { prober: answering() });
    const { status, body } = await call(exposing.POST, request("POST", "/x", { pool: "production" }), WEB);
    expect(status).toBe(202);
    const done = await operation(body);
    expect(done).toMatchObject({ state: "done", kind: "expose", target: "default/web" });
    expect(done.steps.map((step) => step.label)).toEqual([
      "Type LoadBalancer, pool production",
      "Assigned 127.77.10.1",
      "Announced by node-02",
      "Reachable: Pod web-0 answered in 3 ms",
    ]);
    expect(done.steps.every((step, index) => (step.elapsedMs ?? -1) >= (done.steps[index - 1]?.elapsedMs ?? 0))).toBe(
      true,
    );
    expect(cluster.held(SERVICES, "default/web")?.metadata.annotations).toEqual({
      "metallb.io/address-pool": "production",
      "berth.dev/previous-type": "ClusterIP",
    });

    const back = await operation((await call(exposing.DELETE, request("DELETE", "/x"), WEB)).body);
    expect(back.steps.map((step) => step.label)).toEqual(["Type ClusterIP", "Released 127.77.10.1"]);
    const after = cluster.held(SERVICES, "default/web");
    expect(after?.spec?.type).toBe("ClusterIP");
    expect(after?.metadata.annotations).toEqual({});
    expect(after?.spec?.ports?.[0]).not.toHaveProperty("nodePort");
  });

  it("tries the mapped port as soon as there is one, instead of waiting at an address that this machine cannot open", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, clusterIp);
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    playController(cluster);
    const prober = new FakeProber();
    const tried: string[] = [];
    prober.answer = (command) => {
      if (command.kind !== "start") return;
      tried.push(command.url);
      if (command.url.includes(":18080")) prober.second(command.id, 0, ["web-0"]);
      else
        cluster.change(SERVICES, "default/web", (one) => ({
          ...one,
          metadata: {
            ...one.metadata,
            annotations: { ...one.metadata.annotations, "berth.dev/reachable-at": "80/TCP=127.0.0.1:18080" },
          },
        }));
    };
    // The wait at the address is one of 2.5 s. It would never end.
    const clock: Clock = {
      ...systemClock,
      schedule: (ms, task) => (ms >= 2_000 ? () => undefined : systemClock.schedule(ms, task)),
    };
    await start(cluster, { prober, clock });
    const { body } = await call(exposing.POST, request("POST", "/x", { pool: "production" }), WEB);
    const done = await operation(body);
    expect(done.steps.at(-1)).toMatchObject({ state: "done", label: "Reachable: Pod web-0 answered in 3 ms" });
    expect(tried).toEqual(["http://127.77.10.1/", "http://127.0.0.1:18080/"]);
  });

  it("ends with the reason when no address is to be had", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, clusterIp, service("holder", { ip: "127.77.10.7" }));
    await start(cluster, { prober: answering() });
    const failed = await operation(
      (await call(exposing.POST, request("POST", "/x", { address: "127.77.10.7" }), WEB)).body,
    );
    expect(failed.state).toBe("failed");
    expect(failed.steps[1]).toMatchObject({
      state: "failed",
      detail: expect.stringMatching(/127\.77\.10\.7 is already assigned to default\/holder/),
    });
    expect(failed.steps[2]?.state).toBe("skipped");
  });

  it("ends with the reason when no pod is ready", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, clusterIp);
    cluster.seed(ENDPOINT_SLICES, slice("web", []));
    cluster.cache(SERVICES).onChange((key, now) => {
      if (now?.spec?.type !== "LoadBalancer" || now.status?.loadBalancer?.ingress !== undefined) return;
      queueMicrotask(() =>
        cluster.change(SERVICES, key, (one) => ({
          ...one,
          status: { loadBalancer: { ingress: [{ ip: "127.77.10.1" }] } },
        })),
      );
    });
    await start(cluster, { prober: answering() });
    const failed = await operation((await call(exposing.POST, request("POST", "/x", {}), WEB)).body);
    expect(failed.steps[2]).toMatchObject({
      name: "announced",
      state: "failed",
      detail: expect.stringMatching(/it selects no pod/),
    });
  });

  it.each([
    ["an unknown pool", { pool: "nope" }, "pool", /there is no pool nope; there is production/],
    ["an address that is none", { address: "127.77.10" }, "address", /no IP address/],
    [
      "a port twice",
      {
        ports: [
          { port: 80, name: "a" },
          { port: 80, name: "b" },
        ],
      },
      "ports.1.port",
      /twice/,
    ],
    ["several ports without names", { ports: [{ port: 80, name: "a" }, { port: 81 }] }, "ports.1.name", /names/],
    ["a port out of range", { ports: [{ port: 70_000 }] }, "ports.0.port", /./],
  ])("is refused at once: %s", async (_name, sent, field, text) => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, clusterIp);
    await start(cluster);
    const { status, body } = await call(exposing.POST, request("POST", "/x", sent), WEB);
    expect(status).toBe(422);
    expect(Problem.parse(body).fields?.[field as string]).toMatch(text as RegExp);
    expect(cluster.writes).toEqual([]);
  });

  it("is refused for what cannot be exposed, and un-exposing for what is not", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, service("web", { type: "ExternalName" }));
    await start(cluster);
    expect(await call(exposing.POST, request("POST", "/x", {}), WEB)).toMatchObject({
      status: 422,
      body: { detail: expect.stringMatching(/DNS name/) },
    });
    expect((await call(exposing.DELETE, request("DELETE", "/x"), WEB)).status).toBe(409);
    expect((await call(exposing.POST, request("POST", "/x", {}), { ...WEB, name: "none" })).status).toBe(404);
  });

  it("is explained: every node and a checklist that stops at the first failure", async () => {
    const cluster = healthyCluster();
    cluster.seed(SERVICES, service("web", { ip: "127.77.10.1" }));
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    cluster.drop(L2_ADVERTISEMENTS, "metallb-system/external");
    await start(cluster);
    const { body } = await call(diagnosing.GET, request("GET", "/x"), WEB);
    const found = body as { checks: { id: string; state: string }[]; nodes: { reason: string }[]; text: string };
    expect(found.checks.map((check) => `${check.id} ${check.state}`)).toEqual([
      "ours passed",
      "controller passed",
      "address passed",
      "endpoints passed",
      "advertisement failed",
      "candidate skipped",
      "announced skipped",
      "one-mac skipped",
      "reachable skipped",
    ]);
    expect(found.nodes.map((one) => one.reason)).toEqual([
      "no_matching_advertisement",
      "no_matching_advertisement",
      "no_matching_advertisement",
    ]);
    expect(found.text).toContain("[FAIL] Its pool is advertised");
  });
});
