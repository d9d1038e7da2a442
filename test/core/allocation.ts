/** What the tests of the allocator speak in. */
import { formatAddress } from "#core/address";
import { Allocator } from "#core/allocate";
import type { HoldView } from "#core/holds";
import { observe } from "#core/observe";
import type { Plan } from "#core/plan";
import type { PoolInput, PoolView } from "#core/pools";
import { type ServiceLike, type ServiceView, toServiceView } from "#core/service-view";
import { poolsInForce } from "../support/pools.ts";

export type Over = {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly spec?: NonNullable<ServiceLike["spec"]>;
  readonly ingress?: readonly string[];
};

export const service = ({
  name = "web",
  namespace = "default",
  labels = {},
  annotations = {},
  spec = {},
  ingress = [],
}: Over = {}): ServiceView =>
  toServiceView({
    metadata: { name, namespace, labels, annotations },
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  });
export const pool = (
  name: string,
  addresses: string | readonly string[],
  over: Partial<PoolInput> = {},
): PoolInput => ({
  name,
  addresses: [addresses].flat(),
  autoAssign: true,
  avoidBuggyIPs: false,
  ...over,
});
export const compile = (...inputs: PoolInput[]) => poolsInForce(inputs, [{ name: "default", labels: { team: "a" } }]);
export const text = (plan: Plan) =>
  "addresses" in plan
    ? `${plan.kind} ${plan.addresses.map(formatAddress)} of ${plan.pool}`
    : plan.kind === "refuse"
      ? plan.reason
      : plan.kind;

/** What one Service asks of these pools, and what it comes to: as `text` says it. */
export interface Row {
  readonly name: string;
  readonly pools: readonly PoolInput[];
  readonly asks: ServiceView;
  readonly others?: readonly ServiceView[];
  readonly want: string;
}

/** The plan of a controller that knows only what the statuses say. */
export function planFor(
  asks: ServiceView,
  pools: readonly PoolView[],
  others: readonly ServiceView[] = [],
  leftOut?: ReadonlySet<string>,
  holds: readonly HoldView[] = [],
): Plan {
  const allocator = new Allocator();
  allocator.setPools(pools, leftOut);
  allocator.setHolds(holds);
  for (const other of others) observe(allocator, other);
  return allocator.plan(asks);
}

export const dual = { clusterIPs: ["10.96.0.1", "fd00::1"], ipFamilies: ["IPv4", "IPv6"] };
export const share = { "metallb.io/allow-shared-ip": "k" };
export const four = pool("four", "10.0.0.1-10.0.0.3");
export const six = pool("six", "2001:db8::1-2001:db8::3");
export const both = pool("mixed", ["10.1.0.1-10.1.0.3", "2001:db8:1::1-2001:db8:1::3"]);
export const ips = (list: string) => ({ annotations: { "metallb.io/loadBalancerIPs": list } });
export const from = (name: string) => ({ annotations: { "metallb.io/address-pool": name } });
export const one = pool("one", "10.0.0.1/32");
export const prefer = { ...dual, ipFamilyPolicy: "PreferDualStack" };
export const require = { ...dual, ipFamilyPolicy: "RequireDualStack" };
export const v6 = { clusterIPs: ["fd00::1"], ipFamilies: ["IPv6"] };
export const port = (number: number) => ({ ports: [{ port: number }] });
export const pinned = (
  name: string,
  addresses: string | readonly string[],
  allocation: PoolInput["serviceAllocation"],
) => pool(name, addresses, { serviceAllocation: allocation });
export const db = { serviceSelectors: [{ matchLabels: { app: "db" } }] };
