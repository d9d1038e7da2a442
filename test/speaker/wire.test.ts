import { describe, expect, it } from "vitest";
import { ADDRESS_HOLDS, NODES, SPEAKER_STATES } from "#api/resources";
import { arpReply, decodeArp, gratuitousArp } from "#core/arp";
import { NS } from "./lab.ts";
import { findings, holds, lab, move, NEXT, NODES_OF_3, STRANGER, VIP, warnings, winnerOf } from "./wire-lab.ts";

describe("of what it announces, a speaker", () => {
  it("finds a stranger that never spoke unasked within two seconds, and renews the hold while it is there", async () => {
    const l = await lab(1);
    l.service("nginx", VIP);
    await l.run(7000);
    const stranger = l.stranger(STRANGER, [VIP]);
    await l.run(2000);
    expect(holds(l)).toMatchObject([{ reason: "conflict", mac: STRANGER, node: "node-01" }]);
    expect(await l.whoHas(VIP)).toContain(l.mac("node-01"));
    const first = holds(l)[0]?.expiry ?? "";
    await l.clock.run(130_000, 50);
    expect(Date.parse(holds(l)[0]?.expiry ?? "")).toBeGreaterThan(l.clock.now());
    expect(holds(l)[0]?.expiry).not.toBe(first);
    expect(warnings(l)).toHaveLength(1);
    await stranger.close();
    await l.run(20_000);
    expect(findings(l)).toEqual([]);
    expect(holds(l)).toHaveLength(1);
    await l.clock.run(120_000, 50);
    expect(holds(l)).toEqual([]);
  });

  it("lets go of an address at once when the Service gets another one", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(7000);
    move(l, NEXT);
    await l.run(20);
    expect(await l.whoHas(VIP)).toEqual([]);
    await l.run(300);
    expect(await l.holder(NEXT)).toBe(winnerOf(NEXT));
  });

  it("goes on looking for the stranger after the address moved away", async () => {
    const l = await lab(1);
    l.service("nginx", VIP);
    await l.run(7000);
    l.stranger(STRANGER, [VIP]);
    await l.run(2000);
    move(l, NEXT);
    await l.clock.run(130_000, 50);
    expect(await l.holder(NEXT)).toBe("node-01");
    expect(Date.parse(holds(l)[0]?.expiry ?? "")).toBeGreaterThan(l.clock.now());
  });

  it("takes a hint from a stranger that announces itself", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(300);
    const stranger = l.stranger(STRANGER, [VIP]);
    for (const frame of gratuitousArp(STRANGER, VIP)) stranger.send("eth0", frame);
    await l.run(1200);
    expect(findings(l)).toMatchObject([{ address: VIP, kind: "conflict" }]);
  });

  it("reports a second node that answers within two seconds as split brain, with both MACs and nodes, and sets nothing aside", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(7000);
    const winner = winnerOf(VIP);
    const other = NODES_OF_3.find((node) => node !== winner) ?? "";
    // As kube-ipvs0 does with strictARP false: the kernel of another node answers too.
    const kernel = l.stranger(l.mac(other), [VIP]);
    await l.run(2000);
    const claimants = [winner, other].toSorted().map((node) => ({ mac: l.mac(node), node }));
    expect(findings(l)).toMatchObject([{ address: VIP, kind: "split_brain", claimants }]);
    expect(warnings(l)).toEqual([
      `SplitBrain: 2 machines of this cluster answer for ${VIP}: ${claimants.map(({ mac, node }) => `${mac} (${node})`).join(" and ")}`,
    ]);
    expect(holds(l)).toEqual([]);
    expect(l.speakers.get(winner)?.metrics.render()).toContain('berth_speaker_wire_findings{kind="split_brain"} 1');
    await kernel.close();
    await l.run(20_000);
    expect(findings(l)).toEqual([]);
    expect(l.speakers.get(winner)?.metrics.render()).toContain('berth_speaker_wire_findings{kind="split_brain"} 0');
  });

  it.each([0, 300, 600, 900])(
    "takes two nodes that answer while one hands over to the other, %i ms after a look, for no split brain",
    async (phase) => {
      const l = await lab();
      l.service("nginx", VIP);
      await l.run(7000 + phase);
      const other = NODES_OF_3.find((node) => node !== winnerOf(VIP)) ?? "";
      const leaver = l.stranger(l.mac(other), [VIP]);
      await l.run(650);
      await leaver.close();
      await l.run(5000);
      expect(warnings(l)).toEqual([]);
    },
  );

  it("takes whoever goes on answering for a second after it won for its predecessor", async () => {
    const l = await lab();
    const other = NODES_OF_3.find((node) => node !== winnerOf(VIP)) ?? "";
    const leaver = l.stranger(l.mac(other), [VIP]);
    l.service("nginx", VIP);
    await l.run(1200);
    await leaver.close();
    await l.run(5000);
    expect(warnings(l)).toEqual([]);
  });

  it("knows a node without a speaker by the node's own address", async () => {
    const l = await lab();
    l.cluster.create(NODES, {
      metadata: { name: "control-plane" },
      status: { addresses: [{ type: "InternalIP", address: "127.77.0.20" }] },
    });
    l.service("nginx", VIP);
    await l.run(7000);
    l.stranger(STRANGER, [VIP, "127.77.0.20"]);
    await l.run(2500);
    expect(findings(l)).toMatchObject([{ kind: "split_brain" }]);
    expect(findings(l)[0]?.claimants).toContainEqual({ mac: STRANGER, node: "control-plane" });
    expect(holds(l)).toEqual([]);
  });

  it("warns of a proxy and sets nothing aside", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(7000);
    l.stranger(STRANGER, "every");
    await l.run(30_000);
    expect(findings(l)).toMatchObject([{ address: VIP, kind: "proxy_arp", claimants: [{ mac: STRANGER }] }]);
    expect(warnings(l)).toHaveLength(1);
    expect(holds(l)).toEqual([]);
  });

  it("sets nothing aside because of a claim that nobody stands by", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(300);
    const liar = l.stranger(STRANGER, []);
    for (let n = 0; n < 100; n++) {
      for (const frame of gratuitousArp(STRANGER, "127.77.10.200")) liar.send("eth0", frame);
      await l.run(20);
    }
    expect(findings(l)).toEqual([]);
    expect(holds(l)).toEqual([]);
  });

  it("leaves a hold alone that a person wrote under the same name", async () => {
    const l = await lab();
    l.cluster.create(ADDRESS_HOLDS, {
      metadata: { name: "conflict-127-77-10-1" },
      spec: { addresses: [VIP], reason: "reserved", note: "mine" },
    });
    l.service("nginx", VIP);
    await l.run(7000);
    l.stranger(STRANGER, [VIP]);
    await l.run(5000);
    expect(holds(l)).toEqual([{ name: "conflict-127-77-10-1", addresses: [VIP], reason: "reserved", note: "mine" }]);
  });

  it("renews after a restart what it set aside before", async () => {
    const l = await lab(1);
    l.service("nginx", VIP);
    await l.run(7000);
    l.stranger(STRANGER, [VIP]);
    await l.run(2000);
    move(l, NEXT);
    await l.run(1000);
    const node = "node-01";
    await l.kill(node);
    await l.run(1000);
    await l.start(node);
    await l.clock.run(130_000, 50);
    expect(Date.parse(holds(l)[0]?.expiry ?? "")).toBeGreaterThan(l.clock.now());
  });

  it("reports while the API server is away what it knows, and sets aside when it is back", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(7000);
    l.cluster.down = true;
    l.stranger(STRANGER, [VIP]);
    await l.run(5000);
    expect(await l.whoHas(VIP)).toContain(l.mac(winnerOf(VIP)));
    l.cluster.down = false;
    l.cluster.reconnect();
    await l.run(40_000);
    expect(holds(l)).toMatchObject([{ mac: STRANGER }]);
    expect(l.cluster.get(SPEAKER_STATES, { namespace: NS, name: winnerOf(VIP) }).status?.findings).toHaveLength(1);
  });

  it("stays calm when a neighbour answers under a new MAC each time", async () => {
    const l = await lab();
    l.service("nginx", VIP);
    await l.run(7000);
    const liar = l.stranger(STRANGER, []);
    let made = 0;
    liar.frames((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet === "string" || packet.operation !== 1 || packet.targetIp !== VIP) return;
      for (let n = 0; n < 100; n++) {
        made += 1;
        const mac = `52:54:00:00:${(made >> 8).toString(16).padStart(2, "0")}:${(made & 255).toString(16).padStart(2, "0")}`;
        liar.send("eth0", arpReply(packet, mac));
      }
    });
    await l.run(30_000);
    expect(made).toBeGreaterThan(1000);
    expect(findings(l)).toMatchObject([{ address: VIP, kind: "conflict" }]);
    expect(findings(l)[0]?.claimants.length).toBeLessThanOrEqual(16);
    expect(warnings(l)).toHaveLength(1);
    expect(holds(l)).toHaveLength(1);
    expect(await l.whoHas(VIP)).toContain(l.mac(winnerOf(VIP)));
  });

  it("sees a stranger with an IPv6 address too", async () => {
    const six = "2001:db8::5";
    const l = await lab(1);
    l.pool("six", ["2001:db8::1-2001:db8::ff"]);
    l.service("nginx", six);
    await l.run(7000);
    expect(l.objects(SPEAKER_STATES)[0]?.status?.announcing).toMatchObject([{ address: six }]);
    l.stranger(STRANGER, [six]);
    await l.run(2000);
    expect(holds(l)).toMatchObject([{ name: "conflict-2001-db8--5", addresses: [six], mac: STRANGER }]);
    l.stranger("52:54:00:00:00:98", ["2001:db8::6"]);
    l.service("other", "2001:db8::6");
    await l.run(1000);
    expect(holds(l)).toHaveLength(2);
  });
});
