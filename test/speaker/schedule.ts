import { electAnnouncer, type NodeFacts } from "#core/election";
import { MembersSim } from "./members-sim.ts";

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
const QUESTION = {
  service: { key: "default/s", labels: {}, isLoadBalancer: true, policyLocal: false, sharedKeyPresent: false },
  pool: "p",
  advertisements: [
    { name: "a", pools: [], poolSelectors: [], nodeSelectors: [], interfaces: [], serviceSelectors: [], preferred: [] },
  ],
  endpoints: [{ nodeName: null, serving: true }],
};
const LISTEN_MS = 500;
/** Disturbances come within this time; then everything is whole again and must settle. */
const TROUBLE_MS = 2500;
const CALM_MS = 2500;

/** How long something lasted that should not, at worst, milliseconds. */
export interface Outcome {
  /** Two nodes that reach each other announced one address, the network being whole. */
  readonly twoMs: number;
  /** Nobody announced an address among nodes that reach each other, one of them eligible. */
  readonly nobodyMs: number;
  /** All is whole and everyone agrees with the election that knows everything. */
  readonly settled: boolean;
  /** What was done, for whoever looks for the reason. */
  readonly story: readonly string[];
}

/** One schedule of kills, restarts, stalls, loss, one-way links and partitions, as the seed has it. */
export function runSchedule(seed: number): Outcome {
  const holders = new Map<string, Set<string>>(ADDRESSES.map((ip) => [ip, new Set()]));
  const story: string[] = [];
  let side = new Map<string, number>();
  let oneWay = new Set<string>();
  const sim = new MembersSim({
    nodes: 3 + (seed % 5),
    seed,
    duplicates: 0.01,
    latencyMs: 5,
    listenMs: LISTEN_MS,
    onChange: (node) => elect(node),
  });
  sim.loss = [0, 0.02, 0.05][seed % 3] ?? 0;
  sim.connected = (from, to) => side.get(from) === side.get(to) && !oneWay.has(`${from}>${to}`);
  const isReady = (node: string) => sim.process(node).running && sim.process(node).state.ready;

  const nobodySince = new Map<string, number>();
  const twoSince = new Map<string, number>();
  let [twoMs, nobodyMs] = [0, 0];
  const close = (open: Map<string, number>, key: string, now: number): number => {
    const since = open.get(key);
    open.delete(key);
    return since === undefined ? 0 : now - since;
  };
  /** Looks at who announces what; `afresh` forgets for how long it has been so. */
  const look = (afresh: boolean) => {
    const whole = side.size === 0 && oneWay.size === 0;
    const groups = new Map<number, string[]>();
    for (const node of sim.names) groups.set(side.get(node) ?? 0, [...(groups.get(side.get(node) ?? 0) ?? []), node]);
    for (const ip of ADDRESSES) {
      const holding = [...(holders.get(ip) ?? [])].filter((node) => sim.process(node).running);
      // Who stands still cannot know better; what counts is how long it goes on once it runs again.
      const awake = holding.filter((node) => sim.process(node).stalledUntil <= sim.now);
      if (afresh || !whole || awake.length < 2) twoMs = Math.max(twoMs, close(twoSince, ip, sim.now));
      if (whole && awake.length >= 2 && !twoSince.has(ip)) twoSince.set(ip, sim.now);
      for (const [group, members] of groups) {
        const key = `${ip} ${group}`;
        const served = members.some((node) => holding.includes(node)) || !members.some(isReady);
        if (afresh || served) nobodyMs = Math.max(nobodyMs, close(nobodySince, key, sim.now));
        if (!served && !nobodySince.has(key)) nobodySince.set(key, sim.now);
      }
    }
  };
  const winner = (ip: string, nodes: readonly NodeFacts[]) =>
    electAnnouncer({ ...QUESTION, service: { ...QUESTION.service, addresses: [ip] }, nodes }).winner;
  const elect = (node: string) => {
    const { state } = sim.process(node);
    const facts = sim.names.map((name): NodeFacts => {
      const peer = state.peers.get(name);
      const seen = name === node ? { alive: true, ready: state.ready && !state.leaving } : (peer ?? UNKNOWN);
      return {
        name,
        labels: {},
        networkUnavailable: false,
        alive: seen.alive,
        ready: seen.ready,
        interfaces: ["eth0"],
      };
    });
    for (const ip of ADDRESSES) {
      const mine = winner(ip, facts) === node && state.ready;
      if (mine) holders.get(ip)?.add(node);
      else holders.get(ip)?.delete(node);
    }
    look(false);
  };

  const pick = () => sim.names[Math.floor(sim.random() * sim.names.length)] ?? "node-001";
  const within = (most: number) => Math.floor(sim.random() * most);
  const does = (what: string, now: () => void) => {
    story.push(`${Math.round(sim.now)} ${what}`);
    look(true);
    nobodySince.clear();
    twoSince.clear();
    now();
    look(true);
  };
  const start = (node: string) => {
    for (const holding of holders.values()) holding.delete(node);
    // Its wall clock may have been set back, or forth.
    sim.start(node, 1_000_000 + Math.floor(sim.now) + within(2) * 7777 - within(2) * 7777);
  };
  const restart = (node: string, after: number) =>
    sim.at(sim.now + after, () => does(`start ${node}`, () => !sim.process(node).running && start(node)));
  const kill = (node: string) => {
    if (!sim.process(node).running) return;
    does(`kill ${node}`, () => sim.kill(node));
    restart(node, 100 + within(1500));
  };
  const troubles: readonly (() => void)[] = [
    () => kill(pick()),
    () => [pick(), pick()].forEach(kill),
    () => {
      const [node, ms] = [pick(), 50 + within(sim.random() < 0.2 ? 1500 : 200)];
      does(`stall ${node} ${ms}`, () => sim.stall(node, ms));
      sim.at(sim.process(node).stalledUntil, () => look(false));
    },
    () => does("split", () => (side = new Map(sim.names.map((node) => [node, within(2)])))),
    () => does("heal", () => ([side, oneWay] = [new Map(), new Set()])),
    () => {
      const [from, to] = [pick(), pick()];
      does(`one way ${from} ${to}`, () => (oneWay = new Set([...oneWay, `${from}>${to}`])));
    },
    () => {
      const node = pick();
      if (!sim.process(node).running) return;
      does(`leave ${node}`, () => sim.step(sim.process(node), { kind: "leave" }));
      elect(node);
      const { generation } = sim.process(node);
      sim.at(sim.now + 200, () => sim.process(node).generation === generation && kill(node));
    },
  ];
  for (const node of sim.names) start(node);
  sim.run(1500);
  look(true);
  [twoMs, nobodyMs] = [0, 0];
  for (let count = 1 + within(6); count > 0; count--)
    sim.at(sim.now + within(TROUBLE_MS), () => troubles[within(troubles.length)]?.());
  sim.run(TROUBLE_MS);
  does("heal at last", () => ([side, oneWay] = [new Map(), new Set()]));
  sim.run(CALM_MS);
  look(true);
  const everyone = sim.names.map(
    (name): NodeFacts => ({
      name,
      labels: {},
      networkUnavailable: false,
      alive: true,
      ready: true,
      interfaces: ["eth0"],
    }),
  );
  const settled = ADDRESSES.every((ip) => [...(holders.get(ip) ?? [])].join() === winner(ip, everyone));
  return { twoMs, nobodyMs, settled, story };
}

const UNKNOWN = { alive: false, ready: false };
