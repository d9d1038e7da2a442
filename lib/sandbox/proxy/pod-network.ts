import type { Peer, Protocol } from "#net/host";

/**
 * Where pods really listen. Pod addresses (10.244.n.x) exist only inside the
 * sandbox; behind each is a socket on loopback, normally its *shadow*
 * 127.244.n.x with the same port, or an ephemeral port where that one could
 * not be bound. A pod's IPv6 address leads to the same socket. Kubelets write
 * it, service proxies read it.
 */
export class PodNetwork {
  readonly #pods = new Map<string, Map<string, Peer>>();

  /** Records the socket behind a pod's port, replacing an earlier one. */
  open(podAddress: string, port: number, protocol: Protocol, at: Peer): void {
    let ports = this.#pods.get(podAddress);
    if (ports === undefined) {
      ports = new Map();
      this.#pods.set(podAddress, ports);
    }
    ports.set(portKey(port, protocol), at);
  }

  /** Forgets one port of a pod, or with only an address the whole pod. */
  close(podAddress: string, port?: number, protocol: Protocol = "TCP"): void {
    if (port === undefined) this.#pods.delete(podAddress);
    else this.#pods.get(podAddress)?.delete(portKey(port, protocol));
  }

  /**
   * The socket to connect to. A port that nobody opened is looked for at the
   * pod's shadow (a process that listens by itself); null when the address has none.
   */
  lookup(podAddress: string, port: number, protocol: Protocol): Peer | null {
    const address = podAddress4(podAddress) ?? podAddress;
    const known = this.#pods.get(address)?.get(portKey(port, protocol));
    if (known !== undefined) return known;
    const shadow = shadowOf(address);
    return shadow === null ? null : { address: shadow, port };
  }
}

/**
 * The loopback address that stands for a pod's: 10.244.1.5 → 127.244.1.5.
 * An address of 127.0.0.0/8 (hostNetwork pods) stands for itself; others have none.
 */
export function shadowOf(podAddress: string): string | null {
  if (podAddress.startsWith("127.")) return podAddress;
  return /^10(\.\d{1,3}){3}$/.test(podAddress) ? `127${podAddress.slice(2)}` : null;
}

/** The address of a pod in the other family: 10.244.1.5 → fd77:244:1::5. Null for any other address. */
export function podAddress6(address: string): string | null {
  const [, node, host] = /^10\.244\.(\d+)\.(\d+)$/.exec(address) ?? [];
  return node === undefined || host === undefined ? null : `fd77:244:${node}::${Number(host).toString(16)}`;
}

/** The other way: fd77:244:1::5 → 10.244.1.5. Null for any other address. */
function podAddress4(address: string): string | null {
  const [, node, host] = /^fd77:244:(\d+)::([\da-f]+)$/.exec(address) ?? [];
  return node === undefined || host === undefined ? null : `10.244.${node}.${Number.parseInt(host, 16)}`;
}

function portKey(port: number, protocol: Protocol): string {
  return `${port}/${protocol}`;
}
