import { decideArp, decodeArp } from "#core/arp";
import type { NodePort } from "./node-port.ts";

/** What the node's service proxy has set up in the kernel. */
interface ProxySetup {
  readonly mode: "iptables" | "ipvs" | "nftables";
  readonly strictArp: boolean;
}

export interface LanHost {
  readonly node: string;
  readonly mac: string;
  readonly address: string;
  /** Takes effect with the next frame. The start is `iptables`, strictArp false. */
  setProxy(setup: ProxySetup): void;
  readonly proxy: ProxySetup;
  /** The addresses of every LoadBalancer Service: what kube-ipvs0 carries in mode ipvs. */
  setLoadBalancerAddresses(addresses: Iterable<string>): void;
  /** Answers sent since the start, by what they were for. */
  answers(): { readonly own: number; readonly loadBalancer: number };
  remove(): void;
}

/**
 * A node's kernel, as far as ARP goes: it answers for its own address, and in
 * mode ipvs for every LoadBalancer address as well, because kube-ipvs0 holds
 * them all and arp_ignore is 0 until strictARP sets it.
 */
export function createLanHost(
  port: NodePort,
  identity: { readonly node: string; readonly address: string },
  onRemove: () => void,
): LanHost {
  let proxy: ProxySetup = { mode: "iptables", strictArp: false };
  let loadBalancer: ReadonlySet<string> = new Set();
  const sent = { own: 0, loadBalancer: 0 };
  const answersForAll = () => proxy.mode === "ipvs" && !proxy.strictArp;
  const holds = (ip: string) => (ip === identity.address || (answersForAll() && loadBalancer.has(ip)) ? "yes" : "no");

  const detach = port.attach({
    receive(frame) {
      const packet = decodeArp(frame);
      if (packet === "not_arp" || packet === "malformed") return;
      const decision = decideArp(packet, { mac: port.mac, holds });
      if (decision.kind !== "answer") return;
      sent[packet.targetIp === identity.address ? "own" : "loadBalancer"] += 1;
      port.send(decision.frame);
    },
    unplug: () => undefined,
  });

  return {
    ...identity,
    mac: port.mac,
    setProxy(setup) {
      proxy = setup;
    },
    get proxy() {
      return proxy;
    },
    setLoadBalancerAddresses(addresses) {
      loadBalancer = new Set(addresses);
    },
    answers: () => ({ ...sent }),
    remove() {
      detach();
      onRemove();
    },
  };
}
