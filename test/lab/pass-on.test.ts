import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/berth.ts";
import { Namespaces } from "./support/namespaces.ts";
import { Spoken } from "./support/spoken.ts";

const NODE = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
const programOf = (name: string) => fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url));
const MAC = { a: "02:be:00:00:00:0a", b: "02:be:00:00:00:0b", c: "02:be:00:00:00:0c" };
const VIPS = ["192.0.2.100", "2001:db8::64"] as const;
const OWN = { a: ["192.0.2.11", "2001:db8::11"], b: ["192.0.2.12", "2001:db8::12"], c: ["192.0.2.13", "2001:db8::13"] };
type Node = keyof typeof OWN;
/** Ports of a client's own that its kernel gives to nobody else. */
const OWN_PORTS = ["15000", "15001"] as const;
const BOUND = 30_000;
const SLOW = { timeout: 4 * BOUND };

/**
 * A client and three nodes on one switch. All nodes serve the same address, as
 * a service proxy does; which of them gets the client's packets is what the client believes.
 */
describe.skipIf(!Namespaces.available())("connections that were open when an address moved (needs root)", SLOW, () => {
  let lab: Namespaces;
  const hosts: Spoken[] = [];
  const servers = new Map<Node, Spoken>();

  const start = (host: string, program: string, ...args: readonly string[]) =>
    new Spoken(lab.spawn(host, NODE, "--no-warnings", programOf(program), ...args));
  /** The client believes that the address is at this node. */
  const moveTo = (node: Node, vip: string) =>
    lab.must("client", "ip", "neigh", "replace", vip, "lladdr", MAC[node], "nud", "permanent", "dev", "eth0");
  const talk = async (vip: string, ...ownPort: readonly string[]) => {
    const connection = start("client", "lines", "talk", vip, "80", ...ownPort);
    await connection.next("open");
    return connection;
  };
  const passing = async (node: Node, lines: readonly string[], shows: string) => {
    const host = start(node, "pass-on-host");
    hosts.push(host);
    await host.next("open");
    for (const line of lines) host.say(line);
    for (const _ of lines) await host.next("set");
    expect(lab.must(node, "nft", "list", "ruleset")).toContain(shows);
    return host;
  };
  /** A connection that was opened at a node, and has been spoken on. */
  const openAt = async (node: Node, vip: string, ...ownPort: readonly string[]) => {
    moveTo(node, vip);
    const connection = await talk(vip, ...ownPort);
    connection.say("one");
    await connection.next(`${node}: one`);
    return connection;
  };
  /** Node b has the address now, and knows that a had it. */
  const moveOn = async (vip: string) => {
    await passing("b", [hop(vip, "a")], set(vip, "a"));
    moveTo("b", vip);
  };
  const hop = (vip: string, node: Node) => `${vip}|${OWN[node][vip.includes(":") ? 1 : 0]}`;
  const set = (vip: string, node: Node) => `${vip} : ${OWN[node][vip.includes(":") ? 1 : 0]}`;
  const hasTable = (node: string) => lab.must(node, "nft", "list", "tables").includes("berth-speaker");

  beforeAll(async () => {
    lab = Namespaces.create("pass");
    for (const host of ["switch", "client", "a", "b", "c"]) lab.add(host);
    lab.must("switch", "ip", "link", "add", "lan", "type", "bridge");
    lab.must("switch", "ip", "link", "set", "lan", "up");
    for (const host of ["client", "a", "b", "c"] as const) {
      const mac = host === "client" ? "02:be:00:00:00:01" : MAC[host];
      lab.cable({ host: "switch", name: `to-${host}` }, { host, name: "eth0", mac });
      lab.must("switch", "ip", "link", "set", `to-${host}`, "master", "lan");
      for (const [index, own] of (host === "client" ? ["192.0.2.1", "2001:db8::1"] : OWN[host]).entries()) {
        lab.address(host, "eth0", `${own}/${index === 0 ? 24 : 64}`);
      }
    }
    for (const node of ["a", "b", "c"] as const) {
      const rules = (family: string, vip: string) =>
        `table ${family} proxy {\n chain in { type nat hook prerouting priority dstnat; ${family} daddr ${vip} tcp dport 80 redirect to :8080\n }\n}`;
      lab.feed(node, `${rules("ip", VIPS[0])}\n${rules("ip6", VIPS[1])}\n`, "nft", "-f", "-");
      const server = start(node, "lines", "serve", node, "8080");
      servers.set(node, server);
      await server.next("listening");
    }
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) host.end();
    await eventually("the tables to be gone", BOUND, async () => (hasTable("a") || hasTable("b") ? null : true));
  });
  afterAll(() => lab?.close());

  it.each(VIPS)("end with a reset where nothing is passed on (%s)", async (vip) => {
    const connection = await openAt("a", vip);
    moveTo("b", vip);
    connection.say("two");
    await connection.next("ECONNRESET");
  });

  it.each(VIPS)("go on at the node that had it, while new ones are for the one that has it (%s)", async (vip) => {
    const connection = await openAt("a", vip);
    await moveOn(vip);
    connection.say("two");
    await connection.next("a: two");
    const another = await talk(vip);
    another.say("new");
    await another.next("b: new");
    // Back, and again: each node knows its own.
    await passing("a", [hop(vip, "b")], set(vip, "b"));
    moveTo("a", vip);
    for (const [one, name] of [
      [connection, "a"],
      [another, "b"],
    ] as const) {
      one.say("three");
      await one.next(`${name}: three`);
    }
  });

  it.each(VIPS)("are closed there too, not left open at the server, nor hanging at the client (%s)", async (vip) => {
    moveTo("a", vip);
    const connection = await talk(vip);
    await moveOn(vip);
    servers.get("a")?.lines.splice(0);
    connection.say("last");
    connection.end();
    await connection.next("a: last");
    expect(await connection.next(/./)).toBe("closed");
    await servers.get("a")?.next("closed");
  });

  it.each(VIPS)("are reset there too (%s)", async (vip) => {
    moveTo("a", vip);
    const connection = await talk(vip);
    await moveOn(vip);
    servers.get("a")?.lines.splice(0);
    connection.say("reset");
    await connection.next("closed");
    await servers.get("a")?.next("ECONNRESET");
  });

  it.each(VIPS)("hear there of what went wrong on their way (%s)", async (vip) => {
    const [ip, client, l4] = vip.includes(":") ? ["ip6", "2001:db8::1", "icmpv6"] : ["ip", "192.0.2.1", "icmp"];
    const seen = `chain in { type filter hook prerouting priority raw; ${l4} type destination-unreachable counter\n }`;
    lab.feed("a", `table ${ip} seen {\n ${seen}\n}`, "nft", "-f", "-");
    await moveOn(vip);
    // A datagram in the address's name, to a port that nobody opened, makes the client say so to the address.
    lab.address("c", "lo", `${vip}/${ip === "ip" ? 32 : 128}`);
    lab.must("c", "ip", "route", "replace", client, "dev", "eth0", "src", vip);
    lab.must("c", "bash", "-c", `echo > /dev/udp/${client}/9`);
    await eventually("the client's error at the node that had the address", BOUND, async () =>
      /counter packets [1-9]/.test(lab.must("a", "nft", "list", "table", ip, "seen")) ? true : null,
    );
  });

  it.each(VIPS)("go on when the new node still remembers another one from the same port (%s)", async (vip) => {
    const earlier = await openAt("b", vip, OWN_PORTS[0]);
    // The server ends it, so that the client may use the port again at once; conntrack keeps it for two minutes.
    earlier.say("bye");
    await earlier.next("closed");
    const connection = await openAt("a", vip, OWN_PORTS[0]);
    await moveOn(vip);
    connection.say("two");
    await connection.next("a: two");
  });

  it("end silently where they are a stray that no node knows", async () => {
    const [vip] = VIPS;
    moveTo("b", vip);
    const earlier = await talk(vip, OWN_PORTS[1]);
    earlier.say("bye");
    await earlier.next("closed");
    const connection = await openAt("c", vip, OWN_PORTS[1]);
    await passing("a", [hop(vip, "b")], set(vip, "b"));
    await moveOn(vip);
    connection.say("two");
    await sleep(300);
    expect(connection.lines).toEqual([]);
    // Nothing is lost: back where they are known they go on.
    moveTo("c", vip);
    await connection.next("c: two");
  });

  it("carry a megabyte in one write over a move", async () => {
    const [vip] = VIPS;
    moveTo("a", vip);
    const connection = await talk(vip);
    await passing("b", [hop(vip, "a")], set(vip, "a"));
    connection.say("x".repeat(1_000_000));
    moveTo("b", vip);
    expect(await connection.next(/^a: x+$/)).toHaveLength(1_000_003);
  });

  it("are refused by the node that had it, when it does not know them either, and are passed on only once", async () => {
    const [vip] = VIPS;
    const connection = await openAt("c", vip);
    await passing("a", [hop(vip, "b")], set(vip, "b"));
    await passing("b", [hop(vip, "a")], set(vip, "a"));
    const before = received("b");
    moveTo("b", vip);
    connection.say("two");
    await connection.next("ECONNRESET");
    // One packet that went to and fro for as long as it may live would come 32 times; others come here anyway.
    expect(received("b") - before).toBeLessThan(30);
  });

  it("are told in addresses only: nothing else becomes part of a command", async () => {
    const [vip] = VIPS;
    const others = [`${vip}|x } ; flush ruleset`, `${vip}|2001:db8::11`, `${VIPS[1]}|fe80::1%eth0`];
    const lines = ["x } ; flush ruleset|192.0.2.11", ...others];
    await passing("b", [...lines, hop("192.0.2.101", "a")], set("192.0.2.101", "a"));
    expect(lab.must("b", "nft", "list", "ruleset")).not.toContain(`${vip} :`);
  });

  it("are passed on to where it was said last, and no more when it is taken back", async () => {
    const [vip] = VIPS;
    const host = await passing("b", [hop(vip, "a")], set(vip, "a"));
    host.say(`${vip}|192.0.2.13`);
    const says = (text: string) => lab.must("b", "nft", "list", "table", "ip", "berth-speaker").includes(text);
    await eventually("the other hop", BOUND, async () => (says(`${vip} : 192.0.2.13`) ? true : null));
    host.say(vip);
    await eventually("no hop", BOUND, async () => (says("elements") ? null : true));
  });

  it("are passed on again at the next change, when somebody else flushed the rules", async () => {
    const [vip] = VIPS;
    const host = await passing("b", [hop(vip, "a")], set(vip, "a"));
    lab.must("b", "nft", "delete", "table", "ip", "berth-speaker");
    host.say(hop("192.0.2.101", "a"));
    await host.next("set");
    const rules = lab.must("b", "nft", "list", "ruleset");
    for (const one of [set(vip, "a"), set("192.0.2.101", "a")]) expect(rules).toContain(one);
  });

  it("are passed on while a speaker that was killed is away, and its successor begins anew", async () => {
    const [vip] = VIPS;
    const killed = lab.spawn("b", NODE, "--no-warnings", programOf("pass-on-host"));
    killed.stdin.write(`${hop(vip, "a")}\n`);
    const says = () => lab.must("b", "nft", "list", "ruleset").includes(set(vip, "a"));
    await eventually("the hop", BOUND, async () => (says() ? true : null));
    const gone = once(killed, "exit");
    killed.kill("SIGKILL");
    await gone;
    expect(says()).toBe(true);
    await passing("b", [], "berth-speaker");
    expect(says()).toBe(false);
  });

  function received(host: string): number {
    return Number(lab.must(host, "cat", "/sys/class/net/eth0/statistics/rx_packets"));
  }
});
