import { afterEach, describe, expect, it } from "vitest";
import {
  CONFIG_MAPS,
  DAEMON_SETS,
  ENDPOINT_SLICES,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import * as fixing from "../../app/api/preflight/[check]/fix/route.ts";
import * as preflight from "../../app/api/preflight/route.ts";
import { call, operation, start, stop } from "./calls.ts";
import { healthyCluster, l2Status, macOf, request, service, threePods } from "./fixtures.ts";
import type { MemoryCluster } from "./memory-cluster.ts";

afterEach(stop);

describe("preflight", () => {
  const config = (strictARP: boolean) => ({
    metadata: { name: "kube-proxy", namespace: "kube-system" },
    data: { "config.conf": `kind: X\nmode: ipvs\nipvs:\n  strictARP: ${strictARP}\n`, other: "kept" },
  });

  /** Speakers that answer who-has: as many MACs as kube-proxy's state makes answer. */
  function playSpeakers(cluster: MemoryCluster, macs: () => readonly string[]): void {
    cluster.cache(SPEAKER_STATES).onChange((key, now) => {
      const [nonce = "", list = ""] = (now?.metadata.annotations?.["berth.dev/who-has"] ?? "").split(" ");
      if (nonce === "" || now?.status?.answeredWhoHas === nonce) return;
      const wire = list.split(",").map((address) => ({
        address,
        askedAt: "2026-01-01T00:00:00Z",
        answers: macs().map((mac) => ({ mac, rttMs: 1 })),
      }));
      queueMicrotask(() =>
        cluster.change(SPEAKER_STATES, key, (one) => ({
          ...one,
          status: { ...one.status, wire, answeredWhoHas: nonce },
        })),
      );
    });
  }
  function announced(cluster: MemoryCluster): void {
    cluster.seed(SERVICES, service("web", { ip: "127.77.10.1" }));
    cluster.seed(ENDPOINT_SLICES, threePods("web"));
    cluster.seed(SERVICE_L2_STATUSES, l2Status("web", "node-02"));
  }

  it("finds strictARP off and every MAC that answers, fixes both in one click", async () => {
    const cluster = healthyCluster();
    announced(cluster);
    let strict = false;
    playSpeakers(cluster, () => (strict ? [macOf("node-02")] : ["node-01", "node-02", "node-03"].map(macOf)));
    cluster.seed(CONFIG_MAPS, config(false));
    cluster.seed(DAEMON_SETS, {
      metadata: { name: "kube-proxy", namespace: "kube-system", generation: 1 },
      status: { observedGeneration: 1, desiredNumberScheduled: 3, numberReady: 3, updatedNumberScheduled: 3 },
    });
    await start(cluster);
    const { body } = await call(preflight.GET, request("GET", "/x"));
    const checks = body as {
      id: string;
      state: string;
      evidence: string;
      wire: { believed: unknown; answers: { expected: boolean }[] }[];
    }[];
    expect(checks[0]).toMatchObject({
      id: "strict-arp",
      state: "failed",
      evidence: expect.stringMatching(/strictARP false; 3 MACs answer for 127\.77\.10\.1/),
    });
    expect(checks[0]?.wire[0]?.believed).toEqual({ node: "node-02", mac: macOf("node-02") });
    expect(checks[0]?.wire[0]?.answers.map((answer) => answer.expected)).toEqual([true, false, false]);
    expect(checks.slice(1).map((check) => `${check.id} ${check.state}`)).toEqual([
      "rights passed",
      "crds passed",
      "controller passed",
      "speakers passed",
      "configuration unknown",
      "heartbeats passed",
      "advertised passed",
      "node-addresses passed",
      "wire unknown",
    ]);

    cluster.cache(DAEMON_SETS).onChange((key, now) => {
      if (key !== "kube-system/kube-proxy" || now?.metadata.generation === now?.status?.observedGeneration) return;
      setTimeout(() => {
        strict = true;
        cluster.change(DAEMON_SETS, key, (one) => ({
          ...one,
          status: { ...one.status, observedGeneration: one.metadata.generation },
        }));
      }, 20);
    });
    const fix = await call(fixing.POST, request("POST", "/x"), { check: "strict-arp" });
    const done = await operation(fix.body);
    expect(done.steps.map((step) => step.label)).toEqual([
      "Set strictARP: true",
      "Restart kube-proxy",
      "kube-proxy restarted everywhere",
      "One MAC for 1 address",
    ]);
    expect(cluster.held(CONFIG_MAPS, "kube-system/kube-proxy")?.data).toEqual({
      "config.conf": "kind: X\nmode: ipvs\nipvs:\n  strictARP: true\n",
      other: "kept",
    });
    expect((await call(fixing.POST, request("POST", "/x"), { check: "strict-arp" })).status).toBe(409);
    expect((await call(fixing.POST, request("POST", "/x"), { check: "nothing" })).status).toBe(404);
  });

  it("does not believe a configuration that the wire contradicts", async () => {
    const cluster = healthyCluster();
    announced(cluster);
    playSpeakers(cluster, () => [macOf("node-02"), macOf("node-03")]);
    cluster.seed(CONFIG_MAPS, config(true));
    await start(cluster);
    const { body } = await call(preflight.GET, request("GET", "/x"));
    expect((body as unknown[])[0]).toMatchObject({ state: "failed", fix: { label: "Restart kube-proxy" } });
  });

  it.each([
    [
      "iptables needs nothing",
      [{ ...config(false), data: { "config.conf": "kind: X\nmode: iptables\n" } }],
      [],
      "not_applicable",
    ],
    ["Cilium needs nothing", [], ["cilium"], "not_applicable"],
    ["without any trace it is unknown", [], [], "unknown"],
    ["an unreadable text is unknown", [{ ...config(false), data: { "config.conf": "???" } }], [], "unknown"],
    ["strictARP on is passed", [config(true)], [], "passed"],
  ])("%s", async (_name, configs, daemons, state) => {
    const cluster = healthyCluster();
    cluster.seed(CONFIG_MAPS, ...configs);
    cluster.seed(DAEMON_SETS, ...daemons.map((name) => ({ metadata: { name, namespace: "kube-system" } })));
    await start(cluster);
    const { body } = await call(preflight.GET, request("GET", "/x"));
    expect((body as { state: string }[])[0]?.state).toBe(state);
  });
});
