/**
 * `node test/bench/allocate.ts [rounds]`: assignments a second in memory, from an empty pool to a full one. Prints a table.
 * Bars of design.md section 9: 200,000 a second; the last 1 % costs at most twice the first 1 %.
 */
import { Allocator } from "#core/allocate";
import type { HoldView } from "#core/holds";
import { type ServiceView, toServiceView } from "#core/service-view";
import { poolsInForce } from "../support/pools.ts";

interface Case {
  readonly name: string;
  /** One pool each. */
  readonly ranges: readonly string[];
  readonly services: number;
  readonly share?: boolean;
  /** AddressHolds of one address each, spread evenly over a /16. */
  readonly holds?: number;
}

const cases: readonly Case[] = [
  { name: "IPv4 /16, empty to full", ranges: ["10.0.0.0/16"], services: 65_536 },
  { name: "IPv4 /14, empty to full", ranges: ["10.0.0.0/14"], services: 262_144 },
  { name: "IPv6 /64, 65,536 Services", ranges: ["2001:db8::/64"], services: 65_536 },
  { name: "IPv4 /16, one sharing key, one port", ranges: ["10.0.0.0/16"], services: 65_536, share: true },
  {
    name: "IPv4 500 pools of 131, empty to full",
    ranges: Array.from(
      { length: 500 },
      (_, index) => `10.${index >> 8}.${index & 255}.1-10.${index >> 8}.${index & 255}.131`,
    ),
    services: 65_500,
  },
  { name: "IPv4 /16, 1,000 holds in it", ranges: ["10.0.0.0/16"], services: 64_536, holds: 1000 },
];

function holdsFor(count: number): readonly HoldView[] {
  return Array.from({ length: count }, (_, index) => {
    const address = { family: 4 as const, value: (10n << 24n) + BigInt(Math.floor((index * 65_536) / count)) };
    const range = { first: address, last: address };
    return { name: `h${index}`, ranges: [range], reason: "reserved", expiresAt: null, note: "", mac: "", node: "" };
  });
}

function service(index: number, ipv6: boolean, share: boolean): ServiceView {
  return toServiceView({
    metadata: {
      name: `s${index}`,
      namespace: "bench",
      annotations: share ? { "metallb.io/allow-shared-ip": "one" } : {},
    },
    spec: { type: "LoadBalancer", clusterIPs: [ipv6 ? "fd00::1" : "10.96.0.1"], ports: [{ port: 80 }] },
  });
}

function assign(allocator: Allocator, views: readonly ServiceView[]): number {
  const start = performance.now();
  for (const view of views) {
    const plan = allocator.plan(view);
    if (plan.kind !== "assign") throw new Error(`not assigned: ${plan.kind}`);
    allocator.hold(view, plan.addresses);
  }
  return performance.now() - start;
}

/** Milliseconds per operation. */
function run({ ranges, services, share = false, holds = 0 }: Case) {
  const inputs = ranges.map((range, index) => {
    const name = `p${String(index).padStart(3, "0")}`;
    return { name, addresses: [range], autoAssign: true, avoidBuggyIPs: false };
  });
  const isIPv6 = ranges[0]?.includes(":") === true;
  const views = Array.from({ length: services }, (_, index) => service(index, isIPv6, share));
  const allocator = new Allocator();
  allocator.setPools(poolsInForce(inputs));
  allocator.setHolds(holdsFor(holds));
  const percent = Math.ceil(services / 100);
  const first = assign(allocator, views.slice(0, percent));
  const middle = assign(allocator, views.slice(percent, services - percent));
  const last = assign(allocator, views.slice(services - percent));
  // Churn on the full pool: give one back, take it again, in scattered order.
  const rounds = Math.min(services, 100_000);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    const view = views[(round * 7919) % services] as ServiceView;
    allocator.release(view.key);
    assign(allocator, [view]);
  }
  const churn = performance.now() - start;
  return {
    each: (first + middle + last) / services,
    first: first / percent,
    last: last / percent,
    churn: churn / rounds,
  };
}

const ROUNDS = Number(process.argv[2] ?? 7);

/**
 * Medians over rounds that go through all cases in turn, so that a busy moment of the machine hits none of them
 * alone. Round 0 is thrown away: in it the compiler works, and what it costs falls on the first assignments.
 */
function measure(): void {
  const runs = cases.map((): ReturnType<typeof run>[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, each] of cases.entries()) {
      const result = run(each);
      if (round > 0) runs[index]?.push(result);
    }
  }
  console.table(cases.map(({ name }, index) => row(name, runs[index] ?? [])));
}

function row(name: string, runs: readonly ReturnType<typeof run>[]) {
  const median = (pick: (one: ReturnType<typeof run>) => number) =>
    runs.map(pick).toSorted((a, b) => a - b)[runs.length >> 1] ?? Number.NaN;
  const [first, last] = [median((one) => one.first), median((one) => one.last)];
  return {
    case: name,
    "per second": Math.round(1000 / median((one) => one.each)),
    "first 1 % (µs each)": Number((first * 1000).toFixed(2)),
    "last 1 % (µs each)": Number((last * 1000).toFixed(2)),
    "last ÷ first": Number((last / first).toFixed(2)),
    "release + assign when full, per second": Math.round(1000 / median((one) => one.churn)),
  };
}

measure();
