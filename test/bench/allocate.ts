/** `node test/bench/allocate.ts`: assignments a second in memory, from an empty pool to a full one. Prints a table. */
import { Allocator } from "#core/allocate";
import { compilePools } from "#core/pools";
import { type ServiceView, toServiceView } from "#core/service-view";

interface Case {
  readonly name: string;
  readonly range: string;
  readonly services: number;
  readonly share?: boolean;
}

const cases: readonly Case[] = [
  { name: "warm-up", range: "10.0.0.0/18", services: 16_384 },
  { name: "IPv4 /16, empty to full", range: "10.0.0.0/16", services: 65_536 },
  { name: "IPv4 /13, empty to full", range: "10.0.0.0/13", services: 524_288 },
  { name: "IPv6 /64, 65,536 Services", range: "2001:db8::/64", services: 65_536 },
  { name: "IPv4 /16, one sharing key, one port", range: "10.0.0.0/16", services: 65_536, share: true },
];

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
function run({ range, services, share = false }: Case) {
  const { pools } = compilePools([{ name: "p", addresses: [range], autoAssign: true, avoidBuggyIPs: false }], []);
  const views = Array.from({ length: services }, (_, index) => service(index, range.includes(":"), share));
  const allocator = new Allocator();
  allocator.setPools(pools);
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

/**
 * The best of seven for each number: one run is at the mercy of whatever else
 * the machine does, and nothing makes a run faster than the code is.
 */
function best(each: Case) {
  const runs = Array.from({ length: 7 }, () => run(each));
  const least = (pick: (one: ReturnType<typeof run>) => number) => Math.min(...runs.map(pick));
  const [first, last] = [least((one) => one.first), least((one) => one.last)];
  return {
    case: each.name,
    "per second": Math.round(1000 / least((one) => one.each)),
    "first 1 % (µs each)": Number((first * 1000).toFixed(2)),
    "last 1 % (µs each)": Number((last * 1000).toFixed(2)),
    "last ÷ first": Number((last / first).toFixed(2)),
    "release + assign when full, per second": Math.round(1000 / least((one) => one.churn)),
  };
}

console.table(cases.map(best).slice(1));
