import type { ServiceStatus } from "#api/dashboard/services";
import type { Tone } from "#api/dashboard/tone";
import { Glyph } from "#components/ui/icon";

const SERVICE: Record<ServiceStatus, { readonly tone: Tone; readonly word: string }> = {
  ready: { tone: "ready", word: "Ready" },
  in_progress: { tone: "pending", word: "In progress" },
  pending: { tone: "failed", word: "Pending" },
  not_announced: { tone: "failed", word: "Not announced" },
  not_reachable: { tone: "warning", word: "Not reachable" },
  no_ready_pods: { tone: "warning", word: "No ready pods" },
  conflict: { tone: "failed", word: "Conflict" },
  not_ours: { tone: "unknown", word: "Not ours" },
  not_exposed: { tone: "unknown", word: "Not exposed" },
  unknown: { tone: "unknown", word: "Unknown" },
};

/** Word and tone of a Service's status: one vocabulary on every screen. */
export function serviceStatus(status: ServiceStatus): { readonly tone: Tone; readonly word: string } {
  return SERVICE[status];
}

/** Glyph and word; a chip only when it is not ready, so that a healthy table stays quiet. */
export function Status({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span className={tone === "ready" ? "st quiet" : `st chip ${tone}`}>
      <Glyph name={tone} />
      {children}
    </span>
  );
}

export function ServiceChip({ status }: { readonly status: ServiceStatus }) {
  const { tone, word } = SERVICE[status];
  return <Status tone={tone}>{word}</Status>;
}
