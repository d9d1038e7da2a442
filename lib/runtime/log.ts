/** From talkative to silent. */
export type LogLevel = "debug" | "info" | "warn" | "error";
/** Facts of one line. Never secrets, never whole objects. */
type LogFields = Readonly<Record<string, unknown>>;

/** Constant message in lower case, facts as fields: grep for a message finds one line of code. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to every line. */
  with(fields: LogFields): Log;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * One JSON object per line: `ts` (RFC 3339), `level`, `msg`, then the fields.
 * A field that cannot be serialised is replaced by its text, never thrown.
 */
export function jsonLog(options: { level?: LogLevel; fields?: LogFields; write?: (line: string) => void } = {}): Log {
  const { level = "info", fields = {}, write = (line) => void process.stdout.write(line) } = options;
  const emit = (at: LogLevel, message: string, more: LogFields = {}) => {
    if (RANK[at] < RANK[level]) return;
    const line = { ts: new Date().toISOString(), level: at, msg: message, ...fields, ...more };
    write(`${serialise(line)}\n`);
  };
  return {
    debug: (message, more) => emit("debug", message, more),
    info: (message, more) => emit("info", message, more),
    warn: (message, more) => emit("warn", message, more),
    error: (message, more) => emit("error", message, more),
    with: (more) => jsonLog({ level, fields: { ...fields, ...more }, write }),
  };
}

function serialise(line: LogFields): string {
  const plain = (_key: string, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value instanceof Error ? value.message : value;
  try {
    return JSON.stringify(line, plain);
  } catch {
    return JSON.stringify({ ts: line.ts, level: line.level, msg: line.msg, unserialisable: true });
  }
}

/** For tests and for parts that must stay silent. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};
