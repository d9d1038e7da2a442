import { describe, expect, it } from "vitest";
import { announced, findings, holds, lab, move, NEXT, STRANGER, VIP, warnings, winnerOf } from "./wire-lab.ts";

describe("before the first use of an address, a speaker", () => {
  it("asks who has it, sets it aside when a stranger does, and announces nothing before the controller could move it", async () => {
    const l = await lab();
    l.stranger(STRANGER, [VIP]);
    l.service("nginx", VIP);
    await l.run(700);
    const node = winnerOf(VIP);
    expect(announced(l, VIP)).toEqual([]);
    expect(holds(l)).toEqual([
      {
        name: "conflict-127-77-10-1",
        addresses: [VIP],
        reason: "conflict",
        mac: STRANGER,
        node,
        expiry: expect.stringMatching(/^2026-.*Z$/),
      },
    ]);
    expect(warnings(l)).toEqual([
      `AddressConflict: another machine uses ${VIP}: ${STRANGER} (no node of this cluster) answers for it`,
    ]);
    expect(findings(l)).toMatchObject([{ address: VIP, kind: "conflict", claimants: [{ mac: STRANGER }] }]);
    move(l, NEXT);
    await l.run(3000);
    expect(announced(l, VIP)).toEqual([]);
    expect(await l.holder(NEXT)).toBe(winnerOf(NEXT));
  });

  it("announces it nevertheless when it stays, two seconds later", async () => {
    const l = await lab();
    l.stranger(STRANGER, [VIP]);
    l.service("nginx", VIP);
    await l.run(2500);
    expect((await l.whoHas(VIP)).toSorted()).toEqual([l.mac(winnerOf(VIP)), STRANGER]);
  });

  it("does not wait for a node of ours, a proxy, or nobody", async () => {
    const l = await lab();
    l.stranger(STRANGER, "every");
    l.service("nginx", VIP);
    await l.run(600);
    expect(announced(l, VIP)).not.toEqual([]);
    l.service("other", NEXT);
    await l.run(600);
    expect(await l.whoHas(NEXT)).toContain(l.mac(winnerOf(NEXT)));
    expect(holds(l)).toEqual([]);
  });

  it.each(["a failover", "a restart", "an address shared with another Service"])(
    "does not ask on %s",
    async (cause) => {
      const l = await lab();
      l.service("nginx", VIP, { annotations: { "metallb.io/allow-shared-ip": "k" } });
      await l.run(7000);
      const before = winnerOf(VIP);
      l.seen.length = 0;
      if (cause === "a restart") {
        await l.kill(before);
        await l.run(1000);
        l.seen.length = 0;
        await l.start(before);
      } else if (cause === "a failover") await l.kill(before);
      else l.service("second", VIP, { annotations: { "metallb.io/allow-shared-ip": "k" } });
      await l.run(2000);
      const first = l.seen.findIndex(
        ({ packet }) => packet.senderIp === VIP && (cause !== "a restart" || packet.senderMac === l.mac(before)),
      );
      const asked = l.seen
        .slice(0, Math.max(first, 0))
        .filter(({ packet }) => packet.operation === 1 && packet.targetIp === VIP && packet.senderIp !== VIP);
      const askedByNew = asked.filter(({ packet }) => cause !== "a restart" || packet.senderMac === l.mac(before));
      expect(askedByNew).toEqual([]);
      if (cause !== "an address shared with another Service") expect(first).toBeGreaterThanOrEqual(0);
    },
  );
});
