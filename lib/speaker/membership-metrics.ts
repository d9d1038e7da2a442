import type { Counter, Metrics } from "#runtime/metrics";
import type { MembersState } from "./members-state.ts";

export interface MembershipMetrics {
  readonly received: Counter;
  readonly dropped: Counter;
  readonly sent: Counter;
  readonly sentBytes: Counter;
  readonly deaths: Counter;
}

/** The metrics of membership; gauges are read from `now` when they are asked for. */
export function membershipMetrics(
  metrics: Metrics,
  now: () => { readonly state: MembersState; readonly keys: number },
): MembershipMetrics {
  const members = metrics.gauge("berth_speaker_members", "Speakers alive, this one included.");
  const suspected = metrics.gauge(
    "berth_speaker_members_suspected",
    "Speakers that are silent, not yet believed dead.",
  );
  const lag = metrics.gauge("berth_speaker_loop_lag_seconds", "Recent worst lateness of this process's own timers.");
  const keys = metrics.gauge("berth_speaker_heartbeat_keys", "Keys that heartbeats may be signed with now.");
  metrics.onRender(() => {
    const { state, keys: count } = now();
    const alive = state.peers.values().filter((peer) => peer.alive);
    members.set({}, 1 + alive.length);
    suspected.set({}, alive.filter((peer) => peer.suspected).length);
    lag.set({}, state.lagMs / 1000);
    keys.set({}, count);
  });
  return {
    received: metrics.counter("berth_speaker_heartbeats_received_total", "Heartbeats received."),
    dropped: metrics.counter(
      "berth_speaker_heartbeats_dropped_total",
      "Datagrams not taken for a heartbeat, by reason.",
    ),
    sent: metrics.counter("berth_speaker_heartbeats_sent_total", "Heartbeats sent."),
    sentBytes: metrics.counter(
      "berth_speaker_heartbeats_sent_bytes_total",
      "Octets of heartbeats sent, without headers.",
    ),
    deaths: metrics.counter("berth_speaker_member_deaths_total", "Times that a member was believed dead."),
  };
}
