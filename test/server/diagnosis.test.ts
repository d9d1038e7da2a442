import { describe, expect, it } from "vitest";
import { diagnose } from "#server/diagnosis";
import { makeView } from "#server/view";
import { facts, l2Status, service, speakerState, threePods } from "./fixtures.ts";

const IP = "127.77.10.1";

describe("the diagnosis of a Service", () => {
  it.each([
    ["conflict", "failed", /Give that machine another address/],
    ["split_brain", "failed", /preflight/],
    ["proxy_arp", "warning", /proxy ARP off/],
  ] as const)("says in words what a speaker heard on the wire: %s", (kind, state, fix) => {
    const web = service("web", { ip: IP });
    const finding = { address: IP, kind, claimants: [{ mac: "52:54:00:00:00:99" }], since: "2026-01-01T00:00:00Z" };
    const heard = speakerState("node-01", {
      heartbeatAt: "2026-01-01T00:00:20Z",
      findings: [{ ...finding, message: "52:54:00:00:00:99 was heard" }],
    });
    const view = makeView(
      facts({
        services: [web],
        slices: [threePods("web")],
        l2Statuses: [l2Status("web", "node-02")],
        speakerStates: [heard],
      }),
    );
    const { checks, text } = diagnose(web, view);
    const check = checks.find(({ id }) => id === "one-mac");
    expect(check).toMatchObject({ state, evidence: "52:54:00:00:00:99 was heard", fix: expect.stringMatching(fix) });
    expect(text).toContain("One machine answers for it: 52:54:00:00:00:99 was heard");
  });
});
