import { addressLine } from "./plan.ts";

const DEVICE = "kube-ipvs0";

/**
 * `ip -batch` lines that lead from one state of kube-ipvs0 to the next: the
 * interface on which kube-proxy, in mode ipvs, keeps every LoadBalancer
 * address (IPv4). Null: there is no such interface. A bridge without ports
 * stands for kube-proxy's dummy interface, which small kernels do not have; it
 * stays down as there, and its addresses are the node's own all the same.
 */
export function ipvsLines(before: ReadonlySet<string> | null, after: ReadonlySet<string> | null): readonly string[] {
  if (after === null) return before === null ? [] : [`link delete ${DEVICE}`];
  const [had, wanted] = [ipv4(before ?? []), ipv4(after)];
  return [
    ...(before === null ? [`link add ${DEVICE} type bridge`] : []),
    ...had.filter((one) => !wanted.includes(one)).map((one) => `address delete ${one}/32 dev ${DEVICE}`),
    ...wanted.filter((one) => !had.includes(one)).map((one) => addressLine(`${one}/32`, DEVICE)),
  ];
}

function ipv4(addresses: Iterable<string>): readonly string[] {
  return [...addresses].filter((one) => !one.includes(":"));
}
