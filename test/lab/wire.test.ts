import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { arpRequest } from "#core/arp";
import { eventually } from "../support/berth.ts";
import { Namespaces } from "./support/namespaces.ts";
import { WireHost } from "./support/wire-host.ts";

const NODE_MAC = "02:be:00:00:00:11";
const CLIENT_MAC = "02:be:00:00:00:01";
const VIP = "192.0.2.100";
const VIP6 = "2001:db8::64";
const BOUND = 30_000;
const NODE = new URL("../../node_modules/.bin/node", import.meta.url).pathname;
const programOf = (name: string) => new URL(`./support/${name}.ts`, import.meta.url).pathname;
const until = (what: string, look: () => unknown) =>
  eventually(what, BOUND, async () => ((await look()) ? true : null));

/** A node and a client on one cable, and a speaker's wire on the node. */
describe.skipIf(!Namespaces.available())("the packet link on a real cable (needs root)", { timeout: 120_000 }, () => {
  let lab: Namespaces;
  let wire: WireHost;

  const client = (command: string, ...args: readonly string[]) => lab.exec("client", command, ...args);
  const onNode = (...args: readonly string[]) => lab.must("node", "ip", ...args);
  const asked = (...args: readonly string[]) =>
    [...client("arping", "-i", "eth0", "-c", "1", "-r", ...args).stdout.matchAll(/[0-9a-f:]{17}/g)].map(String);
  /** The MAC that answers one ARP request: at the first answer it is over, and a busy machine has long for it. */
  const arping = (...args: readonly string[]) => asked("-C", "1", "-W", "10", ...args);
  /** MACs that answer one ARP request within a second. */
  const allOf = (...args: readonly string[]) => asked("-W", "1", ...args);
  const silence = (address: string) => expect(allOf(address)).toEqual([]);
  const ndisc6 = (address: string, waitMs = "10000", from = "client") => {
    const { stdout } = lab.exec(from, "ndisc6", "-1", "-q", "-r", "1", "-w", waitMs, address, "eth0");
    return stdout.trim().toLowerCase();
  };
  /** What the client's kernel believes of an address. */
  const believed = (ip: string) => /lladdr (\S+)/.exec(client("ip", "neigh", "show", ip).stdout)?.[1];
  const up = (name: string) => wire.card(name)?.up === true && wire.card(name)?.skipped === undefined;
  const counted = (pattern: RegExp) => until(`metric ${pattern}`, async () => pattern.test(await wire.metrics()));

  beforeAll(async () => {
    lab = Namespaces.create("wire");
    lab.add("node");
    lab.add("client");
    lab.cable({ host: "node", name: "eth0", mac: NODE_MAC }, { host: "client", name: "eth0", mac: CLIENT_MAC });
    lab.address("node", "eth0", "192.0.2.11/24");
    lab.address("client", "eth0", "192.0.2.1/24");
    lab.address("client", "eth0", "2001:db8::1/64");
    wire = new WireHost(lab, "node");
    await wire.started();
  });
  afterAll(() => lab?.close());

  describe("ARP", () => {
    beforeAll(() => wire.hold(VIP));

    it("knows the interface, its MAC and its addresses", async () => {
      expect(wire.card("eth0")).toMatchObject({ mac: NODE_MAC, up: true });
      await until("the addresses", () => wire.card("eth0")?.addresses?.includes("192.0.2.11"));
    });

    it.each([
      ["a broadcast request", []],
      ["a probe without a sender address", ["-0"]],
      ["a unicast poll", ["-t", NODE_MAC]],
    ])("answers %s, once, with the interface's MAC", (_what, args) => {
      expect(arping(...args, VIP)).toEqual([NODE_MAC]);
      expect(allOf(...args, VIP).length).toBeLessThanOrEqual(1);
    });

    it("does not answer for another address", () => {
      silence("192.0.2.101");
    });

    it("counts what it answered", () => counted(/responses_sent\{ip="192\.0\.2\.100"\} [1-9]/));

    it("corrects what a client believes, by announcing unasked", async () => {
      client("ip", "neigh", "replace", "192.0.2.110", "lladdr", "02:be:00:00:00:99", "nud", "stale", "dev", "eth0");
      await wire.hold("192.0.2.110");
      await until("the client to believe it", () => believed("192.0.2.110") === NODE_MAC);
    });

    it("is silent about an address it let go", async () => {
      await wire.hold("192.0.2.120");
      expect(arping("192.0.2.120")).toEqual([NODE_MAC]);
      await wire.drop("192.0.2.120");
      silence("192.0.2.120");
    });

    it("does not answer on an interface that is not allowed", async () => {
      await wire.hold("192.0.2.130", ["eth9"]);
      silence("192.0.2.130");
    });

    it("answers for three hundred addresses, more than its filter lists", async () => {
      for (let n = 1; n <= 300; n++) await wire.hold(`198.51.${n >> 8}.${n & 255}`);
      lab.address("client", "eth0", "198.51.2.1/16");
      expect(arping("198.51.1.44")).toEqual([NODE_MAC]);
      silence("198.51.1.45");
      for (let n = 1; n <= 300; n++) await wire.drop(`198.51.${n >> 8}.${n & 255}`);
      silence("198.51.1.44");
      expect(arping(VIP)).toEqual([NODE_MAC]);
    });

    it("hears who else answers, and only while it asks", async () => {
      await until("the client's answer, in the time that a look has", async () => {
        const answer = await wire.ask("192.0.2.1", "192.0.2.11");
        return answer?.answers.map(({ mac, interface: name }) => `${mac} ${name}`).join() === `${CLIENT_MAC} eth0`;
      });
      expect((await wire.ask("192.0.2.77", "192.0.2.11"))?.answers).toEqual([]);
    });
  });

  describe("NDP", () => {
    beforeAll(() => wire.hold(VIP6));

    it("answers a solicitation, with the interface's MAC", () => {
      expect(ndisc6(VIP6)).toBe(NODE_MAC);
    });

    it("does not answer for another address", () => {
      expect(ndisc6("2001:db8::65", "1000")).toBe("");
    });

    it("answers a kernel that resolves, and one that polls by unicast", async () => {
      // Nothing listens there; on the way to finding out the client resolves the address.
      await until("the client to know it", () => {
        client("curl", "-s", "--max-time", "1", `http://[${VIP6}]:9/`);
        return believed(VIP6) === NODE_MAC;
      });
      client("ip", "neigh", "change", VIP6, "lladdr", NODE_MAC, "nud", "probe", "dev", "eth0");
      await until("the poll to be answered", () => client("ip", "neigh", "show", VIP6).stdout.includes("REACHABLE"));
    });

    it("corrects what a client believes, by announcing unasked", async () => {
      client("ip", "neigh", "replace", "2001:db8::6e", "lladdr", "02:be:00:00:00:99", "nud", "stale", "dev", "eth0");
      await wire.hold("2001:db8::6e");
      await until("the client to believe it", () => believed("2001:db8::6e") === NODE_MAC);
    });

    it("makes duplicate address detection fail for who wants to take the address", async () => {
      lab.must("client", "sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=1", "net.ipv6.conf.eth0.dad_transmits=5");
      client("ip", "address", "add", `${VIP6}/64`, "dev", "eth0");
      await until("the kernel to see the duplicate", () =>
        client("ip", "address", "show", "dev", "eth0").stdout.includes("dadfailed"),
      );
      client("ip", "address", "del", `${VIP6}/64`, "dev", "eth0");
    });

    it("has the kernel join the solicited-node group, and leave it with the last address", async () => {
      const joined = () =>
        lab.exec("node", "ip", "maddress", "show", "dev", "eth0").stdout.includes("ff02::1:ffab:cdef");
      await wire.hold("2001:db8::1:0:ab:cdef");
      await wire.hold("2001:db8::2:0:ab:cdef");
      await until("the group to be joined", joined);
      await wire.drop("2001:db8::1:0:ab:cdef");
      expect(joined()).toBe(true);
      await wire.drop("2001:db8::2:0:ab:cdef");
      await until("the group to be left", () => !joined());
    });
  });

  describe("interfaces that change", () => {
    afterEach(async () => {
      await until("eth0 to be up again", () => up("eth0"));
    });

    it("answers again after the link was down, and announces at once", async () => {
      onNode("link", "set", "eth0", "down");
      await until("the interface to be down", () => wire.card("eth0")?.up === false);
      client("ip", "neigh", "replace", VIP, "lladdr", "02:be:00:00:00:99", "nud", "stale", "dev", "eth0");
      onNode("link", "set", "eth0", "up");
      await until("the client to be told", () => believed(VIP) === NODE_MAC);
      expect(arping(VIP)).toEqual([NODE_MAC]);
    });

    it("takes a cable that is pulled for down", async () => {
      lab.must("client", "ip", "link", "set", "eth0", "down");
      await until("the interface to be down", () => wire.card("eth0")?.up === false);
      lab.must("client", "ip", "link", "set", "eth0", "up");
      // The client's kernel takes its IPv6 addresses away when a link goes down.
      lab.address("client", "eth0", "2001:db8::1/64");
    });

    it("answers with the new MAC when it changes", async () => {
      onNode("link", "set", "eth0", "address", "02:be:00:00:00:22");
      await until("the change to be known", () => wire.card("eth0")?.mac === "02:be:00:00:00:22");
      expect(arping(VIP)).toEqual(["02:be:00:00:00:22"]);
      expect(ndisc6(VIP6)).toBe("02:be:00:00:00:22");
      onNode("link", "set", "eth0", "address", NODE_MAC);
      await until("the change back to be known", () => wire.card("eth0")?.mac === NODE_MAC);
    });

    it("answers ARP and NDP on an interface that was deleted and made again, for what it held before", async () => {
      onNode("link", "delete", "eth0");
      await until("the interface to be gone", () => wire.card("eth0") === undefined);
      lab.cable({ host: "node", name: "eth0", mac: NODE_MAC }, { host: "client", name: "eth0", mac: CLIENT_MAC });
      lab.address("client", "eth0", "192.0.2.1/24");
      lab.address("client", "eth0", "2001:db8::1/64");
      await until("the interface to be back", () => up("eth0"));
      expect(arping(VIP)).toEqual([NODE_MAC]);
      expect(ndisc6(VIP6)).toBe(NODE_MAC);
    });

    it("answers on an interface that appears late", async () => {
      lab.cable({ host: "node", name: "late0" }, { host: "client", name: "late0" });
      lab.address("client", "late0", "203.0.113.1/24");
      await wire.hold("203.0.113.9");
      await until(
        "an answer",
        () => lab.exec("client", "arping", "-i", "late0", "-c", "1", "-w", "1", "203.0.113.9").code === 0,
      );
      onNode("link", "delete", "late0");
    });

    it("says why a member of a bridge is skipped, and answers on the bridge instead", async () => {
      onNode("link", "add", "br0", "address", "02:be:00:00:00:b0", "type", "bridge");
      onNode("link", "set", "br0", "up");
      onNode("link", "set", "eth0", "master", "br0");
      await until("the member to be skipped", () => wire.card("eth0")?.skipped === "member" && up("br0"));
      await until("an answer by the bridge", () => allOf(VIP).join() === "02:be:00:00:00:b0");
      onNode("link", "set", "eth0", "nomaster");
      onNode("link", "delete", "br0");
      await until("the member to be free", () => up("eth0"));
      expect(arping(VIP)).toEqual([NODE_MAC]);
    });

    it("gets solicitations through a switch that forwards only what was asked for", async () => {
      // The client's end becomes a port of a snooping bridge, and a second client asks through another port.
      lab.add("far");
      lab.cable({ host: "client", name: "p1" }, { host: "far", name: "eth0" });
      lab.address("far", "eth0", "2001:db8::2/64");
      const bridge = (...args: readonly string[]) => lab.must("client", "ip", "link", ...args);
      bridge(
        "add",
        "sw0",
        "type",
        "bridge",
        "mcast_snooping",
        "1",
        "mcast_querier",
        "1",
        // Its first questions may come before it has an address to ask from: it goes on asking.
        "mcast_startup_query_interval",
        "50",
        "mcast_startup_query_count",
        "100",
      );
      bridge("set", "sw0", "up");
      for (const port of ["eth0", "p1"]) bridge("set", port, "master", "sw0");
      const members = () => lab.exec("client", "bridge", "mdb", "show").stdout;
      await until("the membership to be seen by the switch", () => /port eth0 grp ff02::1:ff00:64 /.test(members()));
      await until("an answer through the switch", () => ndisc6(VIP6, "1000", "far") === NODE_MAC);
      bridge("set", "eth0", "nomaster");
      bridge("delete", "sw0");
      bridge("delete", "p1");
    });
  });

  it("leaves point-to-point interfaces, and what is excluded by name, alone", async () => {
    onNode("tuntap", "add", "dev", "tun9", "mode", "tun");
    onNode("link", "set", "tun9", "up");
    await until("the tunnel to be known", () => wire.card("tun9")?.skipped === "point_to_point");
    onNode("link", "delete", "tun9");
    await until("the tunnel to be forgotten", () => wire.card("tun9") === undefined);
    expect(wire.card("lo")).toBeUndefined();
  });

  it("falls silent on an interface that is excluded later, and answers again when it is no more", async () => {
    await wire.tell({ kind: "exclude", pattern: "^(lo|eth0)$" });
    await until("the interface to be gone", () => wire.card("eth0") === undefined);
    silence(VIP);
    await wire.tell({ kind: "exclude", pattern: "^lo$" });
    await until("the interface to be back", () => up("eth0"));
    expect(arping(VIP)).toEqual([NODE_MAC]);
  });

  it("still answers when a thousand broken frames have come", async () => {
    const good = arpRequest({ senderMac: CLIENT_MAC, senderIp: "192.0.2.1", targetIp: VIP });
    const broken = Array.from({ length: 1000 }, (_unused, n) => {
      const frame = Buffer.from(good);
      for (let m = 0; m < 3; m++) frame[14 + ((n * 7 + m * 5) % 24)] = (n * 31 + m) % 256;
      return frame.toString("hex");
    });
    lab.feed("client", broken.join("\n"), NODE, "--no-warnings", programOf("send-frames"), "eth0");
    expect(arping(VIP)).toEqual([NODE_MAC]);
    await counted(/dropped_total\{reason="malformed"\} [1-9]/);
  });

  it("ends at once when it is told to, and answers no more", async () => {
    await wire.close();
    silence(VIP);
    expect(wire.stderr).toBe("");
  });
});

describe.skipIf(!Namespaces.available())("the packet link without its capability (needs root)", () => {
  it("is refused with the name of the capability", async () => {
    const lab = Namespaces.create("refused");
    try {
      lab.add("node");
      const drop = ["--bounding-set=-net_raw", "--inh-caps=-net_raw"];
      const { code, stderr } = lab.exec("node", "setpriv", ...drop, NODE, programOf("link-host"));
      expect(code).not.toBe(0);
      expect(stderr).toContain("NET_RAW");
    } finally {
      lab.close();
    }
  });
});
