import { describe, expect, it } from "vitest";
import type { EndpointSlice, Service } from "#api/kubernetes/services";
import type { IPAddressPool } from "#api/metallb";
import { ANNOTATION, CONDITION, LABEL } from "#api/names";
import {
  CONFIGURATION_STATES,
  ENDPOINT_SLICES,
  EVENTS,
  IP_ADDRESS_POOLS,
  NAMESPACES,
  SECRETS,
  SERVICE_L2_STATUSES,
  SERVICES,
  SPEAKER_STATES,
} from "#api/resources";
import { Fault } from "#core/errors";
import { NS, pool, Rig, service, speaker } from "./rig.ts";

const production = pool("production", "127.77.10.1-127.77.10.3");
const fromPool = (name: string) => ({ annotations: { [ANNOTATION.addressPool]: name } });
const wants = (ip: string) => ({ spec: { loadBalancerIP: ip } });
const slice = (name: string, node: string, ready = true): EndpointSlice => ({
  metadata: { name: `${name}-x`, namespace: "default", labels: { [LABEL.sliceService]: name } },
  endpoints: [{ addresses: ["10.244.1.2"], nodeName: node, conditions: { ready } }],
});
const report = (name: string, node: string) => ({
  metadata: { name: `l2-${node}`, namespace: NS },
  status: { node, serviceName: name, serviceNamespace: "default", interfaces: [{ name: "eth0" }] },
});

async function rigWith(...objects: readonly (Service | IPAddressPool)[]): Promise<Rig> {
  const rig = new Rig();
  await rig.put(...objects);
  return await rig.start();
}

describe("assigning", () => {
  it("gives a new Service the first address, its condition, its annotation and one Event", async () => {
    const rig = await rigWith(production);
    await rig.put(service("nginx"));
    expect(rig.says("nginx")).toBe("127.77.10.1 (production)");
    expect(rig.get("nginx")?.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: CONDITION.addressAssigned,
        status: "True",
        reason: "Satisfied",
        message: "127.77.10.1 from pool production",
      }),
    );
    expect(rig.eventTexts("nginx")).toEqual(['Normal IPAllocated: Assigned IP ["127.77.10.1"]']);
    expect(rig.events("nginx")[0]?.source?.component).toBe("metallb-controller");
  });

  it("writes the address in its first request, before annotation and Event", async () => {
    const rig = await rigWith(production);
    rig.server.writes.length = 0;
    await rig.put(service("nginx"));
    expect(rig.server.writes[0]).toMatchObject({ plural: "services", subresource: "status" });
  });

  it("needs no second write where the status takes the annotation in", async () => {
    const rig = await rigWith(production);
    rig.server.statusTakesAnnotations = true;
    rig.server.writes.length = 0;
    await rig.put(service("nginx"));
    expect(rig.says("nginx")).toBe("127.77.10.1 (production)");
    expect(rig.server.writes.filter(({ plural }) => plural === "services")).toHaveLength(1);
  });

  it("writes nothing once everything is as it should be, nor after a restart", async () => {
    const rig = await rigWith(production, service("a"), service("b"), service("c"), service("d"));
    rig.threeNodes();
    await rig.calm(10_000);
    rig.server.writes.length = 0;
    await rig.calm(60_000);
    await rig.kill();
    await rig.start();
    await rig.calm(10_000);
    expect(rig.server.writes).toEqual([]);
  });

  it("gives addresses back at once and to the oldest waiter first", async () => {
    const rig = await rigWith(pool("one", "10.0.0.1/32"), service("holder", { createdAt: "2026-01-01T00:00:00Z" }));
    await rig.put(service("young", { createdAt: "2026-01-03T00:00:00Z" }));
    await rig.put(service("old", { createdAt: "2026-01-02T00:00:00Z" }));
    expect(rig.says("old")).toBe("Exhausted: one: exhausted (1 of 1 in use)");
    await rig.delete("holder");
    expect(rig.says("old")).toBe("10.0.0.1 (one)");
    expect(rig.says("young")).toMatch(/^Exhausted/);
  });

  it("lets no newcomer overtake who waits", async () => {
    const rig = await rigWith(
      pool("one", "10.0.0.1/32"),
      service("holder"),
      service("waiter", { createdAt: "2027-01-01T00:00:00Z" }),
    );
    rig.server.delete(SERVICES, "default/holder");
    rig.server.set(SERVICES, service("newcomer", { createdAt: "2026-01-01T00:00:00Z" }));
    await rig.calm();
    expect(rig.says("waiter")).toBe("10.0.0.1 (one)");
  });

  it("takes everything back from a Service that is no LoadBalancer any more", async () => {
    const rig = await rigWith(
      pool("one", "10.0.0.1/32"),
      service("a"),
      service("b", { createdAt: "2027-01-01T00:00:00Z" }),
    );
    await rig.edit("a", (each) => ({ ...each, spec: { ...each.spec, type: "ClusterIP" } }));
    expect(rig.get("a")?.status).toEqual({ loadBalancer: {} });
    expect(rig.get("a")?.metadata.annotations ?? {}).toEqual({});
    expect(rig.says("b")).toBe("10.0.0.1 (one)");
  });

  it("leaves Services of another class wholly alone, but does not give away what they show", async () => {
    const foreign = service("foreign", { spec: { loadBalancerClass: "other.io/lb" }, ingress: ["127.77.10.1"] });
    const rig = await rigWith(production, foreign, service("ours"));
    expect(rig.get("foreign")?.status).toEqual(foreign.status);
    expect(rig.events("foreign")).toEqual([]);
    expect(rig.says("ours")).toBe("127.77.10.2 (production)");
  });

  it("serves only its own class when it has one", async () => {
    const rig = new Rig("berth.dev/lb");
    await rig.put(production, service("none"), service("ours", { spec: { loadBalancerClass: "berth.dev/lb" } }));
    await rig.start();
    expect([rig.says("none"), rig.says("ours")]).toEqual(["-", "127.77.10.1 (production)"]);
  });
});

describe("refusing", () => {
  it.each([
    ["an unknown pool", fromPool("prod"), "PoolNotFound: there is no pool named prod"],
    ["an address outside every pool", wants("127.77.99.9"), "OutsidePools: 127.77.99.9 is outside every pool"],
    [
      "an address that is taken",
      wants("127.77.10.1"),
      "AlreadyAssigned: 127.77.10.1 is already assigned to default/nginx",
    ],
  ])("says why: %s", async (_name, over, want) => {
    const rig = await rigWith(production, service("nginx"));
    await rig.put(service("web", over));
    expect(rig.says("web")).toBe(want);
    const sentence = want.slice(want.indexOf(":") + 2);
    expect(rig.eventTexts("web")).toEqual([
      `Warning AllocationFailed: Failed to allocate IP for "default/web": ${sentence}`,
    ]);
    expect(rig.announced("web")).toBe("False NoAddress: the Service has no address yet");
  });

  it("serves a waiter when its pool appears, without a second Event for the same refusal", async () => {
    const rig = await rigWith(production);
    await rig.put(service("web", fromPool("lab")));
    await rig.put(service("other"));
    await rig.put(pool("lab", "10.0.0.1/32"));
    expect(rig.says("web")).toBe("10.0.0.1 (lab)");
    expect(rig.events("web").map(({ reason }) => reason)).toEqual(["AllocationFailed", "IPAllocated"]);
  });

  it("counts who waits, by reason, in the metrics", async () => {
    const rig = await rigWith(production, service("a", fromPool("x")), service("b", fromPool("y")), service("c"));
    const text = rig.metrics.render();
    expect(text).toContain('berth_controller_refusals{reason="pool_not_found"} 2');
    expect(text).toContain('metallb_allocator_addresses_in_use_total{pool="production"} 1');
    expect(text).toContain('metallb_allocator_ipv4_addresses_total{pool="production"} 3');
    expect(text).toContain("metallb_k8s_client_config_loaded_bool 1");
    expect(text).toContain("metallb_k8s_client_config_stale_bool 0");
  });

  it("keeps the address of a Service whose new request cannot be read, and says so", async () => {
    const rig = await rigWith(production, service("web"));
    await rig.edit("web", (each) => ({ ...each, spec: { ...each.spec, loadBalancerIP: "ten" } }));
    expect(rig.says("web")).toBe("127.77.10.1 (production)");
    expect(rig.eventTexts("web").at(-1)).toMatch(/^Warning LoadBalancerFailed: .*"ten"/);
  });
});

describe("pools", () => {
  it("keeps the counters in their status", async () => {
    const rig = await rigWith(production, pool("v6", "2001:db8::/64"), service("a"));
    const status = (name: string) => rig.server.at(IP_ADDRESS_POOLS, `${NS}/${name}`)?.status;
    expect(status("production")).toEqual({ assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 2, availableIPv6: 0 });
    expect(status("v6")?.availableIPv6).toBe(2 ** 63);
    await rig.delete("a");
    expect(status("production")?.assignedIPv4).toBe(0);
  });

  it("stays on the last valid version of an edited pool, complains within a second, and recovers", async () => {
    const rig = await rigWith(production, service("web"));
    const state = () => rig.server.at(CONFIGURATION_STATES, `${NS}/controller`)?.status;
    expect(state()).toMatchObject({ result: "Valid", errorSummary: "" });
    rig.server.set(IP_ADDRESS_POOLS, pool("production", "127.77.10.9-127.77.10.1"));
    await rig.calm(900);
    expect(state()).toMatchObject({ result: "Invalid" });
    expect(state()?.errorSummary).toContain("IPAddressPool production: spec.addresses.0");
    expect(state()?.conditions?.[0]).toMatchObject({
      type: "poolReconcilerValid",
      status: "False",
      reason: "ConfigurationError",
    });
    expect(rig.eventTexts("production")[0]).toMatch(/^Warning ConfigurationError: .*inverted/);
    await rig.put(service("second"));
    expect([rig.says("web"), rig.says("second")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
    await rig.put(production);
    expect(state()).toMatchObject({ result: "Valid", errorSummary: "" });
    expect(rig.events("production")).toHaveLength(1);
  });

  it("refuses the younger of two overlapping pools and disturbs nothing else", async () => {
    const rig = await rigWith(production, service("web"));
    await rig.put(pool("clash", "127.77.10.0/24"));
    expect(rig.eventTexts("clash")[0]).toContain("overlaps 127.77.10.1-127.77.10.3 of pool production");
    expect(rig.eventTexts("production")).toEqual([]);
    await rig.put(service("asks", fromPool("clash")));
    expect(rig.says("asks")).toBe("PoolNotFound: pool clash is invalid and not in force");
  });

  it("leaves Services of an invalid pool untouched after a restart", async () => {
    const rig = await rigWith(production, pool("spare", "10.0.0.0/24"), service("web", fromPool("production")));
    await rig.kill();
    rig.server.set(IP_ADDRESS_POOLS, pool("production", "nonsense"));
    rig.server.writes.length = 0;
    await rig.start();
    expect(rig.says("web")).toBe("127.77.10.1 (production)");
    expect(rig.server.writes.filter(({ plural }) => plural === "services")).toEqual([]);
    await rig.put(production);
    expect(rig.says("web")).toBe("127.77.10.1 (production)");
  });

  it("moves Services whose pool is deleted, and says that it does", async () => {
    const rig = await rigWith(production, pool("spare", "10.0.0.0/24"), service("web"));
    expect(rig.says("web")).toBe("127.77.10.1 (production)");
    rig.server.delete(IP_ADDRESS_POOLS, `${NS}/production`);
    await rig.calm();
    expect(rig.says("web")).toBe("10.0.0.0 (spare)");
    expect(rig.eventTexts("web")).toContain(
      "Normal ClearAssignment: 127.77.10.1 given up: 127.77.10.1 is outside every pool",
    );
  });

  it("closes a pool to namespaces when their labels change", async () => {
    const rig = await rigWith(
      pool("team", "10.0.0.1/32", { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "a" } }] } }),
      service("web"),
    );
    expect(rig.says("web")).toBe("10.0.0.1 (team)");
    rig.server.set(NAMESPACES, { metadata: { name: "default", labels: { team: "b" } } });
    await rig.calm();
    expect(rig.says("web")).toBe("NamespaceNotAllowed: team: namespace default not allowed");
  });
});

describe("adopting", () => {
  it("adopts what the statuses say before it gives out anything", async () => {
    const rig = await rigWith(
      production,
      service("new", { createdAt: "2020-01-01T00:00:00Z" }),
      service("had", { ingress: ["127.77.10.1"] }),
    );
    expect([rig.says("had"), rig.says("new")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
  });

  it("lets the younger of two that show one address yield", async () => {
    const rig = await rigWith(
      production,
      service("young", { ingress: ["127.77.10.1"], createdAt: "2026-02-01T00:00:00Z" }),
      service("old", { ingress: ["127.77.10.1"], createdAt: "2026-01-01T00:00:00Z" }),
    );
    expect([rig.says("old"), rig.says("young")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
  });
});

describe("when writes fail", () => {
  it("does not give an address twice while its caches lag", async () => {
    const rig = await rigWith(production);
    rig.cluster.lag = true;
    rig.server.set(SERVICES, service("a"));
    rig.cluster.deliver();
    await rig.calm();
    rig.server.set(SERVICES, service("b"));
    rig.cluster.deliver(rig.cluster.lag ? 1 : 0);
    await rig.calm();
    rig.cluster.deliver();
    rig.cluster.lag = false;
    await rig.calm();
    expect([rig.says("a"), rig.says("b")].toSorted()).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
  });

  it("keeps to its decision when the reply to a write is lost", async () => {
    const rig = await rigWith(production);
    let lost = 2;
    rig.server.fault = ({ plural, subresource }) =>
      plural === "services" && subresource === "status" && lost-- > 0 ? "lost" : null;
    await rig.put(service("a"));
    await rig.put(service("b"));
    expect([rig.says("a"), rig.says("b")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
    expect(
      rig.server.writes.filter(({ subresource, key }) => subresource === "status" && key === "default/a"),
    ).toHaveLength(1);
  });

  it("tries again when the server does not answer, without letting go of the address", async () => {
    const rig = await rigWith(production);
    rig.server.fault = ({ plural }) => (plural === "services" ? new Fault("unavailable", "connection refused") : null);
    await rig.put(service("a"));
    rig.server.fault = () => null;
    await rig.put(service("b"));
    await rig.calm(5000);
    expect([rig.says("a"), rig.says("b")]).toEqual(["127.77.10.1 (production)", "127.77.10.2 (production)"]);
    expect(rig.metrics.render()).toMatch(/update_errors_total [1-9]/);
  });

  it("decides anew when somebody else changed the Service meanwhile", async () => {
    const rig = await rigWith(production);
    let once = true;
    rig.server.fault = ({ plural, subresource }) => {
      if (plural === "services" && subresource === "status" && once) {
        once = false;
        const present = rig.get("a");
        if (present !== undefined)
          rig.server.set(SERVICES, { ...present, spec: { ...present.spec, loadBalancerIP: "127.77.10.3" } });
      }
      return null;
    };
    await rig.put(service("a"));
    expect(rig.says("a")).toBe("127.77.10.3 (production)");
  });

  it("lets go of an address it is forbidden to write", async () => {
    const rig = await rigWith(production);
    rig.server.fault = ({ key, verb }) =>
      key === "default/a" && verb === "patch" ? new Fault("forbidden", "no") : null;
    await rig.put(service("a"));
    rig.server.fault = () => null;
    await rig.calm(31_000);
    expect(rig.says("a")).toBe("127.77.10.1 (production)");
  });
});

describe("condition Announced", () => {
  it("follows from nobody to elected to reported, and back to why not", async () => {
    const rig = await rigWith(production, service("web"));
    expect(rig.announced("web")).toBe(
      "False NoServingEndpoint: no pod is ready to serve: an address is announced only while one is",
    );
    rig.threeNodes();
    rig.server.set(ENDPOINT_SLICES, slice("web", "node-01"));
    await rig.calm();
    // SHA-256 order of #127.77.10.1: node-03, node-02, node-01.
    expect(rig.announced("web")).toBe(
      "Unknown AwaitingSpeaker: node-03 is elected to announce 127.77.10.1 and has not reported yet",
    );
    rig.server.set(SERVICE_L2_STATUSES, report("web", "node-03"));
    await rig.calm();
    expect(rig.announced("web")).toBe("True Announced: 127.77.10.1 is announced by node-03 on eth0");
    rig.server.set(ENDPOINT_SLICES, slice("web", "node-01", false));
    await rig.calm();
    expect(rig.announced("web")).toMatch(/^False NoServingEndpoint/);
  });

  it("names the missing advertisement", async () => {
    const rig = await rigWith(production, service("web"));
    rig.server.set(ENDPOINT_SLICES, slice("web", "node-01"));
    await rig.calm();
    expect(rig.announced("web")).toBe(
      "False NoMatchingAdvertisement: no L2Advertisement covers pool production for this Service",
    );
  });

  it("does not flicker while the announcement moves to another node", async () => {
    const rig = await rigWith(production, service("web"));
    rig.threeNodes();
    rig.server.set(ENDPOINT_SLICES, slice("web", "node-01"));
    rig.server.set(SERVICE_L2_STATUSES, report("web", "node-03"));
    await rig.calm();
    rig.server.writes.length = 0;
    rig.server.delete(SERVICE_L2_STATUSES, `${NS}/l2-node-03`);
    await rig.calm(500);
    rig.server.set(SERVICE_L2_STATUSES, report("web", "node-02"));
    await rig.calm(5000);
    expect(rig.announced("web")).toMatch(/^True Announced: .*node-02/);
    expect(rig.server.writes).toHaveLength(1);
    rig.server.delete(SERVICE_L2_STATUSES, `${NS}/l2-node-02`);
    await rig.calm(5000);
    expect(rig.announced("web")).toMatch(/^Unknown AwaitingSpeaker/);
  });

  it("does not take a dead speaker's word", async () => {
    const rig = await rigWith(production, service("web"));
    rig.threeNodes();
    rig.server.set(ENDPOINT_SLICES, slice("web", "node-01"));
    rig.server.set(SERVICE_L2_STATUSES, report("web", "node-03"));
    await rig.calm();
    const members = ["node-01", "node-02", "node-03"].map((node) => ({ node, alive: node !== "node-03", ready: true }));
    for (const name of ["node-01", "node-02"]) rig.server.set(SPEAKER_STATES, speaker(name, [], { members }));
    await rig.calm(5000);
    expect(rig.announced("web")).toMatch(/^Unknown AwaitingSpeaker: node-02 is elected/);
  });

  it("pays no attention to heartbeats", async () => {
    const rig = await rigWith(production, service("web"));
    rig.threeNodes();
    await rig.calm();
    rig.server.writes.length = 0;
    rig.server.set(
      SPEAKER_STATES,
      speaker("node-01", ["node-01", "node-02", "node-03"], { heartbeatAt: "later", memoryBytes: 5 }),
    );
    await rig.calm();
    expect(rig.server.writes).toEqual([]);
  });
});

describe("beside Services", () => {
  it("creates the memberlist Secret once and never changes it", async () => {
    const rig = await rigWith();
    const secret = rig.server.at(SECRETS, `${NS}/memberlist`);
    expect(atob(secret?.data?.secretkey ?? "")).toMatch(/^[A-Za-z0-9+/]{22}$/);
    await rig.kill();
    await rig.start();
    expect(rig.server.at(SECRETS, `${NS}/memberlist`)).toBe(secret);
  });

  it("puts ConfigurationState back when somebody deletes it", async () => {
    const rig = await rigWith(production);
    rig.server.delete(CONFIGURATION_STATES, `${NS}/controller`);
    await rig.calm();
    expect(rig.server.at(CONFIGURATION_STATES, `${NS}/controller`)?.status?.result).toBe("Valid");
  });

  it("raises the count of an Event that repeats", async () => {
    const rig = await rigWith(production);
    for (let turn = 0; turn < 3; turn++) {
      await rig.put(service("web", fromPool("prod")));
      await rig.edit("web", (each) => ({ ...each, metadata: { ...each.metadata, annotations: {} } }));
    }
    expect(
      rig
        .events("web")
        .map(({ reason, count }) => [reason, count])
        .toSorted(),
    ).toEqual(expect.arrayContaining([["IPAllocated", 3]]));
    expect(rig.server.of(EVENTS).every(({ metadata }) => metadata.namespace === "default")).toBe(true);
  });

  it("is ready only after everything is listed", async () => {
    const rig = await rigWith(production);
    expect(rig.controller?.ready()).toBe(true);
    expect(rig.controller?.healthy()).toBe(true);
  });
});
