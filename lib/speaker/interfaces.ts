import type { LinkInfo } from "#net/port";

/** The default of upstream's ConfigMap metallb-excludel2 (metallb.md 1.8). */
const EXCLUDED = /^(docker|cbr|dummy|virbr|lxcbr|veth|cali|tunl|flannel|kube-ipvs|cni|nodelocaldns|lxc)|^lo$/;

/** Interfaces that addresses may be announced on: up, and not of a container network. */
export function usableInterfaces(info: readonly LinkInfo[]): readonly LinkInfo[] {
  return info.filter(({ name, up }) => up && !EXCLUDED.test(name));
}
