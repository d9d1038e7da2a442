import type { ConfigMap } from "#api/kubernetes/cluster";
import { FOREIGN_HOSTS } from "#api/names";
import { CONFIG_MAPS } from "#api/resources";
import { addressOctets, tryParseAddress } from "#core/address";
import { decideArp, decodeArp, gratuitousArp } from "#core/arp";
import { Fault } from "#core/errors";
import { macAt } from "#core/mac";
import type { Log } from "#runtime/log";
import type { Lan } from "../lan/start.ts";
import type { Objects } from "../port.ts";

const KEY = `${FOREIGN_HOSTS.namespace}/${FOREIGN_HOSTS.name}`;

/**
 * Keeps a machine on the virtual LAN for each IPv4 address that is a key of the ConfigMap: it is no node, and uses the
 * address as a printer does that somebody configured by hand. For drills. Returns how to unplug them all.
 */
export function followForeignHosts(deps: {
  readonly objects: Objects;
  readonly lan: Lan;
  readonly log: Log;
}): () => void {
  const { objects, lan, log } = deps;
  const plugged = new Map<string, () => void>();
  const apply = (object: ConfigMap | undefined) => {
    const wanted = new Set(Object.keys(object?.data ?? {}).filter((text) => tryParseAddress(text)?.family === 4));
    for (const [address, unplug] of plugged) {
      if (wanted.has(address)) continue;
      unplug();
      plugged.delete(address);
      log.info("foreign host unplugged", { address });
    }
    for (const address of wanted) {
      if (plugged.has(address)) continue;
      try {
        plugged.set(address, plugIn(lan, address));
        log.info("foreign host plugged in", { address, mac: foreignMac(address) });
      } catch (thrown) {
        log.warn("foreign host not plugged in", { address, error: Fault.from(thrown).message });
      }
    }
  };
  const cache = objects.cache(CONFIG_MAPS);
  const stop = cache.onChange((key, now) => {
    if (key === KEY) apply(now);
  });
  apply(cache.get(KEY));
  return () => {
    stop();
    apply(undefined);
  };
}

function plugIn(lan: Lan, address: string): () => void {
  const mac = foreignMac(address);
  const port = lan.attach(mac);
  port.onFrame((frame) => {
    const packet = decodeArp(frame);
    if (typeof packet === "string") return;
    const decision = decideArp(packet, { mac, holds: (ip) => (ip === address ? "yes" : "no") });
    if (decision.kind === "answer") port.send(decision.frame);
  });
  for (const frame of gratuitousArp(mac, address)) port.send(frame);
  return () => port.close();
}

/** A MAC of the range that virtual machines have, made of the address. */
function foreignMac(address: string): string {
  const parsed = tryParseAddress(address);
  const octets = parsed === null ? [0, 0, 0, 0] : [...addressOctets(parsed)];
  return macAt(Uint8Array.from([0x52, 0x54, 0x00, ...octets.slice(1)]), 0);
}
