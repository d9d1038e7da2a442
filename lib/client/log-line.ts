/** A line of a component's log as people read it. */
interface LogLine {
  /** "21:35:32.201", local time; "" when the line has none. */
  readonly time: string;
  readonly level: "debug" | "info" | "warn" | "error" | null;
  readonly text: string;
}

const LEVELS: ReadonlySet<unknown> = new Set(["debug", "info", "warn", "error"]);

/** Reads a JSON line of Berth's own components; anything else stays as it is. */
export function logLine(raw: string): LogLine {
  const facts = parse(raw);
  if (facts === null || typeof facts.msg !== "string") return { time: "", level: null, text: raw };
  const { ts, level, msg, part, ...rest } = facts;
  const words = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return {
    time: clockMs(ts),
    level: LEVELS.has(level) ? (level as LogLine["level"]) : null,
    text: [typeof part === "string" ? `${part}: ${msg}` : msg, ...words].join("  "),
  };
}

function parse(raw: string): Record<string, unknown> | null {
  if (!raw.startsWith("{")) return null;
  try {
    return JSON.parse(raw) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function clockMs(ts: unknown): string {
  const date = new Date(typeof ts === "string" || typeof ts === "number" ? ts : Number.NaN);
  if (Number.isNaN(date.getTime())) return "";
  const two = (n: number, width = 2) => String(n).padStart(width, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}
