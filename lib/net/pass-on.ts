import { isIPv4 } from "node:net";
import { tryParseAddress } from "#core/address";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { Coalesced } from "#runtime/coalesced";
import { runCommand } from "#runtime/command";
import type { Log } from "#runtime/log";
import type { PassOn } from "./port.ts";

const NAME = "berth-speaker";
/** DSCP of what was passed on once, so that it is never passed on again: pool 2 of RFC 2474 §6, for local use. */
const PASSED = "0x2b";
/** As well, for what may be a stray of a connection that is known where it came from. */
const DOUBTFUL = "0x2f";
const GATHER_MS = 5;
const RETRY_MS = 2000;
/** Whoever reloads a firewall flushes what is not theirs. */
const RESYNC_MS = 60_000;
const NOTHING: ReadonlyMap<string, string> = new Map();
type Family = "ip" | "ip6";

/**
 * By nftables, in a table of its own: after connection tracking and before any
 * service proxy, a TCP segment that belongs to no known connection and opens
 * none goes, unchanged but for its DSCP, to the next hop; this host does nothing else with it.
 * So do ICMP errors about such connections: what they tell of the way, as its MTU, is told to nobody else.
 * Where conntrack does not pick up connections midway (nf_conntrack_tcp_loose=0) they end here all the same.
 *
 * Throws Fault `unavailable` where nft is missing or may not (it needs CAP_NET_ADMIN).
 */
export async function openPassOn(deps: { readonly clock: Clock; readonly log: Log }): Promise<PassOn> {
  const { clock, log } = deps;
  await nft(setUp("ip"));
  const hasIpv6 = await nft(setUp("ip6")).then(
    () => true,
    (thrown: unknown) => {
      log.info("connections over IPv6 are not passed on", { why: Fault.from(thrown).message });
      return false;
    },
  );
  const families: readonly Family[] = hasIpv6 ? ["ip", "ip6"] : ["ip"];
  const wanted = new Map<string, string>();
  let applied: ReadonlyMap<string, string> = new Map();
  let changed = new Set<string>();
  /** What the kernel has may be something else than what it was told. */
  let anew = false;
  let isWhole = false;
  let cancel: () => void = () => undefined;
  let running: Promise<unknown> | null = null;
  let waiting: readonly (() => void)[] = [];

  const settle = () => {
    running = null;
    const done = waiting;
    waiting = [];
    for (const one of done) one();
  };
  const apply = async () => {
    const touched = changed;
    const whole = anew;
    isWhole = whole;
    changed = new Set();
    anew = false;
    const after = new Map(wanted);
    const text = families.map((family) => {
      const [from, these] = whole ? [NOTHING, after.keys()] : [applied, touched];
      return (whole ? setUp(family) : "") + changes(family, these, from, after);
    });
    running = nft(text.join(""));
    await running;
    applied = after;
    if (changed.size === 0) settle();
  };
  const flush = new Coalesced({
    clock,
    minGapMs: GATHER_MS,
    task: apply,
    onError: (thrown) => {
      if (!isWhole) {
        // Most likely somebody flushed the rules.
        again(0);
        return;
      }
      settle();
      log.warn("former announcers not written", { error: Fault.from(thrown).message });
      again(RETRY_MS);
    },
  });
  const again = (delayMs: number) => {
    cancel();
    cancel = clock.schedule(delayMs, () => {
      anew = true;
      flush.request();
      again(RESYNC_MS);
    });
  };
  again(RESYNC_MS);
  return {
    set(address, hop) {
      if (!fits(address, hop) || wanted.get(address) === (hop ?? undefined)) return;
      if (hop === null) wanted.delete(address);
      else wanted.set(address, hop);
      changed.add(address);
      flush.request(GATHER_MS);
    },
    settled() {
      if (running === null && changed.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting = [...waiting, resolve];
      });
    },
    async close() {
      cancel();
      flush.close();
      await running?.catch(() => undefined);
      settle();
      const text = families.map((family) => `delete table ${family} ${NAME}\n`).join("");
      await nft(text).catch((thrown) => log.warn("table not removed", { error: Fault.from(thrown).message }));
    },
  };
}

function nft(text: string): Promise<string> {
  return runCommand("nft", ["-f", "-"], text);
}

function familyOf(address: string): Family {
  return isIPv4(address) ? "ip" : "ip6";
}

/** What is no address never becomes part of a command. */
function fits(address: string, hop: string | null): boolean {
  const family = tryParseAddress(address)?.family;
  return family !== undefined && (hop === null || tryParseAddress(hop)?.family === family);
}

/**
 * Whatever a process that was killed left behind is replaced. A segment may be none of a connection that this host
 * knows and nevertheless not new to conntrack but invalid: it ends a connection, or its client has used the port
 * before, and that connection's entry is still there. It may as well be one of a connection of ours outside of its
 * window; so it is marked, and a host that does not know it either drops it instead of refusing.
 */
function setUp(family: Family): string {
  const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const errors =
    family === "ip"
      ? "icmp type { destination-unreachable, time-exceeded, parameter-problem }"
      : "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }";
  const away = `dup to ${family} daddr map @former drop`;
  return `add table ${family} ${NAME}
delete table ${family} ${NAME}
table ${family} ${NAME} {
  set moved { type ${type}; }
  map former { type ${type} : ${type}; }
  chain pass {
    type filter hook prerouting priority mangle; policy accept;
    ${family} dscp ${DOUBTFUL} tcp flags & syn == 0 ct state { new, invalid } ${family} daddr @moved drop
    ${family} daddr @moved ${family} dscp != { ${PASSED}, ${DOUBTFUL} } jump unknown
  }
  chain unknown {
    tcp flags & (syn | rst) == 0 ct state new ${family} dscp set ${PASSED} ${away}
    tcp flags & syn == 0 ct state invalid ${family} dscp set ${DOUBTFUL} ${away}
    ${errors} ct state invalid ${family} dscp set ${PASSED} ${away}
  }
}
`;
}

/** One transaction from what was set to what is to be. */
function changes(
  family: Family,
  touched: Iterable<string>,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string {
  const mine = [...touched].filter(
    (address) => familyOf(address) === family && before.get(address) !== after.get(address),
  );
  const elements = (verb: string, hops: ReadonlyMap<string, string>) => {
    const there = mine.filter((address) => hops.has(address));
    if (there.length === 0) return "";
    const pairs = there.map((address) => `${address} : ${hops.get(address)}`);
    return (
      `${verb} element ${family} ${NAME} moved { ${there.join(", ")} }\n` +
      `${verb} element ${family} ${NAME} former { ${pairs.join(", ")} }\n`
    );
  };
  return elements("delete", before) + elements("add", after);
}
