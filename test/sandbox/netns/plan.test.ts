import { describe, expect, it } from "vitest";
import { ipvsLines } from "#sandbox/netns/ipvs";
import { readNeighbour } from "#sandbox/netns/neighbours";
import { hostLines, planHosts, podLines, readCable, switchLines } from "#sandbox/netns/plan";

describe("the plan of the lab", () => {
  it.each([1, 3, 9])("has %s nodes, a client, a router, a host behind it and the API server's address", (count) => {
    const names = planHosts(count).map(({ name }) => name);
    expect(names).toHaveLength(count + 4);
    expect(names.slice(count)).toEqual(["client", "router", "remote", "control"]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("gives no address and no MAC twice, and only private addresses", () => {
    const cards = planHosts(9).flatMap(({ cards: own }) => own);
    const addresses = cards.flatMap((card) => [...card.addresses, ...("address" in card.to ? [card.to.address] : [])]);
    expect(new Set(addresses).size).toBe(addresses.length);
    for (const address of addresses) expect(address).toMatch(/^(10\.|fd7[78]:)/);
    const macs = cards.flatMap(({ mac }) => mac ?? []);
    expect(new Set(macs).size).toBe(macs.length);
  });

  it("names every interface in 15 characters, as Linux wants", () => {
    for (const { cards } of planHosts(9)) {
      for (const { name, peer } of cards) expect(Math.max(name.length, peer.length)).toBeLessThanOrEqual(15);
    }
  });

  it("names the kubelets' cable as the default list of excluded interfaces does", () => {
    const names = planHosts(2).flatMap(({ cards }) =>
      cards.filter(({ to }) => "address" in to).map(({ name }) => name),
    );
    expect(names).toEqual(["cni-kubelet", "cni-kubelet", "uplink"]);
  });

  it("plugs every host's LAN card into the bridge, under the host's name", () => {
    const lines = switchLines(planHosts(2));
    for (const host of ["node-01", "node-02", "client", "router", "control"]) {
      expect(lines).toContain(`link set ${host} master lan`);
    }
    expect(lines).toContain("link add node-02 type veth peer name eth0 address 02:be:77:00:00:12 netns node-02");
    expect(lines).toContain("route add 10.244.2.0/24 via 10.79.2.2");
  });

  it("leads from each node to the pods of the others", () => {
    const lines = hostLines(planHosts(2)[0] ?? { name: "", summary: "", cards: [], routes: [], sysctls: {} });
    expect(lines).toContain("address add 10.77.0.11/16 dev eth0");
    expect(lines).toContain("address add fd77::11/64 dev eth0 nodad");
    expect(lines).toContain("route add 10.244.2.0/24 via 10.77.0.12");
    expect(lines).not.toContain("route add 10.244.1.0/24 via 10.77.0.11");
  });

  it("gives a pod one address of each family and its node as gateway", () => {
    const { node, pod } = podLines({ namespace: "pod-a", cable: "vetha", address: "10.244.3.26" });
    expect(node[0]).toBe("link add vetha type veth peer name eth0 netns pod-a");
    expect(pod).toEqual([
      "link set lo up",
      "address add 10.244.3.26/24 dev eth0",
      "address add fd77:244:3::1a/64 dev eth0 nodad",
      "link set eth0 up",
      "route add default via 10.244.3.1",
      "route add default via fd77:244:3::1",
    ]);
  });
});

describe("kube-ipvs0", () => {
  it.each([
    ["nothing where there is none and shall be none", null, null, []],
    [
      "is made with its addresses",
      null,
      ["10.77.10.1"],
      ["link add kube-ipvs0 type bridge", "address add 10.77.10.1/32 dev kube-ipvs0"],
    ],
    [
      "follows a change",
      ["10.77.10.1", "10.77.10.2"],
      ["10.77.10.2", "10.77.10.3"],
      ["address delete 10.77.10.1/32 dev kube-ipvs0", "address add 10.77.10.3/32 dev kube-ipvs0"],
    ],
    ["has IPv4 only: ARP is what it disturbs", [], ["fd77::a:1"], []],
    ["goes with its addresses", ["10.77.10.1"], null, ["link delete kube-ipvs0"]],
  ])("%s", (_what, before, after, lines) => {
    expect(ipvsLines(before && new Set(before), after && new Set(after))).toEqual(lines);
  });
});

describe("a line of `ip monitor neigh`", () => {
  it.each([
    [
      "a neighbour with its MAC",
      "10.77.10.1 dev eth0 lladdr 02:BE:77:00:00:12 REACHABLE",
      "10.77.10.1",
      "02:be:77:00:00:12",
      "REACHABLE",
    ],
    ["one that does not answer", "10.77.10.9 dev eth0  FAILED", "10.77.10.9", null, "FAILED"],
    [
      "one of IPv6",
      "fd77::a:1 dev eth0 lladdr 02:be:77:00:00:11 router STALE",
      "fd77::a:1",
      "02:be:77:00:00:11",
      "STALE",
    ],
    [
      "one that is gone",
      "Deleted 10.77.10.1 dev eth0 lladdr 02:be:77:00:00:12 STALE",
      "10.77.10.1",
      "02:be:77:00:00:12",
      "gone",
    ],
  ])("tells %s", (_what, line, address, mac, state) => {
    expect(readNeighbour(line)).toEqual({ address, mac, state });
  });

  it.each(["", "Neighbour table overflow", "10.77.10.1 dev eth0", "[ROUTE]default via 10.77.0.1"])(
    "means nothing as %j",
    (line) => {
      expect(readNeighbour(line)).toBeNull();
    },
  );
});

describe("a line of `ip monitor link` on the switch", () => {
  const line = (flags: string, more: string) =>
    `9: node-01@if2: <${flags}> mtu 1500 qdisc noqueue ${more} state UP mode DEFAULT group default \\    link/ether 3a:e5:c0:00:00:01 brd ff:ff:ff:ff:ff:ff link-netns node-01`;
  it.each([
    ["both ends up, on the LAN: connected", line("BROADCAST,MULTICAST,UP,LOWER_UP", "master lan"), true],
    ["the node's end down: cut off", line("NO-CARRIER,BROADCAST,MULTICAST,UP", "master lan"), false],
    ["the switch's end down: cut off", line("BROADCAST,MULTICAST", "master lan"), false],
    ["plugged in elsewhere: cut off", line("BROADCAST,MULTICAST,UP,LOWER_UP", "master far"), false],
  ])("%s", (_what, text, connected) => {
    expect(readCable(text)).toEqual({ host: "node-01", connected });
  });

  it("is not about a cable when it is about a bridge", () => {
    expect(readCable("2: lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500")).toBeNull();
  });
});
