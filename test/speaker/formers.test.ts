import { describe, expect, it } from "vitest";
import { LABEL } from "#api/names";
import { ENDPOINT_SLICES, NODES, SERVICES } from "#api/resources";
import { electionHash } from "#core/election";
import { compareBytes } from "#core/sha256";
import { Lab } from "./lab.ts";
import { NODES_OF_3, winnerOf } from "./wire-lab.ts";

const VIP = "127.77.10.1";
const FIRST = winnerOf(VIP);
const others = NODES_OF_3.filter((node) => node !== FIRST);

/** Three speakers and their kernels; a Service that the first announces. */
async function lab() {
  const l = new Lab();
  l.pool();
  l.advertise();
  const kernels = new Map(NODES_OF_3.map((node) => [node, l.kernel(node)]));
  await l.startAll();
  l.service("nginx", VIP);
  await l.run(1500);
  return { l, kernels };
}

const hop = (l: Lab, node: string, address = VIP) => l.speakers.get(node)?.hops.get(address) ?? null;
const exclude = (l: Lab, node: string, value: string | null) =>
  l.cluster.patch(
    NODES,
    { name: node },
    { kind: "merge", body: { metadata: { labels: { [LABEL.excludeFromLoadBalancers]: value } } } },
  );
/** Who announces an address, and who after them. */
const orderOf = (ip: string) => NODES_OF_3.toSorted((a, b) => compareBytes(electionHash(a, ip), electionHash(b, ip)));
/** The node, of the two others, that announces after the first is gone. */
async function second(l: Lab): Promise<string> {
  const holder = await l.holder(VIP);
  expect(others).toContain(holder);
  return holder ?? "";
}

describe("connections that a speaker does not know go to", () => {
  it("the announcer, before the others need it; and the announcer of something new has nobody", async () => {
    const { l } = await lab();
    expect(others.map((node) => hop(l, node))).toEqual([l.address(FIRST), l.address(FIRST)]);
    expect(hop(l, FIRST)).toBeNull();
  });

  it("the node whose speaker was killed, as its kernel forwards all the same", async () => {
    const { l } = await lab();
    await l.kill(FIRST);
    await l.run(5000);
    expect(hop(l, await second(l))).toBe(l.address(FIRST));
  });

  it("nobody once the node does not answer for its own address, and to it again when it does", async () => {
    const { l, kernels } = await lab();
    await kernels.get(FIRST)?.close();
    await l.kill(FIRST);
    await l.run(1500);
    const now = await second(l);
    expect(hop(l, now)).toBeNull();
    l.kernel(FIRST);
    await l.run(1500);
    expect(hop(l, now)).toBe(l.address(FIRST));
  });

  it("the node that stood in, when a speaker comes back and takes its address again", async () => {
    const { l } = await lab();
    await l.kill(FIRST);
    await l.run(1000);
    const stoodIn = await second(l);
    await l.start(FIRST);
    await l.run(1500);
    expect(await l.holder(VIP)).toBe(FIRST);
    expect(hop(l, FIRST)).toBe(l.address(stoodIn));
  });

  it("that node from the moment on when the one that comes back announces", async () => {
    const { l } = await lab();
    await l.kill(FIRST);
    await l.run(1000);
    const stoodIn = await second(l);
    l.hopsTakeMs = 300;
    await l.start(FIRST);
    for (let n = 0; n < 200 && (await l.holder(VIP)) === stoodIn; n++) await l.run(10);
    expect(await l.holder(VIP)).not.toBe(stoodIn);
    expect(hop(l, FIRST)).toBe(l.address(stoodIn));
  });

  it("the node that took over while this one was not heard", async () => {
    const { l } = await lab();
    const first = l.speakers.get(FIRST);
    if (first !== undefined) first.unheard = true;
    await l.run(1000);
    const stoodIn = others.find((node) => hop(l, FIRST) === l.address(node));
    expect(stoodIn).toBeDefined();
    if (first !== undefined) first.unheard = false;
    await l.run(2000);
    expect(await l.holder(VIP)).toBe(FIRST);
    expect(hop(l, FIRST)).toBe(l.address(stoodIn ?? ""));
  });

  it("the node that stood in on the other side of a partition, once it is healed", async () => {
    const { l } = await lab();
    const first = l.speakers.get(FIRST);
    if (first !== undefined) Object.assign(first, { unheard: true, deaf: true });
    await l.run(1000);
    const stoodIn = (await l.whoHas(VIP)).map((mac) => `node-0${mac.slice(-1)}`).find((node) => node !== FIRST);
    expect(stoodIn).toBeDefined();
    expect(hop(l, FIRST)).toBeNull();
    if (first !== undefined) Object.assign(first, { unheard: false, deaf: false });
    await l.run(2000);
    expect(await l.holder(VIP)).toBe(FIRST);
    expect(hop(l, FIRST)).toBe(l.address(stoodIn ?? ""));
  });

  it("the node that had it as long as a pod there shuts down, and nobody after, where only local pods serve", async () => {
    const l = new Lab();
    l.pool();
    l.advertise();
    for (const node of NODES_OF_3) l.kernel(node);
    await l.startAll();
    l.service("local", VIP, { spec: { externalTrafficPolicy: "Local" } });
    await l.run(1500);
    const slice = (endpoints: readonly object[]) =>
      l.cluster.patch(
        ENDPOINT_SLICES,
        { namespace: "default", name: "local-abc" },
        { kind: "merge", body: { endpoints } },
      );
    const rest = others.map((nodeName) => ({ addresses: ["10.244.1.2"], conditions: { ready: true }, nodeName }));
    const conditions = { ready: false, serving: false, terminating: true };
    slice([...rest, { addresses: ["10.244.1.3"], conditions, nodeName: FIRST }]);
    await l.run(1500);
    const now = await second(l);
    expect(hop(l, now)).toBe(l.address(FIRST));
    slice(rest);
    await l.run(200);
    expect(hop(l, now)).toBeNull();
  });

  it("nobody soon, when two nodes die shortly after each other", async () => {
    const { l, kernels } = await lab();
    const [next = "", left = ""] = others;
    const order = [next, left, FIRST].join();
    const vip =
      [...Array(100).keys()].map((n) => `127.77.10.${n + 2}`).find((ip) => orderOf(ip).join() === order) ?? "";
    l.service("other", vip);
    await l.run(1500);
    for (const node of [next, FIRST]) {
      await kernels.get(node)?.close();
      await l.kill(node);
      await l.run(100);
    }
    await l.run(400);
    expect(hop(l, left)).toBe(l.address(FIRST));
    await l.run(500);
    expect([hop(l, left), hop(l, left, vip)]).toEqual([null, null]);
  });

  it("the node that had the address until a planned move", async () => {
    const { l } = await lab();
    exclude(l, FIRST, "");
    await l.run(1000);
    const now = await second(l);
    expect(hop(l, now)).toBe(l.address(FIRST));
    expect(hop(l, FIRST)).toBe(l.address(now));
  });

  it("the address that the node has now", async () => {
    const { l } = await lab();
    const status = { addresses: [{ type: "InternalIP", address: "127.77.0.99" }] };
    l.cluster.patch(NODES, { name: FIRST }, { kind: "merge", body: { status } });
    await l.run(200);
    expect(hop(l, others[0] ?? "")).toBe("127.77.0.99");
  });

  it("nobody for a node that was removed from the cluster", async () => {
    const { l } = await lab();
    await l.kill(FIRST);
    await l.run(1000);
    const now = await second(l);
    l.cluster.remove(NODES, { name: FIRST });
    await l.run(200);
    expect(hop(l, now)).toBeNull();
  });

  it("nobody for an address whose Service is gone, unless another one shares it", async () => {
    const { l } = await lab();
    l.service("twin", VIP);
    await l.run(200);
    l.cluster.remove(SERVICES, { namespace: "default", name: "nginx" });
    await l.run(200);
    expect(hop(l, others[0] ?? "")).toBe(l.address(FIRST));
    l.cluster.remove(SERVICES, { namespace: "default", name: "twin" });
    await l.run(200);
    expect(hop(l, others[0] ?? "")).toBeNull();
  });
});
