declare global {
  interface JSON {
    /** ECMAScript: a value that JSON.stringify writes as `text`; not in TypeScript's library yet. */
    rawJSON(text: string): unknown;
  }
}

/** What stands for the largest int64, here and wherever JSON.parse reads 9223372036854775807: no int64 is 2^63 itself. */
export const INT64_MAX = 2 ** 63;

/** Its digits as JSON.stringify would write them, which no reader of int64 takes. */
const ROUNDED = String(INT64_MAX);

/**
 * JSON text in which the largest and the smallest int64 are written exactly. Other integers beyond 2^53 are as near
 * as a double is: nothing here reads them with all their digits.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes(ROUNDED) ? JSON.stringify(value, exact) : text;
}

function exact(_key: string, value: unknown): unknown {
  if (value === INT64_MAX) return JSON.rawJSON("9223372036854775807");
  return value === -INT64_MAX ? JSON.rawJSON("-9223372036854775808") : value;
}
