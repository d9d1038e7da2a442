import { describe, expect, it } from "vitest";
import { utf8 } from "#core/sha256";
import type { Datagrams } from "#net/port";
import { silentLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { OLD_KEY_MS } from "#speaker/keys";
import { Membership } from "#speaker/membership";
import { fc } from "../support/random.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

type Listener = Parameters<Datagrams["receive"]>[0];

const NAMES = ["node-01", "node-02", "node-03"];

/** Speakers' memberships on one wire; each reads a Secret of its own, as kubelets bring it at their own time. */
class Wire {
  readonly clock = new VirtualClock();
  readonly secrets = new Map<string, readonly Uint8Array[]>();
  readonly members = new Map<string, Membership>();
  readonly metrics = new Map<string, Metrics>();
  readonly died: string[] = [];
  readonly took: string[] = [];
  readonly sent: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = [];
  readonly #inboxes = new Map<string, Set<Listener>>();

  start(node: string, ...keys: readonly string[]): Membership {
    this.secrets.set(node, keys.map(utf8));
    const inbox = new Set<Listener>();
    this.#inboxes.set(node, inbox);
    const metrics = new Metrics();
    this.metrics.set(node, metrics);
    const member = new Membership({
      datagrams: {
        send: (bytes, to) => {
          this.sent.push({ from: node, to, bytes });
          this.clock.schedule(1, () => this.deliver(to, bytes, node));
        },
        receive: (listener) => {
          inbox.add(listener);
          return () => inbox.delete(listener);
        },
        close: () => Promise.resolve(),
      },
      clock: this.clock,
      log: silentLog,
      metrics,
      node,
      port: 7946,
      secrets: () => this.secrets.get(node) ?? [],
      onChange: (died) => this.died.push(...died.map((one) => `${node}: ${one}`)),
      onTook: (addresses) => this.took.push(...addresses.map((address) => `${node}: ${address}`)),
    });
    this.members.set(node, member);
    member.setAddresses(new Map(NAMES.filter((other) => other !== node).map((other) => [other, other])));
    member.setSelf(true, ["eth0"]);
    return member;
  }

  deliver(to: string, bytes: Uint8Array, from: string): void {
    for (const listener of this.#inboxes.get(to) ?? []) listener(bytes, { address: from, port: 7946 });
  }

  alive(node: string): readonly string[] {
    const peers = this.members.get(node)?.peers ?? [];
    return peers
      .filter(({ alive }) => alive)
      .map(({ node: name }) => name)
      .toSorted();
  }

  dropped(node: string, reason: string): number {
    const line = new RegExp(`berth_speaker_heartbeats_dropped_total\\{reason="${reason}"\\} (\\d+)`);
    return Number(line.exec(this.metrics.get(node)?.render() ?? "")?.[1] ?? 0);
  }
}

function wire(...keys: readonly string[]): Wire {
  const made = new Wire();
  for (const node of NAMES) made.start(node, ...keys);
  made.clock.advance(1000);
  return made;
}

describe("a change of the heartbeats' key", () => {
  it("makes nobody fall silent, whichever node sees it when, within the ten minutes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }), (seconds) => {
        const w = wire("old");
        for (const [index, at] of seconds.entries()) {
          w.clock.schedule(at * 1000, () => w.secrets.set(NAMES[index] ?? "", [utf8("new")]));
        }
        w.clock.advance(30_000);
        expect(w.died).toEqual([]);
        for (const node of NAMES) expect(w.alive(node)).toEqual(NAMES.filter((other) => other !== node));
      }),
      { numRuns: 10 },
    );
  });

  it("is understood by a speaker that is restarted meanwhile, with both keys of the Secret", () => {
    const w = wire("old");
    w.members.get("node-03")?.close();
    w.clock.advance(1000);
    w.start("node-03", "new", "old");
    w.clock.advance(1000);
    expect(w.alive("node-01")).toEqual(["node-02", "node-03"]);
    expect(w.alive("node-03")).toEqual(["node-01", "node-02"]);
  });

  it("shuts out who still has only the old key when its time is over", () => {
    const w = wire("old");
    for (const node of ["node-01", "node-02"]) w.secrets.set(node, [utf8("new")]);
    w.clock.advance(5000);
    expect(w.alive("node-01")).toEqual(["node-02", "node-03"]);
    // Ten minutes of three speakers are many steps; what is between does not matter here.
    for (const node of NAMES) w.members.get(node)?.close();
    w.clock.advance(OLD_KEY_MS);
    w.start("node-01", "new");
    w.start("node-03", "old");
    w.clock.advance(1000);
    expect(w.alive("node-01")).toEqual([]);
    expect(w.dropped("node-01", "unknown_key")).toBeGreaterThan(5);
  });
});

describe("membership", () => {
  it("refuses forged datagrams and recordings, and counts them", () => {
    const w = wire("secret");
    w.members.get("node-03")?.close();
    w.clock.advance(1000);
    expect(w.alive("node-01")).toEqual(["node-02"]);
    const recorded = w.sent.filter(({ from, to }) => from === "node-03" && to === "node-01");
    for (const { bytes } of recorded) w.deliver("node-01", bytes, "node-03");
    const [{ bytes } = { bytes: new Uint8Array() }] = recorded.slice(-1);
    for (let index = 0; index < bytes.length; index++) {
      const forged = bytes.slice();
      forged[index] = (forged[index] ?? 0) ^ 1;
      w.deliver("node-01", forged, "node-03");
    }
    expect(w.alive("node-01")).toEqual(["node-02"]);
    expect(w.dropped("node-01", "stale")).toBeGreaterThanOrEqual(recorded.length);
    expect(w.dropped("node-01", "forged")).toBeGreaterThan(bytes.length / 2);
    expect(w.dropped("node-01", "malformed")).toBe(4);
    expect(w.dropped("node-01", "unknown_key")).toBe(4);
  });

  it("takes unsigned ones from the node's own address only, where there is no key", () => {
    const w = wire();
    expect(w.alive("node-01")).toEqual(["node-02", "node-03"]);
    const last = w.sent.findLast(({ from, to }) => from === "node-03" && to === "node-01");
    w.deliver("node-01", last?.bytes ?? new Uint8Array(), "elsewhere");
    expect(w.dropped("node-01", "forged")).toBe(1);
  });

  it("tells a predecessor what was taken over", () => {
    const w = wire("secret");
    w.members.get("node-01")?.took(["192.0.2.1", "2001:db8::1"], "node-02");
    w.clock.advance(10);
    expect(w.took).toEqual(["node-02: 192.0.2.1", "node-02: 2001:db8::1"]);
    w.took.length = 0;
    const many = Array.from({ length: 40 }, (_none, n) => `192.0.2.${n}`);
    w.members.get("node-01")?.took(many, null);
    w.clock.advance(10);
    expect(w.took.filter((line) => line.startsWith("node-03")).toSorted()).toEqual(
      many.map((address) => `node-03: ${address}`).toSorted(),
    );
  });

  it("shows members, suspects, keys and deaths as metrics", () => {
    const w = wire("secret");
    const text = () => w.metrics.get("node-01")?.render() ?? "";
    expect(text()).toContain("berth_speaker_members 3");
    expect(text()).toContain("berth_speaker_heartbeat_keys 1");
    w.members.get("node-03")?.close();
    w.clock.advance(320);
    expect(text()).toContain("berth_speaker_members_suspected 1");
    w.clock.advance(500);
    expect(text()).toContain("berth_speaker_members 2");
    expect(text()).toContain("berth_speaker_member_deaths_total 1");
  });
});
