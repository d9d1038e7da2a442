import { describe, expect, it } from "vitest";
import type { ActivityRow } from "#api/dashboard/activity";
import type { ComponentRow } from "#api/dashboard/components";
import type { NodeRow } from "#api/dashboard/nodes";
import type { PoolRow } from "#api/dashboard/pools";
import type { CheckRow } from "#api/dashboard/preflight";
import type { ServiceRow } from "#api/dashboard/services";
import { attention, type Facts } from "#client/attention";
import { currentStep, doneCount, isComplete } from "#client/checklist";
import { find, serviceHref } from "#client/find";
import { lastMove, moves } from "#client/moves";
import { ApiProblem } from "#client/problem";
import { shouldRetry } from "#client/query-client";

const none: Facts = { services: [], pools: [], nodes: [], components: [] };
const service = (over: Partial<ServiceRow>) =>
  ({ key: "shop/web", status: "ready", cause: "", sentence: "", addresses: [], ports: [], ...over }) as ServiceRow;
const pool = (over: Partial<PoolRow>) =>
  ({
    name: "lab",
    valid: true,
    findings: [],
    advertisedBy: ["ad"],
    addresses: ["10.0.0.0/24"],
    ipv4: { pressure: "ready", available: "9", totalText: "10" },
    ipv6: null,
    ...over,
  }) as PoolRow;

describe("what needs a person", () => {
  it("is nothing when all is well", () => {
    expect(attention({ ...none, services: [service({})], pools: [pool({})] })).toEqual([]);
  });
  it.each([
    [
      "a pending Service, with its cause",
      { ...none, services: [service({ status: "pending", cause: "legacy is full" })] },
      "shop/web is pending: legacy is full",
    ],
    [
      "an address that no node announces",
      { ...none, services: [service({ status: "not_announced" })] },
      "shop/web has an address that no node announces",
    ],
    [
      "a pool that nobody announces",
      { ...none, pools: [pool({ advertisedBy: [] })] },
      "Pool lab is announced by nobody",
    ],
    [
      "a full pool",
      { ...none, pools: [pool({ ipv4: { pressure: "failed", available: "0", totalText: "4" } as PoolRow["ipv4"] })] },
      "Pool lab is full",
    ],
    [
      "an invalid pool",
      {
        ...none,
        pools: [
          pool({ valid: false, findings: [{ severity: "error", field: "spec.addresses.0", message: "m", fix: "f" }] }),
        ],
      },
      "Pool lab is not valid",
    ],
    [
      "a speaker that is down",
      {
        ...none,
        components: [
          { component: "speaker", installed: true, ready: 2, desired: 3, pods: [] } as unknown as ComponentRow,
        ],
      },
      "speaker: 2 of 3 ready",
    ],
    [
      "a node that is off",
      { ...none, nodes: [{ name: "node-02", ready: false, poweredOff: true } as NodeRow] },
      "node-02 is powered off",
    ],
    [
      "a failed check",
      {
        ...none,
        checks: [
          { id: "strict-arp", title: "strictARP", state: "failed", explanation: "x", fix: null } as unknown as CheckRow,
        ],
      },
      "strictARP",
    ],
  ])("%s", (_what, facts, line) => {
    const [first] = attention(facts as Facts);
    expect(`${first?.subject}${first?.text}`).toBe(line);
  });
  it("puts what failed before what only warns", () => {
    const needs = attention({
      ...none,
      services: [service({ status: "no_ready_pods" }), service({ key: "a/b", status: "pending" })],
    });
    expect(needs.map((need) => need.tone)).toEqual(["failed", "warning"]);
  });
  it("says a missing component once: the row tells more than the check", () => {
    const checks = [
      {
        id: "speakers",
        title: "A speaker on every node",
        state: "failed",
        explanation: "",
        evidence: "",
        fix: null,
      } as unknown as CheckRow,
    ];
    expect(attention({ ...none, checks })).toEqual([]);
  });
});

describe("moves", () => {
  const event = (at: string, node: string, object = "Service default/nginx") =>
    ({
      at,
      reason: "nodeAssigned",
      object,
      message: `announcing from node "${node}" with protocol "layer2"`,
    }) as ActivityRow;
  it("a first announcement is no move; a second node is one; the same node again is none", () => {
    const all = moves([
      event("2026-01-01T00:00:02Z", "b"),
      event("2026-01-01T00:00:01Z", "a"),
      event("2026-01-01T00:00:03Z", "b"),
    ]);
    expect(all.map((move) => [move.from, move.to])).toEqual([
      [null, "a"],
      ["a", "b"],
    ]);
    expect(lastMove([event("2026-01-01T00:00:01Z", "a")])).toBeUndefined();
  });
});

describe("the checklist", () => {
  const done = { preflight: true, install: false, pool: true, workload: false, expose: false, probe: false };
  it("is at the first step that is not done, even when later ones are", () => {
    expect(currentStep(done)).toBe("install");
    expect(doneCount(done)).toBe(2);
    expect(isComplete(done)).toBe(false);
  });
});

describe("the command box", () => {
  const rows = {
    services: [service({ addresses: ["127.77.10.1"], type: "LoadBalancer" })],
    pools: [pool({ name: "production" })],
    nodes: [{ name: "node-01", addresses: ["127.77.0.11"] } as NodeRow],
  };
  it.each([
    ["a Service by the second half of its name", "web", "shop/web"],
    ["an address", "127.77.10.1", "127.77.10.1"],
    ["a pool", "prod", "production"],
    ["a node", "node-01", "node-01"],
    ["a page", "heal", "Health"],
    ["an action", "expose", "Expose a Service"],
  ])("finds %s", (_what, text, label) => expect(find(text, rows)[0]?.label).toBe(label));
  it("offers pages and actions before anything is typed", () => expect(find("", rows).length).toBeGreaterThan(5));
  it("finds nothing for what is not there", () => expect(find("zebra", rows)).toEqual([]));
  it("links to a Service in a way that can be read", () =>
    expect(serviceHref("shop/web")).toBe("/services?service=shop/web"));
});

describe("retries", () => {
  it.each([
    ["a refusal is final", new ApiProblem({ status: 422, code: "invalid", detail: "" }), 0, false],
    ["a broken connection is tried again", new ApiProblem({ status: 0, code: "unavailable", detail: "" }), 0, true],
    ["a server error is tried again", new ApiProblem({ status: 503, code: "unavailable", detail: "" }), 1, true],
    ["but not for ever", new ApiProblem({ status: 503, code: "unavailable", detail: "" }), 2, false],
  ])("%s", (_what, error, failures, again) => expect(shouldRetry(failures, error)).toBe(again));
});
