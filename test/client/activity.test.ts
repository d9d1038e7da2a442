import { describe, expect, it } from "vitest";
import type { ActivityRow } from "#api/dashboard/activity";
import { changes } from "#client/activity";

let second = 0;
function row(object: string, reason: string, message: string, more: Partial<ActivityRow> = {}): ActivityRow {
  second += 1;
  const at = `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;
  return { id: at, at, type: "Normal", reason, object, message, component: "x", count: 1, ...more };
}
const announcing = (node: string) =>
  row("Service default/web", "nodeAssigned", `announcing from node "${node}" with protocol "layer2"`);
const told = (...rows: readonly ActivityRow[]) => changes(rows, 9).map(({ subject, text }) => `${subject} ${text}`);

describe("recent changes", () => {
  it("tell an announcement, and a move as one, the newest first", () => {
    expect(told(announcing("node-01"), announcing("node-01"), announcing("node-02"))).toEqual([
      "default/web moved from node-01 to node-02",
      "default/web announced by node-01",
      "default/web announced by node-01",
    ]);
  });
  it.each([
    ["one address", 'Assigned IP ["10.0.0.1"]', "default/web got 10.0.0.1"],
    ["two addresses", 'Assigned IP ["10.0.0.1" "fd00::1"]', "default/web got 10.0.0.1 and fd00::1"],
    [
      "a refusal without repeating the name",
      'Failed to allocate IP for "default/web": there is no pool named prod',
      "default/web waits for an address: there is no pool named prod",
    ],
    ["anything else as it was said", "Some other words", "default/web Some other words"],
  ])("tell %s", (_what, message, text) => {
    expect(told(row("Service default/web", "IPAllocated", message))).toEqual([text]);
  });
  it("tell of a node only whether it is ready", () => {
    const starting = row("Node node-01", "Starting", "Starting kubelet.");
    const ready = row("Node node-01", "NodeReady", "Node node-01 status is now: NodeReady");
    expect(told(starting, ready)).toEqual(["node-01 is ready"]);
  });
  it("leave out what every starting pod says, and keep what is wrong", () => {
    expect(
      told(
        row("Pod metallb-system/speaker-abcde", "Created", "Container created"),
        row("Pod metallb-system/speaker-abcde", "Unhealthy", "Readiness probe failed", { type: "Warning" }),
        row("Pod default/nginx-app-6c9f7d8b55-h7vjd", "BackOff", "Back-off", { type: "Warning" }),
        row("IPAddressPool metallb-system/lab", "Invalid", "overlaps", { type: "Warning" }),
      ),
    ).toEqual(["IPAddressPool lab overlaps", "nginx-app…h7vjd Back-off"]);
  });
});
