import type { Fields } from "./fields.ts";
import { failure, quote, type Remark } from "./finding.ts";
import { parseDuration } from "./values.ts";

/** Milliseconds; null leaves the engine's default. */
export interface PeerTimers {
  readonly holdMs: number | null;
  readonly keepaliveMs: number | null;
  readonly connectMs: number | null;
}

/** One of hold and keepalive follows from the other (metallb.md 1.4). */
export function peerTimers(spec: Fields, report: (remark: Remark) => void): PeerTimers {
  const duration = (name: string) => durationIn(spec, name, report);
  const hold = duration("holdTime");
  const keepalive = duration("keepaliveTime");
  const connect = duration("connectTime");
  const holdMs = hold ?? (keepalive === null ? null : keepalive * 3);
  const keepaliveMs = keepalive ?? (hold === null ? null : hold / 3);
  const seconds = holdMs === null ? 0 : Math.trunc(holdMs / 1000);
  if (seconds === 1 || seconds === 2) {
    const field = spec.path(hold === null ? "keepaliveTime" : "holdTime");
    report(failure(field, "out_of_range", `a hold time of ${seconds} s is too short`, "write 0s, or 3s or more"));
  }
  if (holdMs !== null && keepaliveMs !== null && keepaliveMs > holdMs) {
    const message = "keepaliveTime is longer than holdTime";
    report(failure(spec.path("keepaliveTime"), "out_of_range", message, "write at most the hold time, better a third"));
  }
  if (connect !== null && (connect < 1000 || connect > 65_535_000)) {
    const message = "connect time should be between 1 seconds to 65535";
    report(failure(spec.path("connectTime"), "out_of_range", message, "write 1s to 65535s"));
  } else if (connect !== null && connect % 1000 !== 0) {
    const message = "connect time should contain a whole number of seconds";
    report(failure(spec.path("connectTime"), "out_of_range", message, "write whole seconds"));
  }
  return { holdMs, keepaliveMs, connectMs: connect };
}

function durationIn(spec: Fields, name: string, report: (remark: Remark) => void): number | null {
  const text = spec.text(name);
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms === null) {
    report(
      failure(spec.path(name), "malformed_duration", `${quote(text)} is not a duration`, "write it like 90s or 1m30s"),
    );
  } else if (ms < 0) {
    report(failure(spec.path(name), "out_of_range", `${quote(text)} is negative`, "write 0s or more"));
  } else return ms;
  return null;
}
