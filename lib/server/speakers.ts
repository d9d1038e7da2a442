/** What the speakers report, put together: who is alive, who announces what, and what the wire said. */
import { heardAlive, isNetworkUnavailable } from "#api/facts";
import type { Node } from "#api/kubernetes/cluster";
import type { Pod } from "#api/kubernetes/pods";
import type { ServiceL2Status, SpeakerState } from "#api/metallb";
import { ANNOTATION } from "#api/names";
import type { NodeFacts } from "#core/election";
import { perObject } from "#core/per-object";
import { WIRE_FINDINGS, type WireFinding } from "#core/who-has";
import { speakerPodOf } from "./rows/pods.ts";
import type { Announcer } from "./view.ts";

/** How long a look at the wire says something about now. */
const WIRE_AGE_MS = 120_000;

type States = readonly SpeakerState[];

export function stateByNode(states: States): ReadonlyMap<string, SpeakerState> {
  return new Map(states.map((state) => [state.metadata.name ?? "", state]));
}

export function nodeFactsOf(nodes: readonly Node[], pods: readonly Pod[], states: States): readonly NodeFacts[] {
  const byNode = stateByNode(states);
  const heard = heardAlive(states);
  return nodes.map((node): NodeFacts => {
    const name = node.metadata.name ?? "";
    const state = byNode.get(name)?.status;
    const pod = speakerPodOf(pods, name);
    const off = node.metadata.annotations?.[ANNOTATION.power] === "off";
    return {
      name,
      labels: node.metadata.labels ?? {},
      networkUnavailable: isNetworkUnavailable(node),
      // What the other speakers hear; where nobody else could, its own pod decides.
      alive: !off && (heard.get(name) ?? pod?.ready ?? false),
      ready: state === undefined ? (pod?.ready ?? false) : (state.ready ?? false) && pod !== null,
      interfaces: state?.interfaces?.filter((one) => one.up).map((one) => one.name) ?? null,
    };
  });
}

interface Reported {
  readonly node: string;
  readonly interfaces: readonly string[];
}

/** The ServiceL2Statuses, which upstream writes too, by Service and by node. */
export function announcementsOf(statuses: readonly ServiceL2Status[]): {
  readonly byService: ReadonlyMap<string, readonly Reported[]>;
  readonly byNode: ReadonlyMap<string, readonly string[]>;
} {
  const byService = new Map<string, Reported[]>();
  const byNode = new Map<string, string[]>();
  for (const { status } of statuses) {
    if (!status?.node || !status.serviceName) continue;
    const { node } = status;
    const key = `${status.serviceNamespace}/${status.serviceName}`;
    const held = byService.get(key) ?? [];
    if (held.some((one) => one.node === node)) continue;
    const interfaces = (status.interfaces ?? []).flatMap(({ name }) => (name === undefined ? [] : [name]));
    byService.set(key, [...held, { node, interfaces }]);
    const on = byNode.get(node);
    if (on === undefined) byNode.set(node, [key]);
    else on.push(key);
  }
  return { byService, byNode };
}

/**
 * Where a fail-over leaves two reports for a moment, the speaker that says so
 * itself and took over last is right.
 */
export function resolveAnnouncers(
  service: string,
  reported: readonly Reported[],
  states: ReadonlyMap<string, SpeakerState>,
): readonly Announcer[] {
  const all = reported.map(({ node, interfaces }): Announcer => {
    const state = states.get(node);
    const own = state === undefined ? undefined : announcingOf(state).get(service);
    return { node, interfaces: own?.interfaces ?? interfaces, since: own?.since ?? null };
  });
  if (all.length < 2) return all;
  const claims = all.filter((one) => one.since !== null).sort((a, b) => ((a.since ?? "") > (b.since ?? "") ? -1 : 1));
  return claims[0] === undefined ? all : [claims[0]];
}

const announcingOf = perObject((state: SpeakerState) => {
  return new Map((state.status?.announcing ?? []).map((one) => [one.service, one]));
});

/** What a speaker's watch over the wire found wrong with an address. */
export interface WireReport {
  readonly kind: WireFinding;
  /** One sentence without full stop. */
  readonly message: string;
  readonly macs: readonly string[];
}

/** A speaker that has not spoken for so long says nothing about now. */
const REPORT_AGE_MS = 30_000;

/** By address; where several nodes found something, the worst of it. */
export function wireReportsOf(states: States, now: number): ReadonlyMap<string, WireReport> {
  const reports = new Map<string, WireReport>();
  const rank = (kind: WireFinding) => WIRE_FINDINGS.indexOf(kind);
  for (const { status } of states) {
    if (!(now - Date.parse(status?.heartbeatAt ?? "") <= REPORT_AGE_MS)) continue;
    for (const { address, kind: text, message, claimants } of status?.findings ?? []) {
      const kind = WIRE_FINDINGS.find((one) => one === text);
      const known = reports.get(address);
      if (kind === undefined || (known !== undefined && rank(known.kind) <= rank(kind))) continue;
      reports.set(address, { kind, message, macs: claimants.map(({ mac }) => mac.toLowerCase()) });
    }
  }
  return reports;
}

/**
 * Addresses that are answered for by whoever should not: more than one MAC in the last look that somebody asked for (a
 * speaker does not hear its own node, so what several of them saw in the same round is added up), or what the
 * speakers' own watch says.
 */
export function conflictsOf(states: States, now: number): ReadonlyMap<string, readonly string[]> {
  const seen = new Map<string, { readonly askedAt: number; readonly macs: readonly string[] }[]>();
  for (const { status } of states) {
    for (const { address, askedAt, answers } of status?.wire ?? []) {
      const at = Date.parse(askedAt);
      if (now - at > WIRE_AGE_MS) continue;
      const looks = seen.get(address) ?? [];
      looks.push({ askedAt: at, macs: answers.map((one) => one.mac.toLowerCase()) });
      seen.set(address, looks);
    }
  }
  const conflicts = new Map<string, readonly string[]>();
  for (const [address, looks] of seen) {
    const newest = Math.max(...looks.map((look) => look.askedAt));
    const round = looks.filter((look) => newest - look.askedAt < ROUND_MS);
    const macs = [...new Set(round.flatMap((look) => look.macs))].sort();
    if (macs.length > 1) conflicts.set(address, macs);
  }
  for (const [address, { kind, macs }] of wireReportsOf(states, now)) {
    if (kind !== "proxy_arp") conflicts.set(address, macs);
  }
  return conflicts;
}

/** Looks that were asked for together. */
const ROUND_MS = 1_000;
