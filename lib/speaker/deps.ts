import type { Cluster } from "#kube/port";
import type { Datagrams, Link, PassOn } from "#net/port";
import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";
import type { Metrics } from "#runtime/metrics";

/** What a speaker is given; `main` builds it. Ports are closed by whoever opened them. */
export interface SpeakerDeps {
  readonly cluster: Cluster;
  readonly link: Link;
  readonly datagrams: Datagrams;
  /** Absent: connections that were open when an address moved here end. */
  readonly passOn?: PassOn | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Where Berth's own objects are: pools, advertisements, states. */
  readonly namespace: string;
  /** "" when it is not known: published objects then have no owner. */
  readonly podName: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly memberPort: number;
  /**
   * The keys of the heartbeats' HMAC as the Secret holds them now, newest first; asked again and again, as they may be
   * changed at any time. None at the start: heartbeats are not signed.
   */
  readonly secrets: () => readonly Uint8Array[];
  /** Announce only Services of this loadBalancerClass; absent: only those without one. */
  readonly lbClass?: string | undefined;
  readonly ignoreExcludeLabel?: boolean | undefined;
  readonly version: string;
  /** Resident memory of this process, octets. */
  readonly memory: () => number;
}
