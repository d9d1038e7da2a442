import { randomBytes } from "node:crypto";
import { ANNOTATION } from "#api/names";
import { parseDuration } from "#core/configuration/values";
import { Fault } from "#core/errors";
import { checkedLeaseTimings, LEASE_TIMINGS, type LeaseIdentity } from "#core/lease";
import { LeaseElection } from "#kube/lease";
import type { Cluster, Election } from "#kube/port";
import { systemClock } from "#runtime/clock";
import type { Log } from "#runtime/log";

type Environment = Readonly<Record<string, string | undefined>>;

/** As the components of Kubernetes call them. */
export const LEADER_OPTIONS = {
  "leader-elect": { type: "string" },
  "leader-elect-lease-duration": { type: "string" },
  "leader-elect-renew-deadline": { type: "string" },
  "leader-elect-retry-period": { type: "string" },
  "leader-elect-resource-name": { type: "string" },
} as const;

export const LEADER_HELP = `  --leader-elect=true          one of several replicas assigns, by a Lease in its namespace
  --leader-elect-lease-duration 10s   how long a dead leader's Lease stays closed to others
  --leader-elect-renew-deadline 7s    how long a leader that cannot renew goes on writing
  --leader-elect-retry-period 2s      between renewals, and between looks of those that wait
  --leader-elect-resource-name berth-controller   one name per --lb-class, if there are several`;

type LeaderFlags = { readonly [name in keyof typeof LEADER_OPTIONS]?: string | undefined };

/** A bare `--leader-elect` means true, as it does in Go. */
export function withBareFlag(args: readonly string[]): readonly string[] {
  return args.map((arg) => (arg === "--leader-elect" ? "--leader-elect=true" : arg));
}

/** What the flags ask for; `null`: no election. Throws Fault `invalid` naming a flag that cannot be used. */
export function electionSettings(values: LeaderFlags) {
  const elect = values["leader-elect"] ?? "true";
  if (elect !== "true" && elect !== "false") {
    throw new Fault("invalid", `--leader-elect=${elect}: must be true or false.`);
  }
  const timings = checkedLeaseTimings({
    durationMs: duration("lease-duration", values["leader-elect-lease-duration"], LEASE_TIMINGS.durationMs),
    renewDeadlineMs: duration("renew-deadline", values["leader-elect-renew-deadline"], LEASE_TIMINGS.renewDeadlineMs),
    retryMs: duration("retry-period", values["leader-elect-retry-period"], LEASE_TIMINGS.retryMs),
  });
  return elect === "false" ? null : { timings, name: values["leader-elect-resource-name"] || "berth-controller" };
}

/**
 * The election of the settings, as this pod's process. A pod's processes share its port for probes, which is open by
 * now: no earlier one can still be alive, so that what it held may be taken over at once.
 */
export function electionOf(
  settings: ReturnType<typeof electionSettings>,
  pod: {
    readonly cluster: Cluster;
    readonly log: Log;
    readonly namespace: string;
    readonly podName: string;
    readonly env: Environment;
  },
): Election | undefined {
  if (settings === null) return undefined;
  const { cluster, log, namespace, podName, env } = pod;
  const { name, timings } = settings;
  const identity = identityOf(podName, env.BERTH_POD_UID);
  const annotations = () => ({ [ANNOTATION.memoryBytes]: `${process.memoryUsage.rss()}` });
  return new LeaseElection({ cluster, clock: systemClock, log, name, namespace, identity, timings, annotations });
}

/** "<pod>_<uid>_<random>"; without a uid nothing proves which process came before. */
function identityOf(podName: string, uid: string | undefined): LeaseIdentity {
  const own = randomBytes(8).toString("hex");
  const pod = podName || "controller";
  if (!uid) return { holder: `${pod}_${own}`, predecessor: null };
  return { holder: `${pod}_${uid}_${own}`, predecessor: `${pod}_${uid}_` };
}

function duration(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  const ms = parseDuration(text);
  if (ms === null) throw new Fault("invalid", `--leader-elect-${name} ${text}: must be a duration like 15s.`);
  return ms;
}
