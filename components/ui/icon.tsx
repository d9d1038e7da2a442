import type { Tone } from "#api/dashboard/tone";

export type IconName =
  | "activity"
  | "adv"
  | "arrow"
  | "check"
  | "chev"
  | "copy"
  | "edit"
  | "eye"
  | "health"
  | "log"
  | "moon"
  | "more"
  | "neq"
  | "nodes"
  | "open"
  | "overview"
  | "play"
  | "plus"
  | "pools"
  | "power"
  | "search"
  | "services"
  | "stop"
  | "sun"
  | "theme"
  | "traffic"
  | "trash"
  | "undo"
  | "updn"
  | "x";

/** A line icon of 16 px, decoration only: the words beside it carry the meaning. */
export function Icon({ name, className = "" }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg className={`i ${className}`} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

export type GlyphName = Tone | "skip" | "lock" | "bang" | "clock" | "ask";

/** A status glyph: its shape tells the status apart without its colour. */
export function Glyph({ name, className = "" }: { readonly name: GlyphName; readonly className?: string }) {
  return (
    <svg className={`g ${name} ${className}`} aria-hidden="true">
      <use href={`#g-${name}`} />
    </svg>
  );
}

/** The mark: a quay with two hulls, the upper one free, the lower one taken. */
export function Mark() {
  return (
    <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
      <path d="M2.5 1v14" stroke="currentColor" strokeWidth="2" fill="none" />
      <path d="M5.75 1.75h3.5a2.25 2.25 0 0 1 0 4.5h-3.5z" stroke="currentColor" strokeWidth="1.5" fill="none" />
      <path d="M5 9h6a3 3 0 0 1 0 6H5z" fill="var(--accent)" />
    </svg>
  );
}
