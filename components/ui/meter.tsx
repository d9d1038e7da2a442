import type { FamilyUse } from "#api/dashboard/pools";
import { count } from "#client/format";

/** Share used of a whole, as a bar. Never drawn for a pool that no percentage can describe (IPv6). */
export function Meter({ label, use }: { readonly label: string; readonly use: FamilyUse }) {
  const total = Number(use.total);
  const value = total === 0 ? 0 : (Number(use.assigned) / total) * 100;
  const kind = use.pressure === "failed" ? "full" : use.pressure === "warning" ? "warn" : "";
  return (
    // biome-ignore lint/a11y/useSemanticElements: the native meter cannot be drawn in the tokens
    <span
      className={`meter ${kind}`}
      role="meter"
      aria-label={label}
      aria-valuenow={Math.round(value * 10) / 10}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={`${count(use.assigned)} of ${use.totalText}`}
      style={{ "--v": value } as React.CSSProperties}
    >
      <i />
    </span>
  );
}
